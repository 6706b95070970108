#include "fuzz/fuzz.h"
#include "text/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct manifest manifest;
    struct error error;
    manifest_parse(&manifest, (const char *)data, size, &error);
    manifest_free(&manifest);
    return 0;
}
