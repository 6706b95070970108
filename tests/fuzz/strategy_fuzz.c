#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "truth/strategy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct belief_base base = {0};
    struct belief belief = {.family = "cities", .verdict = VERDICT_UNKNOWN, .weight = 1};
    struct trader *trader;
    struct error error;
    char *text = malloc(size + 1);
    if (text == NULL || sentences_create(&base.sentences, &error) ||
        sentences_add_atom(base.sentences, "lagos", &belief.sentence, &error) ||
        belief_base_add(&base, &belief, &error))
        abort();
    memcpy(text, data, size);
    text[size] = '\0';
    if (strategy_parse(&trader, text, "fuzz", &base, &error) == 0)
        trader->destroy(trader);
    free(text);
    belief_base_free(&base);
    return 0;
}
