#include "model/overlay.h"

#include <stdio.h>
#include <string.h>

#include "base/random.h"

int overlay_config_check(const struct overlay_config *o, const struct config *c,
                         struct error *error) {
    if (o->rank < 1 || o->rank > MAXIMUM_RANK)
        return error_set(error, "an overlay's rank is %zu; it must be from 1 to %d", o->rank,
                         MAXIMUM_RANK);
    if (o->first >= c->blocks || o->targets < 1 || o->targets >= 1 << ADAPTER_TARGETS)
        return error_set(error,
                         "an overlay from block %zu with targets %zu adapts nothing of %zu "
                         "blocks",
                         o->first, o->targets, c->blocks);
    if (c->latent_width > 0 && o->first < c->split)
        return error_set(error,
                         "an overlay from block %zu would change the reader, which ends at "
                         "block %zu: what is read must not depend on who writes",
                         o->first, c->split);
    if (!(o->scale > 0 && o->scale <= 1000))
        return error_set(error, "an overlay's scale of %g makes no sense", o->scale);
    return 0;
}

int overlay_is_adapted(const struct overlay_config *o, size_t l, enum adapter_target target) {
    return l >= o->first && (o->targets >> target & 1) != 0;
}

static void name_tensor(struct tensor_place *tensors, size_t *count, const char *which, size_t l,
                        int target, size_t offset, size_t rows, size_t columns) {
    if (tensors == NULL)
        return;
    struct tensor_place *t = &tensors[(*count)++];
    *t = (struct tensor_place){.offset = offset, .rows = rows, .columns = columns};
    snprintf(t->name, sizeof t->name, "blk.%zu.%s.%s", l,
             adapter_target_name((enum adapter_target)target), which);
}

void overlay_layout_make(struct overlay_layout *layout, const struct overlay_config *o,
                         const struct config *c, struct tensor_place *tensors,
                         size_t *tensor_count) {
    size_t named = 0;
    memset(layout, 0, sizeof *layout);
    for (size_t l = o->first; l < c->blocks; l++)
        for (int target = 0; target < ADAPTER_TARGETS; target++) {
            size_t in, out;
            struct adapter_layout *at = &layout->adapters[l][target];
            if (!overlay_is_adapted(o, l, (enum adapter_target)target))
                continue;
            config_target_size(c, (enum adapter_target)target, &in, &out);
            at->a = layout->count;
            at->b = at->a + o->rank * in;
            layout->count = at->b + out * o->rank;
            name_tensor(tensors, &named, "lora_a", l, target, at->a, o->rank, in);
            name_tensor(tensors, &named, "lora_b", l, target, at->b, out, o->rank);
        }
    if (tensor_count != NULL)
        *tensor_count = named;
}

void overlay_initialise(real *values, const struct overlay_layout *layout,
                        const struct overlay_config *o, const struct config *c, uint64_t seed) {
    struct random random;
    random_seed(&random, seed, 0x6f7665726c6179);
    memset(values, 0, layout->count * sizeof *values);
    for (size_t l = o->first; l < c->blocks; l++)
        for (int target = 0; target < ADAPTER_TARGETS; target++) {
            size_t in, out;
            if (!overlay_is_adapted(o, l, (enum adapter_target)target))
                continue;
            config_target_size(c, (enum adapter_target)target, &in, &out);
            for (size_t i = 0; i < o->rank * in; i++)
                values[layout->adapters[l][target].a + i] = (real)(0.02 * random_normal(&random));
        }
}
