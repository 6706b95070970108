/* Rows of a model's matrices as floats, in the order that another program wants them; included by
 * export_*.c only. */
#ifndef TRINE_LATENT_EXPORT_ROWS_H
#define TRINE_LATENT_EXPORT_ROWS_H

#include "latent/model.h"

struct export_rows {
    struct product product; /* with or without its adapter */
    size_t first, count, columns;
    size_t head_width; /* of rows that are put in another order; 0: as they are */
    enum rope_pairs stored, wanted;
};

/* `count` rows of a product from `first` on. Queries and keys (`is_rotated`) come in the order of
 * pairs that is wanted. */
struct export_rows export_rows_of(const struct model *model, const struct product *product,
                                  size_t first, size_t count, int is_rotated,
                                  enum rope_pairs wanted, int leaves_adapter);
struct export_rows export_rows_of_matrix(const struct matrix *matrix);

/* out[columns] <- row `index` in the wanted order. */
int export_row(const struct export_rows *rows, size_t index, float *out, struct error *error);

#endif
