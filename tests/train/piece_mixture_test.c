/* Where few documents have labels they make up the share of every batch that was asked for, in an
 * order that a resumed run goes on with; where labels are plenty the sampler deals as ever. */
#include "train/piece_mixture.h"

#include <string.h>

#include "cmocka_all.h"

enum { DOCUMENTS = 40, TOKENS = 100, TIME = 16, BATCH = 8, SEED = 3, STEPS = 200 };

static struct dataset_document documents[DOCUMENTS];
static struct sampler_document texts[DOCUMENTS];
static uint32_t tokens[TOKENS];

/* The first `labelled` of the documents have a label of the slot 1. */
static struct dataset dataset_of(size_t labelled) {
    memset(documents, 0, sizeof documents);
    for (size_t i = 0; i < DOCUMENTS; i++) {
        documents[i].text = texts[i] = (struct sampler_document){tokens, TOKENS};
        documents[i].is_given[1] = i < labelled;
    }
    return (struct dataset){documents, texts, DOCUMENTS, DOCUMENTS * TOKENS};
}

static void test_share(void **state) {
    (void)state;
    struct error error;
    struct piece_mixture mixture;
    const struct piece *pieces;
    struct dataset dataset = dataset_of(2);
    size_t seen[DOCUMENTS] = {0}, labelled = 0;
    assert_int_equal(piece_mixture_create(&mixture, &dataset, TIME, BATCH, 0.5, SEED, &error), 0);
    for (size_t step = 0; step < STEPS; step++) {
        assert_int_equal(piece_mixture_pieces(&mixture, step, &pieces, &error), 0);
        for (size_t i = 0; i < BATCH; i++) {
            assert_true(pieces[i].document < DOCUMENTS);
            assert_true(pieces[i].start + pieces[i].count < TOKENS);
            seen[pieces[i].document]++;
            labelled += pieces[i].document < 2;
        }
    }
    piece_mixture_free(&mixture);
    assert_true(labelled > STEPS * BATCH * 45 / 100 && labelled < STEPS * BATCH * 55 / 100);
    for (size_t i = 0; i < DOCUMENTS; i++) /* everything else is still read, too */
        assert_true(seen[i] > 5);
    /* The control: without a share they are as many as their documents. */
    labelled = 0;
    assert_int_equal(piece_mixture_create(&mixture, &dataset, TIME, BATCH, 0, SEED, &error), 0);
    for (size_t step = 0; step < STEPS; step++) {
        assert_int_equal(piece_mixture_pieces(&mixture, step, &pieces, &error), 0);
        for (size_t i = 0; i < BATCH; i++)
            labelled += pieces[i].document < 2;
    }
    piece_mixture_free(&mixture);
    assert_true(labelled < STEPS * BATCH * 8 / 100);
}

/* The same pieces as the sampler alone deals. */
static void assert_plain(size_t labelled, double share) {
    struct error error;
    struct piece_mixture mixture;
    struct sampler sampler;
    const struct piece *pieces, *expected;
    struct dataset dataset = dataset_of(labelled);
    assert_int_equal(piece_mixture_create(&mixture, &dataset, TIME, BATCH, share, SEED, &error), 0);
    assert_int_equal(sampler_create(&sampler, texts, DOCUMENTS, TIME, BATCH, SEED, &error), 0);
    for (size_t step = 0; step < STEPS; step++) {
        assert_int_equal(piece_mixture_pieces(&mixture, step, &pieces, &error), 0);
        assert_int_equal(sampler_pieces(&sampler, step, &expected, &error), 0);
        assert_memory_equal(pieces, expected, BATCH * sizeof *pieces);
    }
    piece_mixture_free(&mixture);
    sampler_free(&sampler);
}

static void test_labels_that_are_plenty(void **state) {
    (void)state;
    assert_plain(DOCUMENTS, 0.5);
    assert_plain(DOCUMENTS, 1);
    assert_plain(DOCUMENTS / 2 + 1, 0.5);
    assert_plain(0, 0.5);
    assert_plain(2, 0);
}

static void test_goes_on_anywhere(void **state) {
    (void)state;
    struct error error;
    struct piece_mixture whole, rest;
    const struct piece *pieces, *expected;
    struct dataset dataset = dataset_of(3);
    assert_int_equal(piece_mixture_create(&whole, &dataset, TIME, BATCH, 0.4, SEED, &error), 0);
    assert_int_equal(piece_mixture_create(&rest, &dataset, TIME, BATCH, 0.4, SEED, &error), 0);
    for (size_t step = 0; step < STEPS; step++) {
        assert_int_equal(piece_mixture_pieces(&whole, step, &expected, &error), 0);
        if (step < 77)
            continue;
        assert_int_equal(piece_mixture_pieces(&rest, step, &pieces, &error), 0);
        assert_memory_equal(pieces, expected, BATCH * sizeof *pieces);
    }
    piece_mixture_free(&whole);
    piece_mixture_free(&rest);
}

/* Fewer labelled pieces than a step takes of them: they come around within the step. */
static void test_very_few(void **state) {
    (void)state;
    struct error error;
    struct piece_mixture mixture;
    const struct piece *pieces;
    struct dataset dataset = dataset_of(2);
    size_t seen[DOCUMENTS] = {0};
    texts[0].count = 5; /* one piece */
    texts[1].count = 1; /* nothing to predict */
    assert_int_equal(piece_mixture_create(&mixture, &dataset, TIME, BATCH, 0.5, SEED, &error), 0);
    assert_int_equal(mixture.extra, BATCH / 2);
    for (size_t step = 0; step < STEPS; step++) {
        assert_int_equal(piece_mixture_pieces(&mixture, step, &pieces, &error), 0);
        for (size_t i = 0; i < BATCH; i++)
            seen[pieces[i].document]++;
    }
    assert_true(seen[0] >= STEPS * BATCH / 2 && seen[1] == 0);
    piece_mixture_free(&mixture);
    texts[0].count = 1; /* no labelled piece at all: the sampler alone */
    assert_int_equal(piece_mixture_create(&mixture, &dataset, TIME, BATCH, 0.5, SEED, &error), 0);
    assert_int_equal(mixture.extra, 0);
    piece_mixture_free(&mixture);
}

/* One piece of a step at least is of all documents, whatever share is asked for. */
static void test_whole_share(void **state) {
    (void)state;
    struct error error;
    struct piece_mixture mixture;
    struct dataset dataset = dataset_of(3);
    assert_int_equal(piece_mixture_create(&mixture, &dataset, TIME, BATCH, 1, SEED, &error), 0);
    assert_int_equal(mixture.extra, BATCH - 1);
    piece_mixture_free(&mixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_share),
        cmocka_unit_test(test_labels_that_are_plenty),
        cmocka_unit_test(test_goes_on_anywhere),
        cmocka_unit_test(test_very_few),
        cmocka_unit_test(test_whole_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
