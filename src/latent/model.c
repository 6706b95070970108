#include "latent/model.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "latent/conditions.h"

/* Normal(0, 0.02) everywhere, residual outputs shrunk by sqrt(2L) (Radford et al. 2019), gains
 * one, W_l zero; the precision logits start low, so that an untrained reader adds little. */
static void initialise(struct model *model, uint64_t seed) {
    const struct config *c = &model->config;
    struct tensor_place tensors[MAXIMUM_TENSORS];
    size_t count;
    layout_make(&model->layout, c, tensors, &count);
    double shrink = 1 / sqrt(2.0 * (double)c->blocks);
    for (size_t i = 0; i < count; i++) {
        const struct tensor_place *tensor = &tensors[i];
        real *values = model->values + tensor->offset;
        size_t size = (tensor->rows > 0 ? tensor->rows : 1) * tensor->columns;
        int is_gain = strstr(tensor->name, "norm.weight") != NULL;
        int is_zero = strstr(tensor->name, ".latent.") != NULL ||
                      strstr(tensor->name, ".lora_b") != NULL ||
                      strcmp(tensor->name, "evidence.bias") == 0;
        int is_residual =
            strstr(tensor->name, "attn_output") != NULL || strstr(tensor->name, "ffn_down") != NULL;
        struct random random;
        random_seed(&random, seed, tensor->offset);
        for (size_t j = 0; j < size; j++)
            values[j] = is_gain ? 1
                        : is_zero
                            ? 0
                            : (real)(0.02 * random_normal(&random) * (is_residual ? shrink : 1));
    }
    if (c->latent_width == 0)
        return;
    for (size_t d = 0; d < c->latent_width; d++)
        model->values[model->layout.evidence_bias + d] = -4;
    slots_initialise(&model->slots, model->values + model->layout.slots, seed);
}

static int create(struct model **out, struct checkpoint *base, struct config config,
                  struct slots *slots, struct tokenizer *tokenizer, enum precision precision,
                  uint64_t seed, struct error *error) {
    *out = NULL;
    config.latent_width = slots->latent_width;
    config.slot_parameters = slots->parameter_count;
    if (config.latent_width == 0)
        config.ngram_orders = config.ngram_rows = 0;
    if (config_check(&config, error))
        return -1;
#ifdef TRINE_F64
    precision = PRECISION_REAL;
#endif
    if (precision == PRECISION_BF16 && !matmul_has_bf16())
        precision = PRECISION_REAL;
    struct model *model = memory_allocate(1, sizeof *model, error);
    if (model == NULL)
        return -1;
    model->config = config;
    model->precision = precision;
    layout_make(&model->layout, &config, NULL, NULL);
    model->values = memory_allocate(model->layout.count, sizeof(real), error);
    if (model->values != NULL)
        model->operands = precision == PRECISION_BF16
                              ? memory_allocate(model->layout.count, 2, error)
                              : model->values;
    if (model->operands != NULL)
        model->ngrams = memory_allocate(config_ngram_count(&config), sizeof(real), error);
    if (model->ngrams == NULL) {
        model_destroy(model);
        return -1;
    }
    model->slots = *slots;
    *slots = (struct slots){0};
    model->tokenizer = tokenizer;
    model->base = base;
    initialise(model, seed);
    model_refresh_operands(model);
    *out = model;
    return 0;
}

int model_create(struct model **out, struct config config, struct slots *slots,
                 struct tokenizer *tokenizer, enum precision precision, uint64_t seed,
                 struct error *error) {
    config.has_base = 0;
    return create(out, NULL, config, slots, tokenizer, precision, seed, error);
}

int model_create_on(struct model **out, struct checkpoint *base, struct config config,
                    struct slots *slots, struct tokenizer *tokenizer, enum precision precision,
                    uint64_t seed, struct error *error) {
    struct config own = base->config;
    own.context = config.context > 0 ? config.context : own.context;
    own.split = config.split > 0 ? config.split : own.split;
    own.ngram_orders = config.ngram_orders;
    own.ngram_rows = config.ngram_rows;
    own.adapter_rank = config.adapter_rank;
    own.adapter_first = config.adapter_first;
    own.adapter_targets = config.adapter_targets;
    own.adapter_scale = config.adapter_scale;
    *out = NULL;
    if (own.context > base->config.context)
        return error_set(error, "pieces of %zu tokens do not fit the base's context of %zu",
                         own.context, base->config.context);
    return create(out, base, own, slots, tokenizer, precision, seed, error);
}
void model_destroy(struct model *model) {
    if (model == NULL)
        return;
    if (model->operands != model->values)
        memory_free(model->operands);
    memory_free(model->values);
    memory_free(model->ngrams);
    conditions_destroy(model->conditions);
    slots_free(&model->slots);
    tokenizer_destroy(model->tokenizer);
    checkpoint_close(model->base);
    memory_free(model);
}

void model_refresh_operands(struct model *model) {
    if (model->operands != model->values)
        operand_store(model->operands, model->values, model->layout.count, model->precision);
}

struct weights model_weights(const struct model *model) {
    return (struct weights){.config = &model->config,
                            .layout = &model->layout,
                            .precision = model->precision,
                            .values = model->values,
                            .operands = model->operands,
                            .ngrams = model->ngrams,
                            .base = model->base,
                            .batcher = model->batcher};
}

const real *model_slot_parameters(const struct model *model) {
    return model->values + model->layout.slots;
}

int model_slot_states(const struct model *model, struct slot_state **states, struct error *error) {
    size_t count = model->slots.count;
    *states = memory_allocate(count, sizeof **states, error);
    if (*states == NULL)
        return -1;
    for (size_t s = 0; s < count; s++) {
        const struct slot *slot = &model->slots.slots[s];
        (*states)[s].points = memory_allocate(slot->point_count * slot->width, sizeof(real), error);
        (*states)[s].sigma = memory_allocate(slot->width, sizeof(real), error);
        if ((*states)[s].points == NULL || (*states)[s].sigma == NULL) {
            slot_states_destroy(*states, count);
            *states = NULL;
            return -1;
        }
    }
    model_update_slot_states(model, *states);
    return 0;
}

void model_update_slot_states(const struct model *model, struct slot_state *states) {
    for (size_t s = 0; s < model->slots.count; s++) {
        slot_points(&model->slots.slots[s], model_slot_parameters(model), states[s].points);
        slot_spread(&model->slots.slots[s], model_slot_parameters(model), states[s].sigma);
    }
}

void slot_states_destroy(struct slot_state *states, size_t count) {
    if (states == NULL)
        return;
    for (size_t s = 0; s < count; s++) {
        memory_free(states[s].points);
        memory_free(states[s].sigma);
    }
    memory_free(states);
}
