/* Weights that were read must also run: three tokens, on what is small enough. */
#ifndef TRINE_TESTS_FUZZ_DECODE_H
#define TRINE_TESTS_FUZZ_DECODE_H

#include "model/checkpoint.h"
#include "model/decoder.h"

static inline void fuzz_decode(const struct weights *weights) {
    struct error error;
    struct decoder *decoder;
    struct decoder_options options = {.context = 8, .threads = 1};
    const struct config *c = weights->config;
    if (c->width * c->blocks > 4096 || c->vocabulary > 4096 || c->inner > 4096)
        return; /* takes its time, and nothing else */
    if (decoder_create(&decoder, weights, &options, &error))
        return;
    for (uint32_t token = 0; token < 3 && token < c->vocabulary; token++)
        decoder_step(decoder, token);
    decoder_destroy(decoder);
}

static inline void fuzz_decode_checkpoint(const struct checkpoint *checkpoint) {
    struct layout layout;
    const struct config *c = &checkpoint->config;
    layout_make(&layout, c, NULL, NULL);
    struct weights weights = {
        .config = c, .layout = &layout, .precision = PRECISION_REAL, .base = checkpoint};
    fuzz_decode(&weights);
}

#endif
