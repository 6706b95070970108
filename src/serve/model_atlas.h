/* The atlas of a resident model's authors, made when it is first asked for and kept: as JSON for
 * pages, and as directions along which an author can be moved. Any thread may call. */
#ifndef TRINE_SERVE_MODEL_ATLAS_H
#define TRINE_SERVE_MODEL_ATLAS_H

#include "latent/atlas.h"

enum { MODEL_ATLAS_COMPONENTS = 8 };

struct model_atlas;
struct resident_model;

/* Borrows the model, whose corpus, where there is one, says who wrote when. */
int model_atlas_create(struct model_atlas **out, const struct resident_model *model,
                       struct error *error);
void model_atlas_destroy(struct model_atlas *atlas); /* NULL is fine */

/* Valid as long as the atlas. All labels are laid out, with documents or without. Fails for a model
 * without two authors. */
int model_atlas_get(struct model_atlas *atlas, const struct atlas **out, struct error *error);

/* The same as JSON (own_atlas.c says what is in it). *text lives as long as the atlas. */
int model_atlas_text(struct model_atlas *atlas, const char **text, size_t *bytes,
                     struct error *error);

#endif
