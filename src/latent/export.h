/* Models for other programs: everything that is learned here runs in stock llama.cpp and in Hugging
 * Face's transformers.
 *
 * A handle acts by an addition after every block of the writer: that is what llama.cpp calls a
 * control vector. The weights go out as a plain checkpoint; an adapter is merged into them, or goes
 * out by itself, to be loaded beside the base. */
#ifndef TRINE_LATENT_EXPORT_H
#define TRINE_LATENT_EXPORT_H

#include "latent/handle.h"

struct export_options {
    enum tensor_type type; /* of matrices whose rows are whole blocks; embeddings keep Q8_0 or more,
                              rows that are not fall back to Q8_0 or F16 */
    int leaves_adapter;    /* the base alone */
};

/* A plain GGUF checkpoint of the base's architecture, or of llama. */
int export_gguf(const struct model *model, const struct export_options *options, const char *path,
                struct error *error);

/* The same for transformers: config.json, tokenizer.json and model.safetensors in a directory.
 * Types F32, F16 and BF16. */
int export_huggingface(const struct model *model, const struct export_options *options,
                       const char *directory, struct error *error);

/* The adapter by itself, a LoRA file of llama.cpp for the model's base in GGUF. */
int export_lora(const struct model *model, const char *path, struct error *error);

/* direction.N[D] for each block N of the writer: W_N z, z being the handle's mean, whether it is
 * told or read. */
int export_control_vector(const struct model *model, const struct handle *handle, const char *path,
                          struct error *error);

#endif
