#include "fuzz/fuzz.h"
#include "good/principle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct principle principle;
    struct error error;
    if (principle_parse(&principle, (const char *)data, size, &error) == 0)
        principle_free(&principle);
    return 0;
}
