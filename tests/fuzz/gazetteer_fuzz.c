#include "fuzz/fuzz.h"
#include "text/coastlines.h"
#include "text/gazetteer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct gazetteer *gazetteer;
    struct coastlines coasts;
    struct location place;
    struct error error;
    char path[64], title[GAZETTEER_TITLE];
    int descriptor = fuzz_file(path, data, size);
    if (descriptor < 0)
        return 0;
    if (gazetteer_open(&gazetteer, path, &error) == 0) {
        gazetteer_resolve(gazetteer, "Paris, FR", &place, title, &error);
        gazetteer_resolve(gazetteer, "zürich", &place, title, &error);
        gazetteer_near(gazetteer, (struct location){48, 2}, 100);
        gazetteer_close(gazetteer);
    }
    if (coastlines_read(&coasts, path, &error) == 0)
        coastlines_free(&coasts);
    close(descriptor);
    return 0;
}
