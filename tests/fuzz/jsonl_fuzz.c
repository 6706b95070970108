#include "fuzz/fuzz.h"
#include "text/jsonl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct jsonl_reader *reader;
    struct jsonl_line line;
    struct error error;
    char path[64];
    int descriptor = fuzz_file(path, data, size);
    struct jsonl_source source = {"fuzz", descriptor};
    if (descriptor < 0)
        return 0;
    if (jsonl_open(&reader, &source, 1, 1 << 16, &error) == 0) {
        while (jsonl_next(reader, &line, &error) == 0 && line.data != NULL)
            ;
        jsonl_close(reader);
    }
    close(descriptor);
    return 0;
}
