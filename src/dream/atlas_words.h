/* The words of an atlas's components, measured on held-out documents. */
#ifndef TRINE_DREAM_ATLAS_WORDS_H
#define TRINE_DREAM_ATLAS_WORDS_H

#include "latent/atlas.h"
#include "train/dataset.h"

/* atlas_measure_effects over the middles of so many documents, spread over the dataset. An empty
 * dataset leaves the atlas without effects. */
int atlas_measure_words(struct atlas *atlas, const struct dataset *documents, size_t samples,
                        struct error *error);

#endif
