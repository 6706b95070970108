/* Texts that are decoded together become what each becomes alone, to the last bit. */
#include "cmocka_all.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

#include "base/cancellation.h"
#include "base/memory.h"
#include "base/random.h"
#include "model/batcher.h"
#include "model/decoder.h"

enum { VOCABULARY = 96, LATENT = 5, CONTEXT = 256, TEXTS = 12, STEPS = 30 };

static const struct config CONFIG = {.vocabulary = VOCABULARY,
                                     .width = 64,
                                     .blocks = 3,
                                     .heads = 4,
                                     .key_value_heads = 2,
                                     .head_width = 16,
                                     .inner = 96,
                                     .context = CONTEXT,
                                     .split = 1,
                                     .latent_width = LATENT,
                                     .ngram_orders = 3,
                                     .ngram_rows = 16,
                                     .slot_parameters = 3,
                                     .rope_base = 10000,
                                     .epsilon = 1e-5};

struct fixture {
    struct layout layout;
    struct weights weights;
    struct overlay overlays[2];
    real *values, *ngrams, *overlay_values[2];
    void *operands;
};

static void fixture_start(struct fixture *f) {
    struct error error;
    struct random random;
    random_seed(&random, 7, 0);
    layout_make(&f->layout, &CONFIG, NULL, NULL);
    f->values = memory_allocate(f->layout.count, sizeof(real), &error);
    f->ngrams = memory_allocate(config_ngram_count(&CONFIG), sizeof(real), &error);
    for (size_t i = 0; i < f->layout.count; i++)
        f->values[i] = (real)(0.15 * random_normal(&random));
    for (size_t i = 0; i < config_ngram_count(&CONFIG); i++)
        f->ngrams[i] = (real)(0.3 * random_normal(&random));
    for (size_t k = 0; k < 2; k++) {
        struct overlay *o = &f->overlays[k];
        o->config = (struct overlay_config){3, 1, 15, 0.5};
        overlay_layout_make(&o->layout, &o->config, &CONFIG, NULL, NULL);
        f->overlay_values[k] = memory_allocate(o->layout.count, sizeof(real), &error);
        for (size_t i = 0; i < o->layout.count; i++)
            f->overlay_values[k][i] = (real)(0.3 * random_normal(&random));
        o->values = o->operands = f->overlay_values[k];
    }
    f->weights = (struct weights){.config = &CONFIG,
                                  .layout = &f->layout,
                                  .precision = PRECISION_REAL,
                                  .values = f->values,
                                  .operands = f->values,
                                  .ngrams = f->ngrams};
}

static void fixture_end(struct fixture *f) {
    memory_free(f->values);
    memory_free(f->ngrams);
    memory_free(f->overlay_values[0]);
    memory_free(f->overlay_values[1]);
}

/* One text: its prompt, its handle, its adapters, and what became of it. */
struct text {
    struct weights weights;
    uint32_t prompt[CONTEXT];
    size_t count;
    real told[LATENT], mask[LATENT];
    real logits[STEPS][VOCABULARY];
    real mean[LATENT];
    size_t rounds;
};

static void text_make(struct text *t, const struct fixture *f, size_t i) {
    struct random random;
    random_seed(&random, 100 + i, 0);
    t->weights = f->weights;
    t->weights.overlay = i % 3 == 0 ? NULL : &f->overlays[i % 3 - 1];
    t->count = 1 + 13 * i;
    for (size_t k = 0; k < t->count; k++)
        t->prompt[k] = (uint32_t)random_below(&random, VOCABULARY);
    for (size_t k = 0; k < LATENT; k++) {
        t->told[k] = (real)random_normal(&random);
        t->mask[k] = (real)(i % 2);
    }
}

static uint32_t likeliest(const real *logits) {
    uint32_t best = 0;
    for (uint32_t v = 1; v < VOCABULARY; v++)
        best = logits[v] > logits[best] ? v : best;
    return best;
}

static void text_write(struct text *t, struct decoder *decoder) {
    struct error error;
    decoder_start(decoder, &(struct pass_handle){.told = t->told, .told_mask = t->mask});
    const real *logits = decoder_prompt(decoder, t->prompt, t->count, &error);
    assert_non_null(logits);
    for (size_t i = 0; i < STEPS; i++) {
        memcpy(t->logits[i], logits, sizeof t->logits[i]);
        logits = decoder_step(decoder, likeliest(logits));
    }
    memcpy(t->mean, decoder_mean(decoder), sizeof t->mean);
}

static void *write_on_thread(void *context) {
    struct text *t = context;
    struct error error;
    struct decoder *decoder;
    assert_int_equal(decoder_create(&decoder, &t->weights, NULL, &error), 0);
    for (size_t i = 0; i < t->rounds; i++)
        text_write(t, decoder);
    decoder_destroy(decoder);
    return NULL;
}

static void write_alone(struct text *t) {
    t->rounds = 1;
    write_on_thread(t);
}

static void assert_same_text(const struct text *a, const struct text *b) {
    for (size_t i = 0; i < STEPS; i++)
        assert_memory_equal(a->logits[i], b->logits[i], sizeof a->logits[i]);
    assert_memory_equal(a->mean, b->mean, sizeof a->mean);
}

static void assert_near_text(const struct text *a, const struct text *b) {
    double tolerance = sizeof(real) == 8 ? 1e-9 : 1e-3;
    for (size_t i = 0; i < STEPS; i++)
        for (size_t v = 0; v < VOCABULARY; v++)
            if (fabs((double)(a->logits[i][v] - b->logits[i][v])) > tolerance)
                fail_msg("step %zu: %g and %g", i, (double)a->logits[i][v],
                         (double)b->logits[i][v]);
}

static struct text alone[TEXTS], single[TEXTS], together[TEXTS];

static void test_together(void **state) {
    (void)state;
    struct fixture f;
    struct error error;
    struct batcher *batcher;
    struct batcher_counts counts;
    pthread_t threads[TEXTS];
    fixture_start(&f);
    for (size_t i = 0; i < TEXTS; i++) {
        text_make(&alone[i], &f, i);
        write_alone(&alone[i]); /* no batcher at all */
    }
    assert_int_equal(batcher_create(&batcher, &f.weights, 2, &error), 0);
    f.weights.batcher = batcher;
    for (size_t i = 0; i < TEXTS; i++) {
        text_make(&single[i], &f, i);
        write_alone(&single[i]);
        assert_near_text(&single[i], &alone[i]);
    }
    batcher_count(batcher, &counts);
    assert_int_equal(counts.steps, TEXTS * STEPS);
    assert_int_equal(counts.passes, counts.steps);
    for (size_t i = 0; i < TEXTS; i++) {
        text_make(&together[i], &f, i);
        together[i].rounds = 5;
        assert_int_equal(pthread_create(&threads[i], NULL, write_on_thread, &together[i]), 0);
    }
    for (size_t i = 0; i < TEXTS; i++) {
        pthread_join(threads[i], NULL);
        assert_same_text(&together[i], &single[i]);
    }
    size_t steps = 6 * TEXTS * STEPS;
    batcher_count(batcher, &counts);
    assert_int_equal(counts.steps, steps);
    assert_true(counts.passes < steps); /* some were in one pass */
    batcher_destroy(batcher);
    fixture_end(&f);
}

static size_t pieces_wanted;

static int is_enough(void *context) {
    (void)context;
    return pieces_wanted-- == 0;
}

/* Whoever leaves while a prompt is read is read no further for, and the decoder is as good as new.
 */
static void test_given_up(void **state) {
    (void)state;
    struct fixture f;
    struct error error;
    struct batcher *batcher;
    struct decoder *decoder;
    static uint32_t prompt[CONTEXT];
    static struct text before, after;
    fixture_start(&f);
    assert_int_equal(batcher_create(&batcher, &f.weights, 2, &error), 0);
    f.weights.batcher = batcher;
    assert_int_equal(decoder_create(&decoder, &f.weights, NULL, &error), 0);
    text_make(&before, &f, 3);
    text_make(&after, &f, 3);
    text_write(&before, decoder);
    for (size_t i = 0; i < CONTEXT; i++)
        prompt[i] = (uint32_t)(5 * i % VOCABULARY);
    decoder_start(decoder, &(struct pass_handle){0});
    pieces_wanted = 1;
    cancellation_set(is_enough, NULL);
    assert_null(decoder_prompt(decoder, prompt, CONTEXT, &error));
    cancellation_set(NULL, NULL);
    assert_non_null(strstr(error.message, "given up"));
    size_t read = decoder_position(decoder);
    assert_true(read > 0 && read < CONTEXT);
    text_write(&after, decoder);
    assert_same_text(&after, &before);
    decoder_destroy(decoder);
    batcher_destroy(batcher);
    fixture_end(&f);
}

/* A prompt that begins as an earlier one is not read whole, and nothing changes by that. */
static void test_prefix(void **state) {
    (void)state;
    struct fixture f;
    struct error error;
    struct batcher *batcher;
    struct batcher_counts before, after;
    struct decoder *first, *second;
    fixture_start(&f);
    assert_int_equal(batcher_create(&batcher, &f.weights, 2, &error), 0);
    f.weights.batcher = batcher;
    for (size_t i = 0; i < 3; i++) {
        struct text *fresh = &single[i], *reused = &together[i];
        text_make(fresh, &f, i);
        fresh->count = 150;
        for (size_t k = 0; k < fresh->count; k++)
            fresh->prompt[k] = (uint32_t)(k * k + i) % VOCABULARY;
        *reused = *fresh;
        write_alone(fresh);
        assert_int_equal(decoder_create(&first, &fresh->weights, NULL, &error), 0);
        assert_int_equal(decoder_create(&second, &fresh->weights, NULL, &error), 0);
        /* Another text with the same first 100 tokens: three blocks. */
        struct text other = *fresh;
        other.prompt[100] = (other.prompt[100] + 1) % VOCABULARY;
        batcher_count(batcher, &before);
        text_write(&other, first);
        batcher_count(batcher, &after);
        assert_int_equal(after.reused, before.reused);
        text_write(reused, second); /* from another's text */
        batcher_count(batcher, &before);
        assert_int_equal(before.reused - after.reused, 96);
        assert_same_text(reused, fresh);
        text_write(reused, second); /* from its own */
        batcher_count(batcher, &after);
        assert_int_equal(after.reused - before.reused, 128);
        assert_same_text(reused, fresh);
        /* Under another handle nothing is taken over. */
        other = *fresh;
        other.told[0] += 1;
        other.mask[0] = 1 - other.mask[0];
        text_write(&other, first);
        batcher_count(batcher, &before);
        assert_int_equal(before.reused, after.reused);
        decoder_destroy(first);
        decoder_destroy(second);
    }
    batcher_destroy(batcher);
    fixture_end(&f);
}

struct exclusive {
    struct batcher *batcher;
    int inside, most, times;
};

static void enter(void *context) {
    struct exclusive *e = context;
    int inside = __atomic_add_fetch(&e->inside, 1, __ATOMIC_SEQ_CST);
    e->most = inside > e->most ? inside : e->most;
    e->times++;
    __atomic_sub_fetch(&e->inside, 1, __ATOMIC_SEQ_CST);
}

static void *enter_often(void *context) {
    struct exclusive *e = context;
    for (size_t i = 0; i < 200; i++)
        batcher_alone(e->batcher, enter, e);
    return NULL;
}

static void test_alone(void **state) {
    (void)state;
    struct fixture f;
    struct error error;
    struct exclusive e = {0};
    pthread_t threads[4];
    fixture_start(&f);
    assert_int_equal(batcher_create(&e.batcher, &f.weights, 1, &error), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, enter_often, &e);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(e.times, 800);
    assert_int_equal(e.most, 1);
    batcher_alone(NULL, enter, &e); /* without a batcher: here and now */
    assert_int_equal(e.times, 801);
    batcher_destroy(e.batcher);
    fixture_end(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_together),
        cmocka_unit_test(test_given_up),
        cmocka_unit_test(test_prefix),
        cmocka_unit_test(test_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
