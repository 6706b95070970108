#include "text/shards.h"

#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "shards are mapped as they are");

enum { SHARD_VERSION = 1 };

struct shard_header {
    char magic[8];
    uint32_t version, zero;
    uint64_t token_count;
};
_Static_assert(sizeof(struct shard_header) == 24, "the header on disk has no holes");

static const char MAGIC[8] = {'T', 'R', 'I', 'N', 'E', 'T', 'O', 'K'};

static int shard_path(char path[4096], const char *directory, size_t number, struct error *error) {
    int length = snprintf(path, 4096, "%s/tokens-%05zu.bin", directory, number);
    return length < 4096 ? 0 : error_set(error, "the path of %s is too long", directory);
}

static int write_header(struct shard_writer *w) {
    struct shard_header header = {.version = SHARD_VERSION, .token_count = w->used};
    memcpy(header.magic, MAGIC, sizeof MAGIC);
    return fwrite(&header, sizeof header, 1, w->file.stream) == 1 ? 0 : -1;
}

void shard_writer_start(struct shard_writer *w, const char *directory, size_t limit) {
    *w = (struct shard_writer){.directory = directory, .limit = limit > 0 ? limit : SHARD_TOKENS};
}

static int open_shard(struct shard_writer *w, struct error *error) {
    char path[4096];
    if (w->shard >= SHARD_LIMIT)
        return error_set(error, "a corpus has at most %d shards", SHARD_LIMIT);
    if (shard_path(path, w->directory, w->shard, error) || file_writer_open(&w->file, path, error))
        return -1;
    w->is_open = 1;
    w->used = 0;
    return write_header(w) == 0 ? 0 : error_set_errno(error, "cannot write %s", path);
}

/* The count is known now: the header is written again. */
static int close_shard(struct shard_writer *w, struct error *error) {
    if (fseek(w->file.stream, 0, SEEK_SET) != 0 || write_header(w) != 0)
        return error_set_errno(error, "cannot write %s", w->file.path);
    w->is_open = 0;
    w->shard++;
    return file_writer_commit(&w->file, error);
}

int shard_writer_add(struct shard_writer *w, const uint32_t *tokens, size_t count,
                     struct shard_place *place, struct error *error) {
    int is_full = w->is_open && w->used > 0 && (w->used >= w->limit || count > w->limit - w->used);
    if ((is_full && close_shard(w, error)) || (!w->is_open && open_shard(w, error)))
        return -1;
    if (fwrite(tokens, sizeof *tokens, count, w->file.stream) != count)
        return error_set_errno(error, "cannot write %s", w->file.path);
    *place = (struct shard_place){w->shard, w->used};
    w->used += count;
    return 0;
}

int shard_writer_finish(struct shard_writer *w, struct error *error) {
    return w->is_open ? close_shard(w, error) : 0;
}

void shard_writer_abort(struct shard_writer *w) {
    if (w->is_open)
        file_writer_abort(&w->file);
    w->is_open = 0;
}

int shard_open(struct shard *shard, const char *directory, size_t number, struct error *error) {
    *shard = (struct shard){0};
    char path[4096];
    if (shard_path(path, directory, number, error) || file_map_open(&shard->map, path, error))
        return -1;
    struct shard_header header = {0};
    size_t bytes = shard->map.bytes;
    int is_sound = bytes >= sizeof header;
    if (is_sound) {
        memcpy(&header, shard->map.data, sizeof header);
        is_sound = memcmp(header.magic, MAGIC, sizeof MAGIC) == 0;
    }
    if (!is_sound || header.version != SHARD_VERSION || header.zero != 0) {
        shard_close(shard);
        return error_set(error,
                         is_sound ? "%s is a shard of another version" : "%s is no shard of tokens",
                         path);
    }
    size_t held = bytes - sizeof header;
    if (held % sizeof(uint32_t) != 0 || header.token_count != held / sizeof(uint32_t)) {
        shard_close(shard);
        return error_set(error, "%s says it has %llu tokens and has %zu bytes of them", path,
                         (unsigned long long)header.token_count, held);
    }
    shard->tokens = (const uint32_t *)(shard->map.data + sizeof header);
    shard->token_count = held / sizeof(uint32_t);
    return 0;
}

void shard_close(struct shard *shard) {
    file_map_close(&shard->map);
    *shard = (struct shard){0};
}
