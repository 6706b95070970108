/* A checkpoint that opens must also run. */
#include "base/memory.h"
#include "fuzz/fuzz.h"
#include "model/checkpoint.h"
#include "model/decoder.h"

static void run(struct checkpoint *checkpoint) {
    struct error error;
    struct layout layout;
    struct decoder *decoder;
    const struct config *c = &checkpoint->config;
    struct decoder_options options = {.context = 8, .threads = 1};
    if (c->width * c->blocks > 4096 || c->vocabulary > 4096 || c->inner > 4096)
        return; /* takes its time, and nothing else */
    layout_make(&layout, c, NULL, NULL);
    struct weights weights = {
        .config = c, .layout = &layout, .precision = PRECISION_REAL, .base = checkpoint};
    if (decoder_create(&decoder, &weights, &options, &error))
        return;
    for (uint32_t token = 0; token < 3 && token < c->vocabulary; token++)
        decoder_step(decoder, token);
    decoder_destroy(decoder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct checkpoint *checkpoint;
    struct error error;
    char path[64];
    int descriptor = fuzz_file(path, data, size);
    if (descriptor >= 0 && checkpoint_open(&checkpoint, NULL, path, &error) == 0) {
        run(checkpoint);
        checkpoint_close(checkpoint);
    }
    if (descriptor >= 0)
        close(descriptor);
    return 0;
}
