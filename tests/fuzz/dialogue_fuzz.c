#include "fuzz/fuzz.h"
#include "good/dialogue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct error error;
    char path[64];
    int descriptor = fuzz_file(path, data, size);
    if (descriptor < 0)
        return 0;
    for (int are_requests = 0; are_requests < 2; are_requests++) {
        struct dialogues dialogues = {0};
        if (are_requests)
            requests_read(&dialogues, path, &error);
        else
            dialogues_read(&dialogues, path, &error);
        dialogues_free(&dialogues);
    }
    close(descriptor);
    return 0;
}
