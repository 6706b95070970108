/* From the labels of documents to what a model keeps of its authors' conditions. */
#ifndef TRINE_TRAIN_CONDITIONS_GATHER_H
#define TRINE_TRAIN_CONDITIONS_GATHER_H

#include "latent/conditions.h"
#include "train/dataset.h"

/* model->conditions <- those of the documents under the model's present points, in place of any
 * that it had. A model without labels gets none. */
int conditions_gather(struct model *model, const struct dataset *dataset, struct error *error);

#endif
