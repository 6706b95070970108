/* What runs tokens through the blocks for decoders: threads with their room, buffers, kernels.
 * A machine knows no text; the texts that a chunk is made of are its parts. Included by decoder.c,
 * decoder_machine.c, decoder_block.c, decoder_prefix.c and batcher.c only. */
#ifndef TRINE_MODEL_DECODER_MACHINE_H
#define TRINE_MODEL_DECODER_MACHINE_H

#include "base/barrier.h"
#include "math/cached_attention.h"
#include "model/decoder.h"

enum {
    WEIGHT_ROWS = 192,  /* rows of weights that are operands at a time: 576 columns fill 216 KB */
    LEAST_WIDE = 24,    /* tokens from which oneDNN is faster than our kernels, measured */
    WIDE_CHUNK = 256,   /* tokens of a chunk at most */
    SHARED_CHUNK = 128, /* the same where other texts wait meanwhile */
    PREFIX_BLOCK = 32   /* what a prompt has in common with another is taken over in such blocks */
};

/* The tokens of one chunk. */
struct decoder_buffers {
    size_t rows;
    real *stream;   /* [rows,D] */
    real *packed;   /* [rows,(H+2K)E] */
    real *attended; /* [rows,HE] */
    real *inner;    /* [rows,2F] */
    real *latent;   /* [rows,Z] what the writer is given */
};

/* What belongs to one thread. */
struct decoder_lane {
    struct activations x;
    struct matmul *matmul;
    real *scratch;
    size_t scratch_size;
    void *operands; /* [WEIGHT_ROWS, widest] operands */
    real *reals;    /* the same, reals */
};

struct decoder_machine {
    struct weights weights; /* without an overlay: each part has its own */
    size_t threads;
    int cache_is_real, has_adapters;
    struct barrier barrier; /* of the team that runs a chunk */
    real *logits;           /* [PRODUCT_ROWS,V] */
    struct decoder_buffers few, wide;
    void *wide_operands;        /* [WIDE_CHUNK, widest] what products of a long chunk read */
    struct decoder_lane *lanes; /* [threads] */
};

struct decoder {
    struct weights weights;
    struct decoder_machine *machine; /* its own, or the batcher's */
    struct batcher *batcher;         /* or NULL */
    int is_lean;                     /* as the option */
    size_t context;
    size_t position;     /* tokens in the cache */
    uint32_t *history;   /* [context] */
    void *keys, *values; /* [L,context,KE] halves or reals */
    enum rope_pairs rope_pairs;
    real *cosine, *sine;    /* [context,E/2] */
    real *logits;           /* [V] of the last token: the machine's, or its own */
    real *told, *told_mask; /* [Z] */
    real *precision, *information, *mean;
    real *marked; /* [3,Z]: these three as they were at the mark */
    size_t marked_position;
    /* Under a batcher: how it was started, the running handle after every PREFIX_BLOCK tokens, and
     * how many leading tokens were read as a prompt is, so that others may take them over. */
    real *start;          /* [4,Z] */
    real *snapshots;      /* [context / PREFIX_BLOCK, 3, Z] */
    size_t prefix;        /* tokens */
    struct decoder *next; /* of the batcher's list */
    void *blocks[16];
    size_t block_count;
};

/* Rows first .. first+count-1 of a chunk: the tokens of one text, in its history from its position
 * on. */
struct decoder_part {
    struct decoder *decoder;
    size_t first, count;
};

/* Rows under the same adapters. */
struct decoder_group {
    const struct weights *weights;
    size_t first, count;
};

struct decoder_chunk {
    struct decoder_part parts[PRODUCT_ROWS];
    struct decoder_group groups[PRODUCT_ROWS];
    size_t part_count, group_count, rows;
    int with_evidence;
    int is_wide; /* through oneDNN: one part; else at most PRODUCT_ROWS rows, by the kernels for few
                  */
};

/* One thread of the team that runs a chunk. */
struct decoder_team {
    size_t id, threads;
    struct decoder_lane *lane;
};

/* For texts of at most `context` tokens. threads 0: one for each core. */
int machine_create(struct decoder_machine **out, const struct weights *weights, size_t threads,
                   size_t context, struct error *error);
void machine_destroy(struct decoder_machine *machine);

/* Buffers for chunks of a prompt of `count` tokens. */
int machine_prepare_wide(struct decoder_machine *machine, size_t count, struct error *error);

/* An empty chunk gets a part; tokens are copied into the text's history. Parts under the same
 * adapters are to be added one after the other. */
void chunk_add(struct decoder_chunk *chunk, struct decoder *decoder, const uint32_t *tokens,
               size_t count);

/* Runs the chunk, which fits the caches and the buffers; logits of its last row, of all rows (at
 * most PRODUCT_ROWS), or of none. Returns where its stream is. */
enum chunk_logits { LOGITS_NONE, LOGITS_LAST, LOGITS_ALL };
struct decoder_buffers *machine_run(struct decoder_machine *machine, struct decoder_chunk *chunk,
                                    enum chunk_logits logits);

/* machine->logits <- those of rows from .. from+count-1 of the stream, at most PRODUCT_ROWS. */
void machine_head(struct decoder_machine *machine, const struct decoder_buffers *buffers,
                  size_t from, size_t count);

/* Runs the chunk's rows of b->stream through all blocks; every thread of the team calls it. */
void decoder_blocks(struct decoder_machine *machine, const struct decoder_team *team,
                    struct decoder_buffers *b, const struct decoder_chunk *chunk);

/* decoder_prefix.c: how many of a prompt's tokens the text of `other` has already, read under the
 * same handle and adapters; and taking them over. */
size_t decoder_common_prefix(const struct decoder *decoder, const struct decoder *other,
                             const uint32_t *tokens, size_t count);
void decoder_take_prefix(struct decoder *decoder, const struct decoder *other, size_t count);

#endif
