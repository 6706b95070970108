/* What is told of a text while it is written: tokens, their log-probabilities, how it ended. */
#include "dream/write.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "truth/tiny_model.h"

enum { MOST = 8192 };

struct seen {
    struct token_report reports[MOST];
    size_t count, stop_after; /* 0: never */
    char text[1 << 16];
    size_t length;
};

static int visit(void *context, const struct token_report *report) {
    struct seen *s = context;
    assert_true(s->count < MOST);
    assert_int_equal(report->mean == NULL, report->is_prompt);
    s->reports[s->count++] = *report;
    return s->stop_after > 0 && s->count == s->stop_after;
}

static int hear(void *context, const char *text, size_t length) {
    struct seen *s = context;
    assert_true(s->length + length < sizeof s->text);
    memcpy(s->text + s->length, text, length);
    s->length += length;
    return 0;
}

struct fixture {
    struct model *model;
    struct writer *writer;
    struct handle handle;
    struct seen *seen;
    struct token_outcome outcome;
};

static void start(struct fixture *f) {
    struct error error;
    f->model = tiny_model();
    f->seen = calloc(1, sizeof *f->seen);
    assert_non_null(f->seen);
    assert_int_equal(handle_create(&f->handle, f->model, &error), 0);
    assert_int_equal(handle_tell(&f->handle, "author", "Bob Lee", &error), 0);
    assert_int_equal(writer_create(&f->writer, f->model, &error), 0);
}

static void finish(struct fixture *f) {
    writer_destroy(f->writer);
    handle_free(&f->handle);
    model_destroy(f->model);
    free(f->seen);
}

static void write_text(struct fixture *f, struct write_options options) {
    struct error error;
    memset(f->seen, 0, offsetof(struct seen, text));
    f->seen->length = 0;
    options.outcome = &f->outcome;
    if (writer_write(f->writer, &f->handle, &options, hear, f->seen, &error))
        fail_msg("%s", error.message);
}

/* log P(token) by softmax in double precision. */
static double log_probability(const real *logits, size_t count, uint32_t token) {
    double most = -INFINITY, sum = 0;
    for (size_t v = 0; v < count; v++)
        most = fmax(most, (double)logits[v]);
    for (size_t v = 0; v < count; v++)
        sum += exp((double)logits[v] - most);
    return (double)logits[token] - most - log(sum);
}

static void check_top(const struct token_report *r, const real *logits, size_t vocabulary,
                      size_t top) {
    size_t likelier = 0;
    assert_int_equal(r->top_count, top);
    for (size_t v = 0; v < vocabulary; v++)
        likelier += logits[v] > logits[r->top_ids[top - 1]];
    assert_true(likelier < top); /* nothing likelier was left out */
    for (size_t i = 0; i < top; i++) {
        assert_true(fabs(r->top_log_probabilities[i] -
                         log_probability(logits, vocabulary, r->top_ids[i])) < 1e-3);
        assert_true(i == 0 || r->top_log_probabilities[i] <= r->top_log_probabilities[i - 1]);
    }
}

/* Against a decoder that is stepped through the same tokens, prompt and text. */
static void test_log_probabilities(void **state) {
    (void)state;
    struct fixture f;
    struct error error;
    start(&f);
    struct token_watch watch = {.visit = visit,
                                .context = f.seen,
                                .has_log_probabilities = 1,
                                .top = 5,
                                .visits_prompt = 1};
    struct write_options options = {.prompt = "the fox is",
                                    .tokens = 20,
                                    .seed = 3,
                                    .sampling = {.temperature = 1.3, .top_p = 1},
                                    .watch = &watch};
    size_t prompt, vocabulary = f.model->config.vocabulary, width = f.model->config.latent_width;
    write_text(&f, options);
    assert_int_equal(writer_count(f.writer, &options, &prompt, &error), 0);
    assert_int_equal(f.outcome.prompt, prompt);
    assert_int_equal(f.seen->count, prompt - 1 + f.outcome.written);
    assert_true(f.outcome.written > 0);

    real *mask = calloc(2 * width, sizeof *mask);
    assert_non_null(mask);
    handle_told_mask(&f.handle, mask);
    for (size_t d = 0; d < width; d++)
        mask[width + d] = f.handle.mean[d] * f.handle.precision[d];
    struct pass_handle told = {.told = f.handle.mean,
                               .told_mask = mask,
                               .start_precision = f.handle.precision,
                               .start_information = mask + width};
    struct weights weights = model_weights(f.model);
    struct decoder *decoder;
    assert_int_equal(decoder_create(&decoder, &weights, NULL, &error), 0);
    decoder_start(decoder, &told);
    uint32_t before = tokenizer_end_of_text(f.model->tokenizer);
    for (size_t i = 0; i < f.seen->count; i++) {
        const struct token_report *r = &f.seen->reports[i];
        const real *logits = decoder_step(decoder, before);
        assert_int_equal(r->is_prompt, i < prompt - 1);
        assert_int_equal(r->tokens, i + 1);
        assert_true(fabs(r->log_probability - log_probability(logits, vocabulary, r->id)) < 1e-3);
        check_top(r, logits, vocabulary, 5);
        before = r->id;
    }
    decoder_destroy(decoder);
    free(mask);
    finish(&f);
}

/* The tokens that were seen spell the text; nobody watching, the text is the same. */
static void test_watching_changes_nothing(void **state) {
    (void)state;
    struct fixture f;
    start(&f);
    struct write_options options = {.prompt = "the quick",
                                    .tokens = 50,
                                    .seed = 9,
                                    .sampling = {.temperature = 1, .top_p = 0.95}};
    write_text(&f, options);
    size_t length = f.seen->length;
    char *text = malloc(length + 1);
    assert_non_null(text);
    memcpy(text, f.seen->text, length);
    for (int prompt = 0; prompt < 2; prompt++) {
        struct token_watch watch = {.visit = visit,
                                    .context = f.seen,
                                    .has_log_probabilities = prompt,
                                    .top = TOKEN_TOP_MOST,
                                    .visits_prompt = prompt};
        size_t at = 0;
        options.watch = &watch;
        write_text(&f, options);
        assert_int_equal(f.seen->length, length);
        assert_memory_equal(f.seen->text, text, length);
        for (size_t i = 0; i < f.seen->count; i++) {
            const struct token_report *r = &f.seen->reports[i];
            assert_int_equal(isnan(r->log_probability), !prompt);
            if (r->is_prompt)
                continue;
            assert_memory_equal(text + at, r->bytes.data, r->bytes.length);
            at += r->bytes.length;
        }
        assert_int_equal(at, length);
    }
    free(text);
    finish(&f);
}

static void test_how_it_ended(void **state) {
    (void)state;
    struct fixture f;
    start(&f);
    struct token_watch watch = {.visit = visit, .context = f.seen};
    struct write_options options = {.prompt = "the",
                                    .tokens = 5,
                                    .seed = 1,
                                    .sampling = {.temperature = 1, .top_p = 1},
                                    .watch = &watch};
    write_text(&f, options);
    assert_int_equal(f.outcome.end, TOKENS_FULL);
    assert_int_equal(f.outcome.written, 5);
    options.tokens = 0;
    write_text(&f, options);
    assert_int_equal(f.outcome.end, TOKENS_FULL);
    assert_int_equal(f.outcome.written, 0);
    /* The visit's wish to stop counts before the callback hears the token. */
    struct error error;
    options.tokens = 5;
    memset(f.seen, 0, offsetof(struct seen, text));
    f.seen->length = 0;
    f.seen->stop_after = 2;
    options.outcome = &f.outcome;
    assert_int_equal(writer_write(f.writer, &f.handle, &options, hear, f.seen, &error), 0);
    assert_int_equal(f.outcome.end, TOKENS_STOPPED);
    assert_int_equal(f.outcome.written, 2);
    assert_int_equal(f.seen->length, f.seen->reports[0].bytes.length);
    /* A random model ends one text in about two hundred tokens. */
    options.tokens = MOST - 1;
    write_text(&f, options);
    assert_int_equal(f.outcome.end, TOKENS_ENDED);
    assert_true(f.outcome.written < MOST - 1);
    assert_int_equal(f.outcome.written, f.seen->count);
    finish(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_log_probabilities),
        cmocka_unit_test(test_watching_changes_nothing),
        cmocka_unit_test(test_how_it_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
