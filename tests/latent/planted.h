/* A little model whose authors follow their dates, for the tests of what is made of them. */
#ifndef TRINE_TESTS_LATENT_PLANTED_H
#define TRINE_TESTS_LATENT_PLANTED_H

#include "base/random.h"
#include "cmocka_all.h"
#include "latent/conditions.h"
#include "latent/handle.h"
#include "text/tokenizer_train.h"

enum { AUTHORS = 24, AUTHOR_WIDTH = 5 };

/* Author i wrote around years[i], from 1800 to 1960; its vector is a smooth function of that and
 * some noise. Of two dates and a party the conditions are in the model; author 3 has no party. */
static inline struct model *planted_model(double *years) {
    static const char *const PARTIES[] = {"left", "right"};
    char names[AUTHORS][8];
    const char *labels[AUTHORS];
    double counts[AUTHORS];
    struct error error;
    struct slots slots = {0};
    struct tokenizer_trainer *trainer;
    struct tokenizer *tokenizer;
    struct model *model;
    for (size_t i = 0; i < AUTHORS; i++) {
        snprintf(names[i], sizeof names[i], "a%02zu", i);
        labels[i] = names[i];
        counts[i] = 1 + (double)(i % 3);
        years[i] = 1800 + 160 * (double)i / (AUTHORS - 1);
    }
    assert_int_equal(tokenizer_trainer_create(&trainer, &error), 0);
    assert_int_equal(tokenizer_trainer_add(trainer, "the cat and the dog", 19, &error), 0);
    assert_int_equal(tokenizer_trainer_finish(trainer, 260, &tokenizer, &error), 0);
    tokenizer_trainer_destroy(trainer);
    assert_int_equal(
        slots_add_categorical(&slots, "author", AUTHOR_WIDTH, labels, counts, AUTHORS, &error), 0);
    assert_int_equal(slots_add_date(&slots, "date", 4, 1800, 1960, &error), 0);
    assert_int_equal(slots_add_categorical(&slots, "party", 2, PARTIES, counts, 2, &error), 0);
    struct config config = {.vocabulary = tokenizer_vocabulary_size(tokenizer),
                            .width = 16,
                            .blocks = 2,
                            .split = 1,
                            .heads = 2,
                            .key_value_heads = 1,
                            .head_width = 8,
                            .inner = 24,
                            .context = 16,
                            .ngram_orders = 2,
                            .ngram_rows = 64,
                            .rope_base = 10000,
                            .epsilon = 1e-5};
    assert_int_equal(model_create(&model, config, &slots, tokenizer, PRECISION_REAL, 7, &error), 0);
    struct random random;
    random_seed(&random, 11, 0);
    assert_int_equal(conditions_create(&model->conditions, model, 0, &error), 0);
    const struct slot *author = &model->slots.slots[0], *date = &model->slots.slots[1];
    real *parameters = model->values + model->layout.slots, point[MAXIMUM_SLOT_WIDTH];
    for (size_t i = 0; i < AUTHORS; i++) {
        real *vector = parameters + author->parameters + author->width + i * author->width;
        float *documents = model->conditions->documents + i * 3;
        float *means = model->conditions->means + i * model->config.latent_width;
        for (size_t d = 0; d < AUTHOR_WIDTH; d++)
            vector[d] =
                (real)(cos((years[i] - 1800) / 50 + (double)d) + 0.1 * random_normal(&random));
        slot_date_point(date, parameters, years[i], point);
        documents[0] = documents[1] = (float)counts[i];
        documents[2] = i == 3 ? 0 : (float)counts[i];
        for (size_t d = 0; d < date->width; d++)
            means[date->first + d] = (float)point[d];
        for (size_t d = 0; i != 3 && d < 2; d++)
            means[model->slots.slots[2].first + d] = i % 2 == d ? 1 : -1;
    }
    return model;
}

#endif
