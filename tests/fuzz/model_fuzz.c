#include "fuzz/fuzz.h"
#include "latent/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct model *model;
    struct error error;
    char path[64];
    int descriptor = fuzz_file(path, data, size);
    if (descriptor >= 0 && model_load(&model, path, PRECISION_REAL, &error) == 0)
        model_destroy(model);
    if (descriptor >= 0)
        close(descriptor);
    return 0;
}
