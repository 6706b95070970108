/* A checkpoint of another program: a plain decoder of the Llama family, read-only, its matrices as
 * they lie in the file, which stays mapped.
 *
 * Read from GGUF (architectures llama and qwen2) or from a directory in the layout of Hugging Face
 * (config.json, tokenizer.json, safetensors). Any number of threads may use one. */
#ifndef TRINE_MODEL_CHECKPOINT_H
#define TRINE_MODEL_CHECKPOINT_H

#include "math/matmul.h"
#include "math/quant_product.h"
#include "math/rope.h"
#include "model/config.h"
#include "text/tokenizer.h"

enum { QKV_PARTS = 3, GATE_UP_PARTS = 2 };

struct checkpoint_block {
    real *attention_norm, *feed_norm;     /* [D] */
    real *qkv_bias;                       /* [(H+2K)E], or NULL */
    struct matrix qkv[QKV_PARTS];         /* [HE,D], [KE,D], [KE,D] */
    struct matrix attention_out;          /* [D,HE] */
    struct matrix gate_up[GATE_UP_PARTS]; /* [F,D] each */
    struct matrix down;                   /* [D,F] */
};

struct checkpoint {
    struct config config; /* of a plain model: no slots, split at the middle */
    char name[128], architecture[32];
    uint64_t fingerprint;            /* of the file's header and the first bytes of each tensor */
    struct checkpoint_block *blocks; /* [L] */
    real *final_norm;                /* [D] */
    struct matrix embedding, output; /* [V,D]; the same when they are tied */
    enum rope_pairs rope_pairs;
    double *rope_divisors; /* [E/2], or NULL */
    double rope_magnitude;
    char *chat_template; /* NUL-terminated; NULL when there is none */
    size_t file_bytes;
    struct gguf *gguf;
    struct safetensors *safetensors;
    void *head; /* operands of the output layer, made when they are first asked for */
    int head_is_made;
};

/* Opens `path`: a GGUF file, or a directory of safetensors. The tokenizer (may be NULL: not
 * wanted) is the caller's. */
int checkpoint_open(struct checkpoint **out, struct tokenizer **tokenizer, const char *path,
                    struct error *error);
void checkpoint_close(struct checkpoint *checkpoint);

/* Whether a GGUF file is one of a checkpoint rather than of a model of our own. */
struct gguf;
int checkpoint_is_gguf(const struct gguf *file);

/* The output layer [V,D] as operands of `precision`, for passes over many rows: V * D * 2 bytes
 * that decoding does without. NULL when out of memory. */
const void *checkpoint_head(struct checkpoint *checkpoint, enum precision precision,
                            struct error *error);

#endif
