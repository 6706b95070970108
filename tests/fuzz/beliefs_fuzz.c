#include "fuzz/fuzz.h"
#include "truth/belief_base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct belief_base base;
    struct error error;
    char path[64];
    int descriptor = fuzz_file(path, data, size);
    if (descriptor < 0)
        return 0;
    if (belief_base_read(&base, path, &error) == 0) {
        if (base.sentences != NULL && sentences_count(base.sentences) < 200)
            belief_base_check(&base, 0, &error);
        belief_base_free(&base);
    }
    close(descriptor);
    return 0;
}
