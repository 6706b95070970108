/* Names that are taught resolve, also in variants that training never spells; without the lessons
 * the same training knows nothing of them. */
#include "dream/naming.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "cmocka_all.h"
#include "dream/read.h"
#include "text/byline.h"
#include "text/tokenizer_train.h"
#include "train/trainer.h"

enum { LABELS = 4, DOCUMENTS = 16, TIME = 48, STEPS = 300 };

static const char *const NAMES[LABELS] = {"Ann Margaret Archer", "Bob Oliver Baker",
                                          "Cyd Quincy Carver", "Dora Wells Dunham"};
static const char *const PHRASES[LABELS] = {"the fox jumps; ", "my fellow citizens. ",
                                            "whereas the ship, ", "so say we all! "};

struct world {
    struct dataset_document documents[DOCUMENTS];
    struct sampler_document texts[DOCUMENTS];
    struct dataset dataset;
    struct token_list tokens[DOCUMENTS];
    struct model *model;
};

static struct tokenizer *make_tokenizer(void) {
    struct error error;
    struct tokenizer_trainer *trainer;
    struct tokenizer *tokenizer;
    assert_int_equal(tokenizer_trainer_create(&trainer, &error), 0);
    for (int i = 0; i < LABELS; i++)
        tokenizer_trainer_add(trainer, PHRASES[i], strlen(PHRASES[i]), &error);
    assert_int_equal(tokenizer_trainer_finish(trainer, 270, &tokenizer, &error), 0);
    tokenizer_trainer_destroy(trainer);
    return tokenizer;
}

static void make_documents(struct world *w) {
    struct error error;
    struct tokenizer_cache *cache;
    assert_int_equal(tokenizer_cache_create(&cache, &error), 0);
    for (size_t i = 0; i < DOCUMENTS; i++) {
        char text[1024] = "";
        for (int k = 0; k < 12; k++)
            strcat(text, PHRASES[i % LABELS]);
        assert_int_equal(
            memory_grow(&w->tokens[i].ids, &w->tokens[i].capacity, 1, sizeof(uint32_t), &error), 0);
        w->tokens[i].ids[w->tokens[i].count++] = TOKEN_END_OF_TEXT;
        assert_int_equal(
            tokenizer_encode(w->model->tokenizer, cache, text, strlen(text), &w->tokens[i], &error),
            0);
        w->texts[i] = (struct sampler_document){w->tokens[i].ids, w->tokens[i].count};
        w->documents[i] = (struct dataset_document){.name = "d", .text = w->texts[i]};
        w->documents[i].is_given[0] = 1;
        w->documents[i].target[0] = (struct slot_target){{i % LABELS}, {1}};
    }
    w->dataset = (struct dataset){w->documents, w->texts, DOCUMENTS, 0};
    tokenizer_cache_destroy(cache);
}

static struct train_options options_of(size_t names, double bylines) {
    struct train_options options = train_options_default();
    options.steps = STEPS;
    options.batch = 4;
    options.time = TIME;
    options.threads = 1;
    options.warmup_steps = 10;
    options.learning_rate = 4e-3;
    options.names.count = names;
    options.names.bylines = bylines;
    return options;
}

static void make_untrained(struct world *w) {
    static const double COUNTS[LABELS] = {1, 1, 1, 1};
    struct error error;
    struct slots slots = {0};
    struct tokenizer *tokenizer = make_tokenizer();
    *w = (struct world){0};
    assert_int_equal(slots_add_categorical(&slots, "author", 8, NAMES, COUNTS, LABELS, &error), 0);
    struct config config = {.vocabulary = tokenizer_vocabulary_size(tokenizer),
                            .width = 32,
                            .blocks = 2,
                            .split = 1,
                            .heads = 2,
                            .key_value_heads = 1,
                            .head_width = 16,
                            .inner = 48,
                            .context = TIME,
                            .ngram_orders = 3,
                            .ngram_rows = 1024,
                            .rope_base = 10000,
                            .epsilon = 1e-5};
    assert_int_equal(model_create(&w->model, config, &slots, tokenizer, PRECISION_REAL, 7, &error),
                     0);
    make_documents(w);
}

static void train(struct world *w, const struct train_options *options, size_t from, size_t to,
                  const char *state) {
    struct error error;
    struct trainer *trainer;
    struct train_report report;
    assert_int_equal(trainer_create(&trainer, w->model, &w->dataset, options, &error), 0);
    if (from > 0)
        assert_int_equal(trainer_restore(trainer, state, &error), 0);
    for (size_t i = from; i < to; i++)
        assert_int_equal(trainer_step(trainer, &report, &error), 0);
    if (state != NULL)
        assert_int_equal(trainer_save(trainer, state, &error), 0);
    trainer_destroy(trainer);
}

/* A model after so many steps with so many names a step. */
static void make_world(struct world *w, size_t names, double bylines, size_t steps) {
    struct train_options options = options_of(names, bylines);
    make_untrained(w);
    train(w, &options, 0, steps, NULL);
}

static void free_world(struct world *w) {
    for (size_t i = 0; i < DOCUMENTS; i++)
        free(w->tokens[i].ids);
    model_destroy(w->model);
}

/* Share of the variants that are resolved rightly, by the rules from..to-1. */
static double accuracy(const struct model *model, enum name_rule from, enum name_rule to) {
    struct name_titles titles = name_titles_default();
    struct name_facts facts = {&titles, 1850};
    struct error error;
    struct naming *naming;
    size_t right = 0, count = 0;
    assert_int_equal(naming_create(&naming, model, &error), 0);
    for (size_t label = 0; label < LABELS; label++)
        for (enum name_rule rule = from; rule < to; rule++) {
            char name[NAME_BYTES];
            double log_odds[LABELS];
            if (!naming_variant(&model->slots.slots[0], label, rule, 0, 1, &facts, name))
                continue;
            assert_int_equal(naming_resolve(naming, name, log_odds, &error), 0);
            right += slot_likeliest(&model->slots.slots[0], log_odds) == label;
            count++;
        }
    naming_destroy(naming);
    assert_true(count >= LABELS);
    return (double)right / (double)count;
}

static struct world taught, untaught;

static int start(void **state) {
    struct error error;
    struct name_titles titles = name_titles_default();
    (void)state;
    make_world(&taught, 8, 0.2, STEPS);
    make_world(&untaught, 0, 0.2, STEPS);
    return naming_calibrate(taught.model, &titles, &error);
}

static int stop(void **state) {
    (void)state;
    free_world(&taught);
    free_world(&untaught);
    return 0;
}

static void test_resolving(void **state) {
    (void)state;
    struct error error;
    struct naming *naming;
    assert_true(taught.model->slots.slots[0].naming > 0);
    double seen = accuracy(taught.model, NAME_FULL, NAME_FIRST_UNSEEN),
           unseen = accuracy(taught.model, NAME_FIRST_UNSEEN, NAME_RULES);
    assert_true(seen > 0.85);
    assert_true(unseen > 0.65);
    /* The control: the same steps without names. */
    assert_int_equal(naming_create(&naming, untaught.model, &error), -1);
    untaught.model->slots.slots[0].naming = 1;
    assert_true(accuracy(untaught.model, NAME_FULL, NAME_RULES) < 0.5);
    untaught.model->slots.slots[0].naming = 0;
}

static void test_writing(void **state) {
    (void)state;
    struct error error;
    struct naming *naming;
    struct slot_state *states;
    const struct slot *slot = &taught.model->slots.slots[0];
    size_t right = 0, spelt = 0;
    assert_int_equal(naming_create(&naming, taught.model, &error), 0);
    assert_int_equal(model_slot_states(taught.model, &states, &error), 0);
    for (size_t label = 0; label < LABELS; label++) {
        real mean[8];
        double log_odds[LABELS], sum = 0;
        char text[NAME_BYTES];
        memcpy(mean, states[0].points + label * slot->width, sizeof mean);
        assert_int_equal(naming_write(naming, mean, log_odds, &error), 0);
        for (size_t i = 0; i < LABELS; i++)
            sum += exp(log_odds[i]);
        assert_true(fabs(sum - 1) < 1e-9);
        right += slot_likeliest(&taught.model->slots.slots[0], log_odds) == label;
        assert_int_equal(naming_spell(naming, mean, NULL, text, &error), 0);
        spelt += strcmp(text, NAMES[label]) == 0;
    }
    assert_true(right >= 3);
    assert_true(spelt >= 2);
    slot_states_destroy(states, taught.model->slots.count);
    naming_destroy(naming);
}

/* Nobody's names are hardly ever taken for somebody. The control: with a sharp factor they are. */
static void test_strangers(void **state) {
    (void)state;
    enum { STRANGERS = 200 };
    struct error error;
    struct naming *naming;
    struct slot *slot = &taught.model->slots.slots[0];
    double fitted = slot->naming;
    size_t taken[2] = {0};
    assert_int_equal(naming_create(&naming, taught.model, &error), 0);
    for (int is_sharp = 0; is_sharp < 2; is_sharp++) {
        slot->naming = is_sharp ? 10 : fitted;
        for (size_t i = 0; i < STRANGERS; i++) {
            struct random random;
            char name[NAME_BYTES];
            double log_odds[LABELS];
            random_seed(&random, 0x57a, i);
            name_stranger(name, slot->labels[i % LABELS], &random);
            assert_int_equal(naming_resolve(naming, name, log_odds, &error), 0);
            taken[is_sharp] += exp(log_odds[slot_likeliest(slot, log_odds)]) >= NAMING_TAKEN;
        }
    }
    slot->naming = fitted;
    naming_destroy(naming);
    print_message("%zu and %zu of %d strangers are taken (factor %.3f)\n", taken[0], taken[1],
                  (int)STRANGERS, fitted);
    assert_true(taken[0] < STRANGERS / 20);
    assert_true(taken[1] > STRANGERS / 4);
}

/* A belief between two labels is named as the two of them are, not as the place between them. */
static void test_writing_a_belief(void **state) {
    (void)state;
    struct error error;
    struct naming *naming;
    struct slot_state *states;
    const struct slot *slot = &taught.model->slots.slots[0];
    real mean[8] = {0}, precision[8], one[8] = {0}, other[8] = {0};
    double log_odds[LABELS], belief[LABELS], of_one[LABELS], of_other[LABELS];
    assert_int_equal(naming_create(&naming, taught.model, &error), 0);
    assert_int_equal(model_slot_states(taught.model, &states, &error), 0);
    for (size_t d = 0; d < slot->width; d++) {
        one[d] = states[0].points[d];
        other[d] = states[0].points[slot->width + d];
        mean[d] = (one[d] + other[d]) / 2;
        precision[d] = 100;
    }
    slot_posterior(slot, states[0].points, states[0].sigma, mean, precision, 0, belief);
    assert_int_equal(naming_write(naming, one, of_one, &error), 0);
    assert_int_equal(naming_write(naming, other, of_other, &error), 0);
    assert_int_equal(naming_write_belief(naming, mean, precision, 0, log_odds, &error), 0);
    double known = exp(belief[0]) + exp(belief[1]);
    for (size_t i = 0; i < LABELS; i++) {
        double least = exp(belief[0] + of_one[i]) + exp(belief[1] + of_other[i]);
        assert_true(exp(log_odds[i]) > least - 1e-6);
        assert_true(exp(log_odds[i]) < least + 1 - known + 1e-6);
    }
    assert_true(known > 0.5); /* or these bounds say little */
    slot_states_destroy(states, taught.model->slots.count);
    naming_destroy(naming);
}

static void test_telling(void **state) {
    (void)state;
    struct error error;
    struct handle handle;
    struct naming_note note;
    assert_int_equal(handle_create(&handle, taught.model, &error), 0);
    assert_int_equal(naming_tell(&handle, "author", "Bob Oliver Baker", &note, &error), 0);
    assert_string_equal(note.text, "");
    assert_int_equal(naming_tell(&handle, "author", "baker", &note, &error), 0);
    assert_string_equal(note.text, "");
    assert_int_equal(naming_tell(&handle, "author", "Baker, Bob Oliver", &note, &error), 0);
    assert_non_null(strstr(note.text, "taken for Bob Oliver Baker (0."));
    assert_string_equal(handle.source[0], "Bob Oliver Baker");
    assert_int_equal(naming_tell(&handle, "author", "two\nlines", &note, &error), -1);
    assert_int_equal(naming_tell(&handle, "party", "Whig", &note, &error), -1);
    handle_free(&handle);
    /* Without names: what handle_tell says. */
    assert_int_equal(handle_create(&handle, untaught.model, &error), 0);
    assert_int_equal(naming_tell(&handle, "author", "Baker, Bob Oliver", &note, &error), -1);
    assert_non_null(strstr(error.message, "knows no 'Baker, Bob Oliver'"));
    handle_free(&handle);
}

/* A model whose numbers overflow knows nobody; least of all is it sure. */
static void test_no_numbers(void **state) {
    (void)state;
    struct world w;
    struct error error;
    struct handle handle;
    struct naming_note note;
    make_untrained(&w);
    w.model->slots.slots[0].naming = 1;
    for (size_t i = 0; i < w.model->layout.slots; i++)
        w.model->values[i] = NAN;
    assert_int_equal(handle_create(&handle, w.model, &error), 0);
    assert_int_equal(naming_tell(&handle, "author", "Baker, Bob Oliver", &note, &error), -1);
    assert_non_null(strstr(error.message, "not clear"));
    assert_false(handle.is_told[0]);
    handle_free(&handle);
    free_world(&w);
}

/* log p(label) of a text that is one token sequence. */
static double read_label(const struct model *model, const uint32_t *tokens, size_t count,
                         size_t label) {
    struct error error;
    struct pass *pass;
    struct slot_state *states;
    struct weights weights = model_weights(model);
    int32_t padded[TIME] = {0};
    double log_odds[LABELS];
    for (size_t i = 0; i < count; i++)
        padded[i] = (int32_t)tokens[i];
    assert_int_equal(pass_create(&pass, &weights, 1, TIME, 0, &error), 0);
    assert_int_equal(model_slot_states(model, &states, &error), 0);
    pass_read(pass, padded, &(struct pass_handle){0});
    size_t at = (count - 1) * model->config.latent_width;
    slot_posterior(&model->slots.slots[0], states[0].points, states[0].sigma, pass_mean(pass) + at,
                   pass_precision(pass) + at, 0, log_odds);
    slot_states_destroy(states, model->slots.count);
    pass_destroy(pass);
    return log_odds[label];
}

/* Text that says little of who wrote it, with one's byline before it, and with another's. */
static void test_byline(void **state) {
    (void)state;
    struct error error;
    struct tokenizer_cache *cache;
    struct token_list list = {0};
    double gain = 0;
    assert_int_equal(tokenizer_cache_create(&cache, &error), 0);
    for (size_t label = 0; label < LABELS; label++) {
        double log_p[2];
        for (size_t k = 0; k < 2; k++) {
            assert_int_equal(byline_document(taught.model->tokenizer, cache,
                                             NAMES[(label + k) % LABELS], &list, NULL, &error),
                             0);
            tokenizer_encode(taught.model->tokenizer, cache, "the ", 4, &list, &error);
            log_p[k] = read_label(taught.model, list.ids, list.count, label);
        }
        gain += (log_p[0] - log_p[1]) / LABELS;
    }
    assert_true(gain > 1);
    free(list.ids);
    tokenizer_cache_destroy(cache);
}

/* Nothing changes where names are not asked for. */
static void test_off(void **state) {
    (void)state;
    struct world one, other, named;
    make_world(&one, 0, 0, 5);
    make_world(&other, 0, 0.9, 5);
    make_world(&named, 8, 0.9, 5);
    size_t bytes = one.model->layout.count * sizeof(real);
    assert_memory_equal(one.model->values, other.model->values, bytes);
    assert_true(memcmp(one.model->values, named.model->values, bytes) != 0);
    free_world(&one);
    free_world(&other);
    free_world(&named);
}

/* Lessons depend on the seed and the step alone, also where two threads share them. */
static void test_resumed(void **state) {
    (void)state;
    struct world whole, parts;
    struct train_options options = options_of(8, 0.5);
    char path[] = "/tmp/trine-naming-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    options.threads = 2;
    make_untrained(&whole);
    make_untrained(&parts);
    train(&whole, &options, 0, 6, NULL);
    train(&parts, &options, 0, 3, path);
    train(&parts, &options, 3, 6, path);
    assert_memory_equal(whole.model->values, parts.model->values,
                        whole.model->layout.count * sizeof(real));
    unlink(path);
    free_world(&whole);
    free_world(&parts);
}

/* However many labels there are, the factor is fitted on every rule alike, on no variant twice, and
 * on every label while they are few enough. */
static void test_fit_pick(void **state) {
    enum { MOST = 1200 };
    static uint8_t taken[MOST][NAME_RULES];
    (void)state;
    for (size_t labels = 1; labels < MOST; labels++) {
        size_t rules[NAME_RULES] = {0}, seen = 0, k = 0, label;
        enum name_rule rule;
        memset(taken, 0, sizeof taken);
        for (; naming_fit_pick(labels, k, &label, &rule); k++) {
            assert_true(label < labels && !taken[label][rule]);
            seen += !taken[label][NAME_FULL];
            taken[label][NAME_FULL] = taken[label][rule] = 1;
            rules[rule]++;
        }
        assert_true(seen == (labels < k ? labels : k));
        for (rule = NAME_INITIAL; rule < NAME_FIRST_UNSEEN; rule++)
            assert_in_range(rules[rule], k / 10, k / 10 + 1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resolving), cmocka_unit_test(test_writing),
        cmocka_unit_test(test_strangers), cmocka_unit_test(test_writing_a_belief),
        cmocka_unit_test(test_telling),   cmocka_unit_test(test_byline),
        cmocka_unit_test(test_off),       cmocka_unit_test(test_resumed),
        cmocka_unit_test(test_fit_pick),  cmocka_unit_test(test_no_numbers),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
