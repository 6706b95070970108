#include "fuzz/decode.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct checkpoint *checkpoint;
    struct error error;
    char path[64];
    int descriptor = fuzz_file(path, data, size);
    if (descriptor >= 0 && checkpoint_open(&checkpoint, NULL, path, &error) == 0) {
        fuzz_decode_checkpoint(checkpoint);
        checkpoint_close(checkpoint);
    }
    if (descriptor >= 0)
        close(descriptor);
    return 0;
}
