#include <stdlib.h>

#include "file/tokenizer_gguf.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct gguf *file;
    struct tokenizer *tokenizer;
    struct tokenizer_cache *cache;
    struct token_list list = {0};
    struct error error;
    if (gguf_open_memory(&file, data, size, "fuzz", &error))
        return 0;
    if (tokenizer_gguf_load(&tokenizer, file, &error) == 0) {
        if (tokenizer_cache_create(&cache, &error) == 0) {
            tokenizer_encode_marked(tokenizer, cache, (const char *)data, size < 512 ? size : 512,
                                    &list, &error);
            tokenizer_cache_destroy(cache);
        }
        free(list.ids);
        tokenizer_destroy(tokenizer);
    }
    gguf_close(file);
    return 0;
}
