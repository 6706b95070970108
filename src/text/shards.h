/* Files of tokens, "tokens-00000.bin" and so on: a header of 24 bytes (the magic "TRINETOK",
 * version and a zero as 32-bit numbers, the count of tokens as a 64-bit number), then 32-bit
 * tokens, all little-endian. A document lies in one shard; a shard has as many as fit its limit,
 * but one. */
#ifndef TRINE_TEXT_SHARDS_H
#define TRINE_TEXT_SHARDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/file.h"

/* 256 MB: few files, and each can be copied in a minute. */
enum { SHARD_TOKENS = 1 << 26, SHARD_LIMIT = 100000 };

struct shard_writer {
    struct file_writer file;
    const char *directory; /* borrowed */
    size_t limit, shard, used;
    int is_open;
};

/* Where a document's tokens lie. */
struct shard_place {
    size_t shard, first;
};

/* `limit` is in tokens; 0 means SHARD_TOKENS. Shards are complete or absent. */
void shard_writer_start(struct shard_writer *writer, const char *directory, size_t limit);
int shard_writer_add(struct shard_writer *writer, const uint32_t *tokens, size_t count,
                     struct shard_place *place, struct error *error);
int shard_writer_finish(struct shard_writer *writer, struct error *error);
void shard_writer_abort(struct shard_writer *writer);

struct shard {
    struct file_map map;
    const uint32_t *tokens;
    size_t token_count;
};

/* Maps a shard; the header must agree with the file's size. */
int shard_open(struct shard *shard, const char *directory, size_t number, struct error *error);
void shard_close(struct shard *shard);

#endif
