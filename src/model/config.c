#include "model/config.h"

#include <stdarg.h>
#include <stdio.h>

static int in_range(const char *what, size_t value, size_t low, size_t high, struct error *error) {
    if (value >= low && value <= high)
        return 0;
    return error_set(error, "model size %s = %zu is outside %zu..%zu", what, value, low, high);
}

int config_check(const struct config *c, struct error *error) {
    if (in_range("vocabulary", c->vocabulary, 2, 1 << 20, error) ||
        in_range("width", c->width, 1, 1 << 15, error) ||
        in_range("blocks", c->blocks, 1, MAXIMUM_BLOCKS, error) ||
        in_range("heads", c->heads, 1, 1024, error) ||
        in_range("key_value_heads", c->key_value_heads, 1, c->heads, error) ||
        in_range("head_width", c->head_width, 2, 1024, error) ||
        in_range("inner", c->inner, 1, 1 << 17, error) ||
        in_range("context", c->context, 1, 1 << 20, error) ||
        in_range("split", c->split, 1, c->blocks, error) ||
        in_range("latent_width", c->latent_width, 0, 4096, error) ||
        in_range("ngram_orders", c->ngram_orders, 0, MAXIMUM_NGRAM_ORDERS, error) ||
        in_range("ngram_rows", c->ngram_rows, c->ngram_orders > 0 ? 1 : 0, 1 << 24, error) ||
        in_range("slot_parameters", c->slot_parameters, 0, 1 << 28, error) ||
        in_range("adapter_rank", c->adapter_rank, 0, c->has_base ? MAXIMUM_RANK : 0, error) ||
        in_range("adapter_first", c->adapter_first, 0, c->blocks, error) ||
        in_range("adapter_targets", c->adapter_targets, 0, (1 << ADAPTER_TARGETS) - 1, error))
        return -1;
    if (!(c->adapter_scale >= 0 && c->adapter_scale <= 1000))
        return error_set(error, "an adapter's scale of %g makes no sense", c->adapter_scale);
    if (c->heads % c->key_value_heads != 0)
        return error_set(error, "%zu heads cannot share %zu key/value heads evenly", c->heads,
                         c->key_value_heads);
    if (c->head_width % 2 != 0)
        return error_set(error, "the head width %zu must be even for rotary positions",
                         c->head_width);
    if (!(c->rope_base > 1 && c->rope_base < 1e9) || !(c->epsilon > 0 && c->epsilon < 1))
        return error_set(error, "rope_base %g or epsilon %g makes no sense", c->rope_base,
                         c->epsilon);
    return 0;
}

/* Hands out consecutive places, and notes them when a list is wanted. */
struct builder {
    size_t at, count;
    struct tensor_place *tensors;
};

__attribute__((format(printf, 4, 5))) static size_t place(struct builder *b, size_t rows,
                                                          size_t columns, const char *format, ...) {
    size_t offset = b->at;
    /* Rows of vectors start on cache lines. */
    b->at += ((rows == 0 ? 1 : rows) * columns + 15) / 16 * 16;
    if (b->tensors != NULL) {
        struct tensor_place *tensor = &b->tensors[b->count++];
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(tensor->name, sizeof tensor->name, format, arguments);
        va_end(arguments);
        tensor->offset = offset;
        tensor->rows = rows;
        tensor->columns = columns;
    }
    return offset;
}

void config_target_size(const struct config *c, enum adapter_target target, size_t *in,
                        size_t *out) {
    size_t attention = c->heads * c->head_width;
    *in = target == ADAPT_ATTENTION_OUT ? attention : target == ADAPT_DOWN ? c->inner : c->width;
    *out = target == ADAPT_QKV       ? attention + 2 * c->key_value_heads * c->head_width
           : target == ADAPT_GATE_UP ? 2 * c->inner
                                     : c->width;
}

int config_is_adapted(const struct config *c, size_t l, enum adapter_target target) {
    return c->has_base && c->adapter_rank > 0 && l >= c->adapter_first &&
           (c->adapter_targets >> target & 1) != 0;
}

const char *adapter_target_name(enum adapter_target target) {
    static const char *const NAMES[ADAPTER_TARGETS] = {"attn_qkv", "attn_output", "ffn_gate_up",
                                                       "ffn_down"};
    return NAMES[target];
}

static void place_adapters(struct builder *b, const struct config *c, struct block_layout *block,
                           size_t l) {
    for (int target = 0; target < ADAPTER_TARGETS; target++) {
        size_t in, out;
        if (!config_is_adapted(c, l, (enum adapter_target)target))
            continue;
        config_target_size(c, (enum adapter_target)target, &in, &out);
        block->adapters[target].a = place(b, c->adapter_rank, in, "blk.%zu.%s.lora_a", l,
                                          adapter_target_name((enum adapter_target)target));
        block->adapters[target].b = place(b, out, c->adapter_rank, "blk.%zu.%s.lora_b", l,
                                          adapter_target_name((enum adapter_target)target));
    }
}

static void place_block(struct builder *b, const struct config *c, struct block_layout *block,
                        size_t l) {
    size_t attention = c->heads * c->head_width;
    size_t packed = attention + 2 * c->key_value_heads * c->head_width;
    if (c->has_base) {
        place_adapters(b, c, block, l);
    } else {
        block->attention_norm = place(b, 0, c->width, "blk.%zu.attn_norm.weight", l);
        block->qkv = place(b, packed, c->width, "blk.%zu.attn_qkv.weight", l);
        block->attention_out = place(b, c->width, attention, "blk.%zu.attn_output.weight", l);
        block->feed_norm = place(b, 0, c->width, "blk.%zu.ffn_norm.weight", l);
        block->gate_up = place(b, 2 * c->inner, c->width, "blk.%zu.ffn_gate_up.weight", l);
        block->down = place(b, c->width, c->inner, "blk.%zu.ffn_down.weight", l);
    }
    if (c->latent_width > 0 && l >= c->split)
        block->injection = place(b, c->width, c->latent_width, "blk.%zu.latent.weight", l);
}

void layout_make(struct layout *layout, const struct config *c, struct tensor_place *tensors,
                 size_t *tensor_count) {
    struct builder b = {.tensors = tensors};
    *layout = (struct layout){0};
    if (!c->has_base)
        layout->embedding = place(&b, c->vocabulary, c->width, "token_embd.weight");
    for (size_t l = 0; l < c->blocks; l++)
        place_block(&b, c, &layout->blocks[l], l);
    if (!c->has_base)
        layout->final_norm = place(&b, 0, c->width, "output_norm.weight");
    layout->latent_start = b.at;
    if (c->latent_width > 0) {
        layout->evidence_norm = place(&b, 0, c->width, "evidence_norm.weight");
        layout->evidence_weight = place(&b, 2 * c->latent_width, c->width, "evidence.weight");
        layout->evidence_bias = place(&b, 0, 2 * c->latent_width, "evidence.bias");
        layout->slots = place(&b, 0, c->slot_parameters, "slots.parameters");
    }
    layout->count = b.at;
    if (tensor_count != NULL)
        *tensor_count = b.count;
}

size_t config_ngram_count(const struct config *c) {
    return c->latent_width == 0 ? 0 : c->ngram_orders * c->ngram_rows * c->latent_width;
}

size_t config_inner_parameter_count(const struct config *c) {
    struct config own = *c;
    struct layout layout;
    own.has_base = 0;
    layout_make(&layout, &own, NULL, NULL);
    return layout.latent_start - c->vocabulary * c->width;
}
