/* The index that says which file of a checkpoint holds which tensor. */
#include "file/safetensors.h"
#include "fuzz/directory.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc;
    (void)argv;
    fuzz_directory_make("index.json", "part.safetensors");
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct safetensors *file;
    struct error error;
    char path[64];
    snprintf(path, sizeof path, "%s/index.json", fuzz_directory);
    if (fuzz_directory_write(data, size) && safetensors_open(&file, path, &error) == 0)
        safetensors_close(file);
    return 0;
}
