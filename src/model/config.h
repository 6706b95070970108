/* The sizes of a model, and where each of its tensors lies in one flat array of parameters. */
#ifndef TRINE_MODEL_CONFIG_H
#define TRINE_MODEL_CONFIG_H

#include "base/error.h"
#include "math/real.h"

enum { MAXIMUM_BLOCKS = 128, MAXIMUM_NGRAM_ORDERS = 8, MAXIMUM_RANK = 256 };

struct config {
    size_t vocabulary;      /* V */
    size_t width;           /* D */
    size_t blocks;          /* L */
    size_t heads;           /* H */
    size_t key_value_heads; /* K */
    size_t head_width;      /* E */
    size_t inner;           /* F */
    size_t context;         /* longest T */
    size_t split;           /* k: blocks 0..k-1 read, k..L-1 write */
    size_t latent_width;    /* Z: all slots together; 0 is the plain model */
    size_t ngram_orders;    /* n-grams of 1..n tokens give evidence; 0 none */
    size_t ngram_rows;      /* rows of the table of each order */
    size_t slot_parameters; /* how many numbers the slots own */
    double rope_base;
    double epsilon;
    /* An adapted model borrows its matrices from a checkpoint and owns what it adds to them. */
    size_t has_base;
    size_t adapter_rank;    /* r of W + scale B A (Hu et al. 2021); 0: none */
    size_t adapter_first;   /* the first block that is adapted */
    size_t adapter_targets; /* 1 << enum adapter_target, added up */
    double adapter_scale;
};

/* The matrices of a block that can be adapted. */
enum adapter_target { ADAPT_QKV, ADAPT_ATTENTION_OUT, ADAPT_GATE_UP, ADAPT_DOWN, ADAPTER_TARGETS };

/* Refuses sizes that cannot be or that would overflow. */
int config_check(const struct config *config, struct error *error);

/* As in the names of tensors: "attn_qkv", "attn_output", ... */
const char *adapter_target_name(enum adapter_target target);

struct adapter_layout {
    size_t a; /* [r, in] */
    size_t b; /* [out, r] */
};

struct block_layout {
    size_t attention_norm; /* [D] */
    size_t qkv;            /* [(H+2K)E, D] */
    size_t attention_out;  /* [D, HE] */
    size_t feed_norm;      /* [D] */
    size_t gate_up;        /* [2F, D] */
    size_t down;           /* [D, F] */
    size_t injection;      /* W_l [D, Z]; writer blocks only */
    struct adapter_layout adapters[ADAPTER_TARGETS];
};

/* Offsets into the flat array, in reals. Everything from `latent_start` on belongs to the slots
 * and the evidence head and is clipped apart from the network's own parameters. */
struct layout {
    size_t embedding; /* [V, D]; also the output layer. Not in adapted models, as all of a base's */
    struct block_layout blocks[MAXIMUM_BLOCKS];
    size_t final_norm; /* [D] */
    size_t latent_start;
    size_t evidence_norm;   /* [D] */
    size_t evidence_weight; /* [2Z, D]: precision logits, then means */
    size_t evidence_bias;   /* [2Z] */
    size_t slots;           /* [slot_parameters] */
    size_t count;           /* all parameters */
};

struct tensor_place {
    char name[64];
    size_t offset, rows, columns; /* rows == 0: a vector of `columns` */
};

enum { MAXIMUM_TENSORS = MAXIMUM_BLOCKS * (7 + 2 * ADAPTER_TARGETS) + 8 };

/* `tensors` (may be NULL) receives the name and place of each tensor, `tensor_count` how many. */
void layout_make(struct layout *layout, const struct config *config, struct tensor_place *tensors,
                 size_t *tensor_count);

/* Inputs and outputs of a block's matrix. */
void config_target_size(const struct config *config, enum adapter_target target, size_t *in,
                        size_t *out);
/* Whether the target of block l is adapted. */
int config_is_adapted(const struct config *config, size_t l, enum adapter_target target);

/* Reals in all n-gram tables. */
size_t config_ngram_count(const struct config *config);

/* Parameters of the network proper without the embedding: the usual N of 6 N operations. */
size_t config_inner_parameter_count(const struct config *config);

#endif
