/* A layer over the model that FUZZ_MODEL names. */
#include <stdlib.h>

#include "fuzz/decode.h"
#include "fuzz/fuzz.h"
#include "latent/layer.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);

static struct model *model;

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    struct error error = {"FUZZ_MODEL names no model"};
    const char *path = getenv("FUZZ_MODEL");
    (void)argc;
    (void)argv;
    if (path != NULL && model_load(&model, path, PRECISION_REAL, &error) == 0)
        return 0;
    fprintf(stderr, "layer_fuzz: %s\n", error.message);
    exit(1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct layer *layer;
    struct error error;
    char path[64];
    int descriptor = fuzz_file(path, data, size);
    if (descriptor >= 0 && layer_load(&layer, model, path, &error) == 0) {
        struct weights weights = layer_weights(layer);
        fuzz_decode(&weights);
        layer_destroy(layer);
    }
    if (descriptor >= 0)
        close(descriptor);
    return 0;
}
