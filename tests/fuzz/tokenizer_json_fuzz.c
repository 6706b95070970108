#include "file/tokenizer_json.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct tokenizer *tokenizer;
    struct error error;
    if (tokenizer_json_parse(&tokenizer, (const char *)data, size, "fuzz", 300, &error) == 0)
        tokenizer_destroy(tokenizer);
    return 0;
}
