#include "fuzz/fuzz.h"
#include "truth/market_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct market_record record;
    struct error error;
    char path[64];
    int descriptor = fuzz_file(path, data, size);
    if (descriptor < 0)
        return 0;
    if (market_record_load(&record, path, &error) == 0)
        market_record_free(&record);
    close(descriptor);
    return 0;
}
