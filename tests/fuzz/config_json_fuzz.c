/* config.json of a checkpoint in Hugging Face's layout. */
#include "fuzz/decode.h"
#include "fuzz/directory.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc;
    (void)argv;
    fuzz_directory_make("config.json", "model.safetensors");
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct checkpoint *checkpoint;
    struct error error;
    if (!fuzz_directory_write(data, size) ||
        checkpoint_open(&checkpoint, NULL, fuzz_directory, &error))
        return 0;
    fuzz_decode_checkpoint(checkpoint);
    checkpoint_close(checkpoint);
    return 0;
}
