#include <stdlib.h>

#include "file/safetensors.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct safetensors *file;
    struct error error;
    if (safetensors_open_memory(&file, data, size, "fuzz", &error))
        return 0;
    for (size_t i = 0; i < safetensors_count(file); i++) {
        const struct safetensors_tensor *tensor = safetensors_at(file, i);
        float *values = malloc(tensor->element_count * sizeof *values + 1);
        if (values != NULL)
            safetensors_read_floats(tensor, values, &error);
        free(values);
    }
    safetensors_close(file);
    return 0;
}
