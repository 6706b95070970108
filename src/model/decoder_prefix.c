/* What a prompt may take over from a text that was read before: the cache and the running handle
 * after whole blocks of tokens, which were read as prompts are, so that nothing differs in a bit.
 * The batcher's thread alone comes here. */
#include <string.h>

#include "model/decoder_machine.h"

/* As the decoder was just started: [4,Z]. */
static void start_of(const struct decoder *d, real *start) {
    size_t width = d->weights.config->latent_width;
    const real *parts[] = {d->told, d->told_mask, d->precision, d->information};
    for (size_t i = 0; i < 4; i++)
        memcpy(start + i * width, parts[i], width * sizeof *start);
}

static int starts_alike(const struct decoder *d, const struct decoder *other) {
    size_t width = d->weights.config->latent_width, bytes = width * sizeof(real);
    return d->weights.overlay == other->weights.overlay &&
           memcmp(d->told, other->start, bytes) == 0 &&
           memcmp(d->told_mask, other->start + width, bytes) == 0 &&
           memcmp(d->precision, other->start + 2 * width, bytes) == 0 &&
           memcmp(d->information, other->start + 3 * width, bytes) == 0;
}

size_t decoder_common_prefix(const struct decoder *d, const struct decoder *other,
                             const uint32_t *tokens, size_t count) {
    size_t common = 0, most = count > 0 ? count - 1 : 0; /* the last token's logits are wanted */
    most = most < other->prefix ? most : other->prefix;
    most = most < d->context ? most : d->context;
    while (common < most && other->history[common] == tokens[common])
        common++;
    common = common / PREFIX_BLOCK * PREFIX_BLOCK;
    return common > 0 && starts_alike(d, other) ? common : 0;
}

static void copy_cache(struct decoder *d, const struct decoder *other, size_t count) {
    const struct config *c = d->weights.config;
    size_t row = c->key_value_heads * c->head_width *
                 (d->machine->cache_is_real ? sizeof(real) : sizeof(uint16_t));
    for (size_t l = 0; l < c->blocks; l++) {
        size_t to = l * d->context * row, from = l * other->context * row;
        memcpy((char *)d->keys + to, (const char *)other->keys + from, count * row);
        memcpy((char *)d->values + to, (const char *)other->values + from, count * row);
    }
}

void decoder_take_prefix(struct decoder *d, const struct decoder *other, size_t count) {
    size_t width = d->weights.config->latent_width, bytes = width * sizeof(real);
    if (count > 0 && other != d) {
        copy_cache(d, other, count);
        memcpy(d->history, other->history, count * sizeof *d->history);
        memcpy(d->snapshots, other->snapshots, count / PREFIX_BLOCK * 3 * bytes);
    }
    start_of(d, d->start);
    d->prefix = d->position = count;
    if (count == 0)
        return;
    const real *at = d->snapshots + (count / PREFIX_BLOCK - 1) * 3 * width;
    memcpy(d->precision, at, bytes);
    memcpy(d->information, at + width, bytes);
    memcpy(d->mean, at + 2 * width, bytes);
}
