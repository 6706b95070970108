/* Fuzz target for the GGUF reader. With clang: -fsanitize=fuzzer -DTRINE_LIBFUZZER. Without it,
 * the main below replays the files it is given. */
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/memory.h"
#include "file/gguf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* Reads what the readers of models read. */
static void use(const struct gguf *file) {
    struct error error;
    uint32_t number;
    struct gguf_string string, *strings;
    size_t count;
    float *floats;
    gguf_get_u32(file, "llama.block_count", &number, &error);
    gguf_get_string(file, "general.architecture", &string, &error);
    if (gguf_get_string_array(file, "tokenizer.ggml.tokens", &strings, &count, &error) == 0)
        memory_free(strings);
    if (gguf_get_f32_array(file, "tokenizer.ggml.scores", &floats, &count, &error) == 0)
        memory_free(floats);
    for (size_t i = 0; i < gguf_tensor_count(file); i++) {
        const struct gguf_tensor *tensor = gguf_tensor_at(file, i);
        if (gguf_find_tensor(file, tensor->name) != tensor)
            abort();
        floats = memory_allocate(tensor->element_count, sizeof *floats, &error);
        if (floats != NULL)
            gguf_read_floats(tensor, floats, &error);
        memory_free(floats);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    struct error error;
    struct gguf *file;
    if (gguf_open_memory(&file, data, bytes, "input", &error) == 0)
        use(file);
    gguf_close(file);
    return 0;
}

#ifndef TRINE_LIBFUZZER
int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        struct error error;
        char *data;
        size_t bytes;
        if (file_read_all(argv[i], (size_t)1 << 30, &data, &bytes, &error) != 0) {
            fprintf(stderr, "%s\n", error.message);
            return 1;
        }
        LLVMFuzzerTestOneInput((const uint8_t *)data, bytes);
        free(data);
        printf("%s: survived\n", argv[i]);
    }
    return 0;
}
#endif
