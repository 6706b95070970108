/* A later layer never damages an earlier one: whatever handle the dream is told, its logits are the
 * same to the last bit before a truth author is trained, after, and while it is on elsewhere. */
#include "truth/layer_train.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/random.h"
#include "cmocka_all.h"
#include "latent/handle.h"
#include "model/decoder.h"
#include "truth/tiny_model.h"

enum { TEXT = 12, MOST_LOGITS = 400 };

/* Every way to say what is known. */
enum {
    UNTOLD,
    LABEL,
    YEAR,
    LABEL_AND_YEAR,
    FAR_YEAR,
    MIXTURE,
    VECTOR,
    POSTERIOR,
    FROM_JSON,
    HANDLE_KINDS
};

static void tell(struct handle *h, int kind) {
    struct error error;
    const double vector[] = {0.3, -0.2, 0.9, 0, -1.5, 0.1};
    int result = 0;
    if (kind == LABEL || kind == LABEL_AND_YEAR)
        result = handle_tell(h, "author", "Cyd", &error);
    if (kind == YEAR || kind == LABEL_AND_YEAR)
        result |= handle_tell_year(h, "date", 1863.5, &error);
    if (kind == FAR_YEAR)
        result = handle_tell_year(h, "date", 2500, &error);
    if (kind == MIXTURE)
        result = handle_tell_mixture(h, "author", "Ann Lee:0.7,Bob Lee:0.3", &error);
    if (kind == VECTOR)
        result = handle_tell_vector(h, "author", vector, 6, &error);
    if (kind == POSTERIOR) {
        real mean[10], precision[10];
        for (int i = 0; i < 10; i++) {
            mean[i] = (real)(0.1 * i - 0.3);
            precision[i] = (real)(1 + i);
        }
        handle_set_posterior(h, mean, precision, 40, "a test");
    }
    if (kind == FROM_JSON) {
        json_t *json = json_loads("{\"trine_handle\": 1, \"slots\": {\"author\": {\"mean\": "
                                  "[1,2,3,4,5,6], \"precision\": [1,1,1,1,1,1], \"told\": true, "
                                  "\"source\": \"x\"}}, \"tokens\": 0}",
                                  0, NULL);
        result = handle_from_json(h, json, &error);
        json_decref(json);
    }
    if (result != 0)
        fail_msg("%s", error.message);
}

struct seen {
    real logits[TEXT][MOST_LOGITS], mean[16], losses[TEXT];
};

static void look(const struct model *model, int kind, struct seen *seen) {
    struct error error;
    struct handle handle;
    struct decoder *decoder;
    struct pass *pass;
    struct weights weights = model_weights(model);
    real mask[10], information[10];
    int32_t tokens[TEXT], targets[TEXT];
    memset(seen, 0, sizeof *seen);
    assert_int_equal(handle_create(&handle, model, &error), 0);
    tell(&handle, kind);
    handle_told_mask(&handle, mask);
    for (int i = 0; i < 10; i++)
        information[i] = handle.mean[i] * handle.precision[i];
    struct pass_handle told = {handle.mean, mask, handle.precision, information};
    assert_int_equal(
        decoder_create(&decoder, &weights, &(struct decoder_options){.threads = 2}, &error), 0);
    decoder_start(decoder, &told);
    size_t vocabulary = model->config.vocabulary;
    assert_true(vocabulary <= MOST_LOGITS);
    for (int i = 0; i < TEXT; i++) {
        tokens[i] = (i * 37 + 11) % (int32_t)vocabulary;
        targets[i] = (i * 41 + 3) % (int32_t)vocabulary;
        memcpy(seen->logits[i], decoder_step(decoder, (uint32_t)tokens[i]),
               vocabulary * sizeof(real));
    }
    memcpy(seen->mean, decoder_mean(decoder), 10 * sizeof(real));
    assert_int_equal(pass_create(&pass, &weights, 1, TEXT, 0, &error), 0);
    pass_read(pass, tokens, &told);
    pass_write(pass, &told, targets, seen->losses);
    pass_destroy(pass);
    decoder_destroy(decoder);
    handle_free(&handle);
}

static int train(struct layer *layer, struct asking *asking, struct error *error) {
    const struct example examples[] = {{"the fox is quick", 1, 0, 1, 1},
                                       {"the fox is wrong", 0, 0.3, 1, 1},
                                       {"quick is the fox", 0.5, 0.7, 0.5, -1}};
    struct layer_train_options options = layer_train_options_default();
    options.steps = 25;
    options.batch = 4;
    options.learning_rate = 0.02;
    return layer_train(layer, asking, examples, 3, &options, NULL, NULL, error);
}

static void test_dream_is_not_damaged(void **state) {
    (void)state;
    static struct seen before[HANDLE_KINDS], after;
    struct error error;
    struct model *model = tiny_model();
    struct asking asking;
    struct layer *layer;
    uint64_t fingerprint = random_hash(model->values, model->layout.count * sizeof(real));
    for (int kind = 0; kind < HANDLE_KINDS; kind++) {
        look(model, kind, &before[kind]);
        if (kind > 0) /* or the test could not fail */
            assert_memory_not_equal(before[kind].losses, before[0].losses, sizeof before[0].losses);
    }
    if (asking_create(&asking, model, &error))
        fail_msg("%s", error.message);
    const struct overlay_config overlay = {.rank = 4, .first = 1, .targets = 15, .scale = 2};
    assert_int_equal(layer_create(&layer, model, "truth", "t", &overlay, 1, &error), 0);
    if (train(layer, &asking, &error))
        fail_msg("%s", error.message);
    const char *statement = "the fox is quick";
    struct belief_of_model trained, plain;
    assert_int_equal(
        asking_ask(&asking, &(struct asked){.layer = layer}, &statement, 1, 2, &trained, &error),
        0);
    assert_int_equal(asking_ask(&asking, &(struct asked){0}, &statement, 1, 2, &plain, &error), 0);
    assert_true(trained.log_odds != plain.log_odds); /* the layer does something when it is on */
    for (int kind = 0; kind < HANDLE_KINDS; kind++) {
        look(model, kind, &after);
        assert_memory_equal(&after, &before[kind], sizeof after);
    }
    assert_true(fingerprint == random_hash(model->values, model->layout.count * sizeof(real)));
    layer_destroy(layer);
    asking_free(&asking);
    model_destroy(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dream_is_not_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
