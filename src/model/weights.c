#include "model/weights.h"

#include <string.h>

#include "base/memory.h"
#include "model/checkpoint.h"

struct matrix weights_own(const struct weights *w, size_t offset, size_t rows, size_t columns) {
    int is_real = w->precision == PRECISION_REAL;
    return (struct matrix){.data = operand_at(w->operands, offset, w->precision),
                           .type = TENSOR_BF16,
                           .is_real = is_real,
                           .rows = rows,
                           .columns = columns};
}

static void set_own_parts(const struct weights *w, const struct block_layout *at,
                          struct product *products) {
    const size_t offsets[ADAPTER_TARGETS] = {at->qkv, at->attention_out, at->gate_up, at->down};
    for (int target = 0; target < ADAPTER_TARGETS; target++) {
        struct product *p = &products[target];
        p->part_count = 1;
        p->parts[0] = weights_own(w, offsets[target], p->out, p->in);
    }
}

static void set_base_parts(const struct checkpoint_block *block, struct product *products) {
    products[ADAPT_QKV].part_count = QKV_PARTS;
    memcpy(products[ADAPT_QKV].parts, block->qkv, sizeof block->qkv);
    products[ADAPT_ATTENTION_OUT].part_count = 1;
    products[ADAPT_ATTENTION_OUT].parts[0] = block->attention_out;
    products[ADAPT_GATE_UP].part_count = GATE_UP_PARTS;
    memcpy(products[ADAPT_GATE_UP].parts, block->gate_up, sizeof block->gate_up);
    products[ADAPT_DOWN].part_count = 1;
    products[ADAPT_DOWN].parts[0] = block->down;
}

static struct adapter overlay_adapter(const struct overlay *o, size_t l, int target) {
    const struct adapter_layout *at = &o->layout.adapters[l][target];
    return (struct adapter){o->config.rank, o->values + at->a, o->values + at->b,
                            (real)o->config.scale};
}

void weights_block(const struct weights *w, size_t l, struct block_view *view) {
    const struct config *c = w->config;
    const struct block_layout *at = &w->layout->blocks[l];
    for (int target = 0; target < ADAPTER_TARGETS; target++) {
        struct product *p = &view->products[target];
        config_target_size(c, (enum adapter_target)target, &p->in, &p->out);
        p->adapter_count = 0;
        if (config_is_adapted(c, l, (enum adapter_target)target))
            p->adapters[p->adapter_count++] =
                (struct adapter){c->adapter_rank, w->values + at->adapters[target].a,
                                 w->values + at->adapters[target].b, (real)c->adapter_scale};
        if (w->overlay != NULL &&
            overlay_is_adapted(&w->overlay->config, l, (enum adapter_target)target))
            p->adapters[p->adapter_count++] = overlay_adapter(w->overlay, l, target);
    }
    if (w->base == NULL) {
        view->attention_norm = w->values + at->attention_norm;
        view->feed_norm = w->values + at->feed_norm;
        view->qkv_bias = NULL;
        set_own_parts(w, at, view->products);
    } else {
        const struct checkpoint_block *block = &w->base->blocks[l];
        view->attention_norm = block->attention_norm;
        view->feed_norm = block->feed_norm;
        view->qkv_bias = block->qkv_bias;
        set_base_parts(block, view->products);
    }
}

/* The rows of the embedding are copied, not multiplied: in full precision where there is one. */
struct matrix weights_embedding(const struct weights *w) {
    if (w->base != NULL)
        return w->base->embedding;
    return (struct matrix){.data = w->values + w->layout->embedding,
                           .is_real = 1,
                           .rows = w->config->vocabulary,
                           .columns = w->config->width};
}

struct matrix weights_output(const struct weights *w) {
    return w->base != NULL
               ? w->base->output
               : weights_own(w, w->layout->embedding, w->config->vocabulary, w->config->width);
}

const real *weights_final_norm(const struct weights *w) {
    return w->base != NULL ? w->base->final_norm : w->values + w->layout->final_norm;
}

enum rope_pairs weights_rope(const struct weights *w, real *cosine, real *sine, size_t time) {
    const struct config *c = w->config;
    rope_table(cosine, sine, time, c->head_width, c->rope_base,
               w->base != NULL ? w->base->rope_divisors : NULL,
               w->base != NULL ? w->base->rope_magnitude : 1);
    return w->base != NULL ? w->base->rope_pairs : ROPE_HALVES;
}

/* row[n] += s[0] a[0] + s[1] a[1] + ..., rows of a being n long: four at a time, as each pass
 * over the row costs a load and a store. */
VECTOR_CLONES static void add_rows(real *restrict row, const real *s, const real *restrict a,
                                   size_t rank, size_t n) {
    size_t k = 0;
    for (; k + 4 <= rank; k += 4, a += 4 * n)
        for (size_t i = 0; i < n; i++)
            row[i] += (s[k] * a[i] + s[k + 1] * a[n + i]) +
                      (s[k + 2] * a[2 * n + i] + s[k + 3] * a[3 * n + i]);
    for (; k < rank; k++, a += n)
        for (size_t i = 0; i < n; i++)
            row[i] += s[k] * a[i];
}

/* rows[count,in] += scale B A, of the product's rows from `first` on. */
static void add_adapter(const struct adapter *adapter, size_t in, size_t first, size_t count,
                        real *rows) {
    real scaled[MAXIMUM_RANK];
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < adapter->rank; k++)
            scaled[k] = adapter->scale * adapter->b[(first + i) * adapter->rank + k];
        add_rows(rows + i * in, scaled, adapter->a, adapter->rank, in);
    }
}

const void *product_operands(const struct product *p, size_t first, size_t count,
                             enum precision precision, void *room, real *scratch) {
    const struct matrix *only = &p->parts[0];
    int is_ready = only->is_real ? precision == PRECISION_REAL
                                 : only->type == TENSOR_BF16 && precision == PRECISION_BF16;
    if (p->part_count == 1 && p->adapter_count == 0 && is_ready)
        return matrix_row(only, first);
    enum precision loaded = p->adapter_count > 0 ? PRECISION_REAL : precision;
    void *target = p->adapter_count > 0 ? scratch : room;
    for (size_t i = 0, start = 0; i < p->part_count; start += p->parts[i++].rows) {
        size_t end = start + p->parts[i].rows, from = first > start ? first : start;
        size_t to = first + count < end ? first + count : end;
        if (from < to)
            matrix_load_operands(operand_at(target, (from - first) * p->in, loaded), &p->parts[i],
                                 from - start, to - from, loaded);
    }
    for (size_t i = 0; i < p->adapter_count; i++)
        add_adapter(&p->adapters[i], p->in, first, count, scratch);
    if (p->adapter_count > 0)
        operand_store(room, scratch, count * p->in, precision);
    return room;
}

/* One product's rows, `count` at a time. */
static int unpack_product(void *out, const struct product *p, enum precision precision) {
    enum { ROWS = 64 };
    struct error error;
    real *scratch = memory_allocate(ROWS * p->in, sizeof *scratch, &error);
    for (size_t first = 0; scratch != NULL && first < p->out; first += ROWS) {
        size_t count = p->out - first < ROWS ? p->out - first : ROWS;
        void *room = operand_at(out, first * p->in, precision);
        const void *rows = product_operands(p, first, count, precision, room, scratch);
        if (rows != room)
            memcpy(room, rows, count * p->in * operand_bytes(precision));
    }
    memory_free(scratch);
    return scratch == NULL;
}

int unpacked_refresh(struct unpacked *u, const struct weights *w, size_t first,
                     struct error *error) {
    size_t blocks = w->config->blocks;
    int failed = 0;
#pragma omp parallel for schedule(dynamic, 1) reduction(| : failed)
    for (size_t l = first; l < blocks; l++) {
        struct block_view view;
        weights_block(w, l, &view);
        for (int target = 0; target < ADAPTER_TARGETS; target++)
            failed |= unpack_product(u->matrices[l][target], &view.products[target], w->precision);
    }
    return failed ? error_set(error, "out of memory for the weights of %zu blocks", blocks) : 0;
}

int weights_unpack(struct unpacked **out, const struct weights *w, struct error *error) {
    size_t blocks = w->config->blocks, bytes = operand_bytes(w->precision);
    struct unpacked *u = memory_allocate(1, sizeof *u, error);
    int failed = u == NULL;
    for (size_t l = 0; !failed && l < blocks; l++)
        for (int target = 0; target < ADAPTER_TARGETS; target++) {
            size_t in, rows;
            config_target_size(w->config, (enum adapter_target)target, &in, &rows);
            u->matrices[l][target] = memory_allocate(in * rows, bytes, error);
            failed |= u->matrices[l][target] == NULL;
        }
    if (!failed)
        failed = unpacked_refresh(u, w, 0, error) != 0;
    *out = failed ? NULL : u;
    if (failed)
        unpacked_destroy(u);
    return failed ? -1 : 0;
}

void unpacked_destroy(struct unpacked *u) {
    for (size_t l = 0; u != NULL && l < MAXIMUM_BLOCKS; l++)
        for (int target = 0; target < ADAPTER_TARGETS; target++)
            memory_free(u->matrices[l][target]);
    memory_free(u);
}
