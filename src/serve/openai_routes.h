/* The routes that are as OpenAI's, each in the file of its name: fields that are not known are
 * passed over, as clients expect; what is known but not done here is refused. */
#ifndef TRINE_SERVE_OPENAI_ROUTES_H
#define TRINE_SERVE_OPENAI_ROUTES_H

#include "serve/service.h"

int openai_list_models(struct request *request); /* openai_models.c */
int openai_show_model(struct request *request);
int openai_complete(struct request *request); /* openai_completions.c */
int openai_chat(struct request *request);     /* openai_chat.c */
int openai_embed(struct request *request);    /* openai_embeddings.c */

/* "NAME-VERSION", of a reply. */
json_t *openai_fingerprint(const struct resident_model *model);
/* "NAME/layer" */
json_t *openai_model_name(const struct resident_model *model, enum resident_layer layer);

#endif
