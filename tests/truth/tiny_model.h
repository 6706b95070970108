#ifndef TRINE_TESTS_TRUTH_TINY_MODEL_H
#define TRINE_TESTS_TRUTH_TINY_MODEL_H

#include "base/random.h"
#include "cmocka_all.h"
#include "latent/model.h"
#include "latent/place.h"
#include "text/tokenizer_train.h"

/* A random little model of three authors and a century, and of the places of a cap unless that is
 * NULL, whose vocabulary tells the answers to questions apart. */
static inline struct model *tiny_model_with_places(const struct cap *cap) {
    static const char *const NAMES[] = {"Ann Lee", "Bob Lee", "Cyd"};
    static const double COUNTS[] = {3, 2, 1};
    static const char TEXTS[] = " true false uncertain correct wrong unclear true false uncertain "
                                "correct wrong unclear the fox is quick";
    struct error error;
    struct slots slots = {0};
    struct tokenizer_trainer *trainer;
    struct tokenizer *tokenizer;
    struct model *model;
    assert_int_equal(tokenizer_trainer_create(&trainer, &error), 0);
    assert_int_equal(tokenizer_trainer_add(trainer, TEXTS, sizeof TEXTS - 1, &error), 0);
    assert_int_equal(tokenizer_trainer_finish(trainer, 300, &tokenizer, &error), 0);
    tokenizer_trainer_destroy(trainer);
    assert_int_equal(slots_add_categorical(&slots, "author", 6, NAMES, COUNTS, 3, &error), 0);
    assert_int_equal(slots_add_date(&slots, "date", 4, 1800, 1900, &error), 0);
    if (cap != NULL)
        assert_int_equal(slots_add_place_cap(&slots, "place", 4, cap, &error), 0);
    struct config config = {.vocabulary = tokenizer_vocabulary_size(tokenizer),
                            .width = 16,
                            .blocks = 3,
                            .split = 1,
                            .heads = 2,
                            .key_value_heads = 1,
                            .head_width = 8,
                            .inner = 24,
                            .context = 64,
                            .ngram_orders = 2,
                            .ngram_rows = 64,
                            .rope_base = 10000,
                            .epsilon = 1e-5};
    if (model_create(&model, config, &slots, tokenizer, PRECISION_BF16, 7, &error))
        fail_msg("%s", error.message);
    /* Injections start at zero; handles must matter here. */
    struct random random;
    random_seed(&random, 5, 0);
    for (size_t i = 0; i < model->layout.count; i++)
        model->values[i] += (real)(0.05 * random_normal(&random));
    model_refresh_operands(model);
    return model;
}

static struct model *tiny_model(void) {
    return tiny_model_with_places(NULL);
}

#endif
