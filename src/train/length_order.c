#include "train/length_order.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/random.h"

int length_order_create(struct length_order *o, const uint16_t *lengths, size_t count,
                        size_t window, uint64_t seed, struct error *error) {
    *o = (struct length_order){.lengths = lengths, .count = count, .window = window, .seed = seed};
    o->order = memory_allocate(count, sizeof *o->order, error);
    return o->order == NULL ? -1 : 0;
}

void length_order_free(struct length_order *o) {
    memory_free(o->order);
    o->order = NULL;
}

static int compare_lengths(const void *x, const void *y, void *context) {
    const uint16_t *lengths = context;
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    if (lengths[a] != lengths[b])
        return lengths[a] < lengths[b] ? -1 : 1;
    return a < b ? -1 : a > b;
}

static void start_epoch(struct length_order *o, size_t epoch) {
    struct random random;
    random_seed(&random, o->seed, 0x65706f6368 + epoch);
    for (size_t i = 0; i < o->count; i++) {
        size_t j = random_below(&random, i + 1);
        o->order[i] = o->order[j];
        o->order[j] = (uint32_t)i;
    }
    for (size_t i = 0; i < o->count; i += o->window)
        qsort_r(o->order + i, o->count - i < o->window ? o->count - i : o->window, sizeof *o->order,
                compare_lengths, (void *)o->lengths);
    o->epoch = epoch + 1;
}

uint32_t length_order_pick(struct length_order *o, size_t at) {
    if (o->epoch != at / o->count + 1)
        start_epoch(o, at / o->count);
    return o->order[at % o->count];
}
