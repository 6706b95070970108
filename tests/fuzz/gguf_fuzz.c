/* GGUF: every value of every kind under a few names, and every tensor as floats. */
#include <stdlib.h>

#include "base/memory.h"
#include "file/gguf.h"
#include "fuzz/fuzz.h"

static void read_key(const struct gguf *file, const char *key) {
    struct error error;
    uint32_t u;
    uint64_t w;
    float f;
    double d;
    bool b;
    struct gguf_string s, *strings;
    uint32_t *us;
    int32_t *is;
    float *fs;
    double *ds;
    size_t count;
    gguf_get_u32(file, key, &u, &error);
    gguf_get_u64(file, key, &w, &error);
    gguf_get_f32(file, key, &f, &error);
    gguf_get_f64(file, key, &d, &error);
    gguf_get_bool(file, key, &b, &error);
    gguf_get_string(file, key, &s, &error);
    if (gguf_get_u32_array(file, key, &us, &count, &error) == 0)
        memory_free(us);
    if (gguf_get_i32_array(file, key, &is, &count, &error) == 0)
        memory_free(is);
    if (gguf_get_f32_array(file, key, &fs, &count, &error) == 0)
        memory_free(fs);
    if (gguf_get_f64_array(file, key, &ds, &count, &error) == 0)
        memory_free(ds);
    if (gguf_get_string_array(file, key, &strings, &count, &error) == 0)
        memory_free(strings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const KEYS[] = {"general.architecture", "llama.block_count",
                                       "tokenizer.ggml.tokens", "tokenizer.ggml.merges"};
    struct gguf *file;
    struct error error;
    if (gguf_open_memory(&file, data, size, "fuzz", &error))
        return 0;
    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++)
        read_key(file, KEYS[i]);
    for (size_t i = 0; i < gguf_tensor_count(file); i++) {
        const struct gguf_tensor *tensor = gguf_tensor_at(file, i);
        float *values = tensor->element_count < 1 << 20
                            ? malloc(tensor->element_count * sizeof *values + 1)
                            : NULL;
        if (values != NULL)
            gguf_read_floats(tensor, values, &error);
        free(values);
    }
    gguf_close(file);
    return 0;
}
