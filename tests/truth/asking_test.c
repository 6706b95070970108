/* What a network says is the same whatever else is asked at the same time, and is what its logits
 * say. */
#include "truth/asking.h"

#include <math.h>
#include <string.h>

#include "base/cancellation.h"
#include "model/batcher.h"
#include "model/decoder.h"
#include "truth/tiny_model.h"

static const char *const STATEMENTS[] = {
    "the fox is quick",    "quick", "the fox is wrong and the quick fox is true and uncertain",
    "fox fox fox fox fox", "",      "the fox is quick"};
enum { COUNT = sizeof STATEMENTS / sizeof *STATEMENTS };

static void test_alone_and_together(void **state) {
    (void)state;
    struct error error;
    struct model *model = tiny_model();
    struct asking asking;
    struct belief_of_model together[COUNT], alone;
    double heard[COUNT], own;
    assert_int_equal(asking_create(&asking, model, &error), 0);
    const struct asked asked = {0};
    assert_int_equal(asking_ask(&asking, &asked, STATEMENTS, COUNT, 2, together, &error), 0);
    assert_int_equal(asking_hear(&asking, &asked, STATEMENTS, COUNT, 2, heard, &error), 0);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(asking_ask(&asking, &asked, &STATEMENTS[i], 1, 1, &alone, &error), 0);
        assert_int_equal(asking_hear(&asking, &asked, &STATEMENTS[i], 1, 1, &own, &error), 0);
        assert_true(fabs(alone.log_odds - together[i].log_odds) < 1e-5);
        assert_true(fabs(own - heard[i]) < 1e-5);
        assert_true(together[i].doubt > 0 && together[i].doubt < 1);
    }
    assert_true(together[0].log_odds == together[5].log_odds);
    assert_true(fabs(together[0].log_odds - together[1].log_odds) > 1e-6);
    asking_free(&asking);
    model_destroy(model);
}

static size_t pieces_wanted;

static int is_enough(void *context) {
    (void)context;
    return pieces_wanted-- == 0;
}

/* Beside others the questions are asked in pieces, which changes nothing; between them the asking
 * may be given up, which spoils nothing. */
static void test_in_pieces(void **state) {
    (void)state;
    enum { MANY = 300 };
    struct error error;
    struct model *model = tiny_model();
    struct asking asking;
    const char *statements[MANY];
    static struct belief_of_model whole[MANY], pieces[MANY];
    const struct asked asked = {0};
    for (size_t i = 0; i < MANY; i++)
        statements[i] = STATEMENTS[i % COUNT];
    assert_int_equal(asking_create(&asking, model, &error), 0);
    assert_int_equal(asking_ask(&asking, &asked, statements, MANY, 2, whole, &error), 0);
    struct weights weights = model_weights(model);
    assert_int_equal(batcher_create(&model->batcher, &weights, 2, &error), 0);
    pieces_wanted = 1;
    cancellation_set(is_enough, NULL);
    assert_int_equal(asking_ask(&asking, &asked, statements, MANY, 2, pieces, &error), -1);
    cancellation_set(NULL, NULL);
    assert_non_null(strstr(error.message, "given up"));
    assert_int_equal(asking_ask(&asking, &asked, statements, MANY, 2, pieces, &error), 0);
    assert_memory_equal(pieces, whole, sizeof whole);
    batcher_destroy(model->batcher);
    model->batcher = NULL;
    asking_free(&asking);
    model_destroy(model);
}

static double log_probability(const real *logits, size_t count, size_t token) {
    double sum = 0;
    for (size_t v = 0; v < count; v++)
        sum += exp((double)logits[v]);
    return (double)logits[token] - log(sum);
}

/* Of the last HEARD_TOKENS tokens, read one by one. */
static double log_likelihood(struct decoder *decoder, const int32_t *tokens, size_t length,
                             size_t vocabulary) {
    double sum = 0;
    decoder_start(decoder, &(struct pass_handle){0});
    for (size_t i = 0; i + 1 < length; i++) {
        const real *logits = decoder_step(decoder, (uint32_t)tokens[i]);
        if (i + 1 >= length - HEARD_TOKENS)
            sum += log_probability(logits, vocabulary, (size_t)tokens[i + 1]);
    }
    return sum;
}

/* The decoder is another implementation of the same network. */
static void test_beside_the_decoder(void **state) {
    (void)state;
    struct error error;
    struct model *model = tiny_model();
    struct weights weights = model_weights(model);
    struct asking asking;
    struct belief_of_model belief;
    struct decoder *decoder;
    double heard, expected, log_odds = 0, doubt = 0;
    size_t length, elsewhere_length, vocabulary = model->config.vocabulary;
    int32_t tokens[QUESTION_TIME], elsewhere[QUESTION_TIME];
    assert_int_equal(asking_create(&asking, model, &error), 0);
    assert_int_equal(decoder_create(&decoder, &weights, NULL, &error), 0);
    for (size_t frame = 0; frame < asking.frame_count; frame++) {
        const real *logits = NULL;
        const uint32_t *own = asking.answers[frame];
        assert_int_equal(
            asking_encode(&asking, STATEMENTS[0], frame, QUESTION_TIME, tokens, &length, &error),
            0);
        decoder_start(decoder, &(struct pass_handle){0});
        for (size_t i = 0; i < length; i++)
            logits = decoder_step(decoder, (uint32_t)tokens[i]);
        double yes = exp((double)logits[own[ANSWER_YES]]), no = exp((double)logits[own[ANSWER_NO]]);
        double unknown = exp((double)logits[own[ANSWER_UNKNOWN]]);
        log_odds += log(yes / no) / (double)asking.frame_count;
        doubt += unknown / (yes + no + unknown) / (double)asking.frame_count;
    }
    assert_int_equal(asking_ask(&asking, &(struct asked){0}, STATEMENTS, 1, 1, &belief, &error), 0);
    assert_true(fabs(belief.log_odds - log_odds) < 0.01);
    assert_true(fabs(belief.doubt - doubt) < 0.01);
    assert_int_equal(
        asking_encode(&asking, STATEMENTS[0], FRAME_COUNT, QUESTION_TIME, tokens, &length, &error),
        0);
    assert_true(length > HEARD_TOKENS);
    assert_int_equal(asking_encode(&asking, "The answer is", FRAME_COUNT, QUESTION_TIME, elsewhere,
                                   &elsewhere_length, &error),
                     0);
    memcpy(elsewhere + elsewhere_length, tokens + length - HEARD_TOKENS,
           HEARD_TOKENS * sizeof *tokens);
    expected = log_likelihood(decoder, tokens, length, vocabulary) -
               log_likelihood(decoder, elsewhere, elsewhere_length + HEARD_TOKENS, vocabulary) / 2;
    assert_int_equal(asking_hear(&asking, &(struct asked){0}, STATEMENTS, 1, 1, &heard, &error), 0);
    assert_true(fabs(heard - expected) < 0.02);
    decoder_destroy(decoder);
    asking_free(&asking);
    model_destroy(model);
}

/* What is too long loses its beginning, not its frame. */
static void test_long_statement(void **state) {
    (void)state;
    struct error error;
    struct model *model = tiny_model();
    struct asking asking;
    char text[4000];
    int32_t full[QUESTION_TIME], cut[16];
    size_t full_length, cut_length;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(asking_create(&asking, model, &error), 0);
    assert_int_equal(asking_encode(&asking, text, 0, QUESTION_TIME, full, &full_length, &error), 0);
    assert_int_equal(asking_encode(&asking, text, 0, 16, cut, &cut_length, &error), 0);
    assert_true(full_length == QUESTION_TIME && cut_length == 16);
    assert_memory_equal(full + QUESTION_TIME - 15, cut + 1, 15 * sizeof *cut);
    assert_true(cut[0] == full[0]);
    asking_free(&asking);
    model_destroy(model);
}

/* Weights that were unpacked once give the same bits. */
static void test_unpacked(void **state) {
    (void)state;
    struct error error;
    struct model *model = tiny_model();
    struct asking asking;
    struct layer *layer;
    struct unpacked *unpacked;
    struct random random;
    struct belief_of_model packed[COUNT], ready[COUNT];
    const struct overlay_config overlay = {.rank = 4, .first = 1, .targets = 15, .scale = 2};
    assert_int_equal(asking_create(&asking, model, &error), 0);
    assert_int_equal(layer_create(&layer, model, "truth", "t", &overlay, 1, &error), 0);
    random_seed(&random, 9, 0);
    for (size_t i = 0; i < layer->count; i++)
        layer->values[i] = (real)(0.1 * random_normal(&random));
    layer_refresh_operands(layer);
    struct weights weights = layer_weights(layer);
    assert_int_equal(weights_unpack(&unpacked, &weights, &error), 0);
    struct asked asked = {.layer = layer};
    assert_int_equal(asking_ask(&asking, &asked, STATEMENTS, COUNT, 2, packed, &error), 0);
    asked.unpacked = unpacked;
    assert_int_equal(asking_ask(&asking, &asked, STATEMENTS, COUNT, 2, ready, &error), 0);
    for (size_t i = 0; i < COUNT; i++)
        assert_true(packed[i].log_odds == ready[i].log_odds && packed[i].doubt == ready[i].doubt);
    unpacked_destroy(unpacked);
    layer_destroy(layer);
    asking_free(&asking);
    model_destroy(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alone_and_together), cmocka_unit_test(test_in_pieces),
        cmocka_unit_test(test_beside_the_decoder), cmocka_unit_test(test_long_statement),
        cmocka_unit_test(test_unpacked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
