#include "latent/export_rows.h"

#include "base/memory.h"

struct export_rows export_rows_of(const struct model *model, const struct product *product,
                                  size_t first, size_t count, int is_rotated,
                                  enum rope_pairs wanted, int leaves_adapter) {
    struct export_rows rows = {.product = *product,
                               .first = first,
                               .count = count,
                               .columns = product->in,
                               .head_width = is_rotated ? model->config.head_width : 0,
                               .stored =
                                   model->base != NULL ? model->base->rope_pairs : ROPE_HALVES,
                               .wanted = wanted};
    if (leaves_adapter)
        rows.product.adapter_count = 0;
    /* A model's own matrices leave from the master weights, not from their operands. */
    struct matrix *own = &rows.product.parts[0];
    if (model->base == NULL && !own->is_real) {
        size_t offset = (size_t)((const uint16_t *)own->data - (const uint16_t *)model->operands);
        *own = (struct matrix){.data = model->values + offset,
                               .is_real = 1,
                               .rows = own->rows,
                               .columns = own->columns};
    }
    return rows;
}

struct export_rows export_rows_of_matrix(const struct matrix *matrix) {
    return (struct export_rows){.product = {.parts = {*matrix},
                                            .part_count = 1,
                                            .in = matrix->columns,
                                            .out = matrix->rows},
                                .count = matrix->rows,
                                .columns = matrix->columns};
}

/* Where the row that is wanted at `index` is stored. Element i of a head and element i + E/2 turn
 * together; as neighbours they are 2 i and 2 i + 1. */
static size_t stored_row(const struct export_rows *r, size_t index) {
    if (r->head_width == 0 || r->stored == r->wanted)
        return index;
    size_t half = r->head_width / 2, head = index / r->head_width * r->head_width;
    size_t within = index - head;
    return head + (r->wanted == ROPE_NEIGHBOURS ? within % 2 * half + within / 2
                                                : within % half * 2 + within / half);
}

int export_row(const struct export_rows *r, size_t index, float *out, struct error *error) {
    real *room = memory_allocate(2 * r->columns, sizeof *room, error);
    if (room == NULL)
        return -1;
    const real *row = product_operands(&r->product, r->first + stored_row(r, index), 1,
                                       PRECISION_REAL, room, room + r->columns);
    for (size_t i = 0; i < r->columns; i++)
        out[i] = (float)row[i];
    memory_free(room);
    return 0;
}
