#include "good/good_state.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/random.h"

static const char MAGIC[8] = "trnGood1";

struct header {
    char magic[8];
    uint64_t fingerprint, step, number_bytes, count, reference_count, has_references;
    uint64_t hash; /* of what follows */
};

/* The arrays in their order. */
enum { ARRAYS = 3 };
struct array {
    void *data;
    size_t bytes;
};

static void list_arrays(struct array *arrays, const struct good_state *s) {
    size_t count = s->layer->count;
    arrays[0] = (struct array){s->layer->values, count * sizeof(real)};
    arrays[1] = (struct array){s->optimizer->moments, 2 * count * sizeof(real)};
    arrays[2] = (struct array){s->references, s->reference_count * sizeof(double)};
}

static uint64_t hash_of(const struct array *arrays) {
    uint64_t hash = 0;
    for (size_t i = 0; i < ARRAYS; i++)
        hash = random_mix(hash ^ random_hash(arrays[i].data, arrays[i].bytes));
    return hash;
}

static struct header header_of(const struct good_state *s, const struct array *arrays) {
    struct header header = {.fingerprint = s->fingerprint,
                            .step = s->step,
                            .number_bytes = sizeof(real),
                            .count = s->layer->count,
                            .reference_count = s->reference_count,
                            .has_references = s->has_references,
                            .hash = hash_of(arrays)};
    memcpy(header.magic, MAGIC, sizeof MAGIC);
    return header;
}

int good_state_save(const struct good_state *s, const char *path, struct error *error) {
    struct file_writer writer;
    struct array arrays[ARRAYS];
    list_arrays(arrays, s);
    struct header header = header_of(s, arrays);
    if (file_writer_open(&writer, path, error))
        return -1;
    size_t written = fwrite(&header, sizeof header, 1, writer.stream);
    for (size_t i = 0; written == 1 && i < ARRAYS; i++)
        written =
            arrays[i].bytes == 0 || fwrite(arrays[i].data, arrays[i].bytes, 1, writer.stream) == 1;
    if (written != 1) {
        file_writer_abort(&writer);
        return error_set(error, "%s: cannot write: %s", path, strerror(errno));
    }
    return file_writer_commit(&writer, error);
}

static int check(const struct header *h, const struct good_state *s, size_t bytes, const char *path,
                 struct error *error) {
    struct array arrays[ARRAYS];
    size_t wanted = sizeof *h;
    list_arrays(arrays, s);
    for (size_t i = 0; i < ARRAYS; i++)
        wanted += arrays[i].bytes;
    if (memcmp(h->magic, MAGIC, sizeof MAGIC) != 0 || h->number_bytes != sizeof(real))
        return error_set(error, "%s is no state of this program's training of a good author", path);
    if (h->fingerprint != s->fingerprint || h->count != s->layer->count ||
        h->reference_count != s->reference_count)
        return error_set(error,
                         "%s is the state of a training with other data, options or model; "
                         "remove it to begin anew",
                         path);
    if (bytes != wanted)
        return error_set(error, "%s has %zu bytes where %zu are wanted: it is damaged; remove it",
                         path, bytes, wanted);
    return 0;
}

/* The file is checked whole before anything is taken from it. */
static int take(struct good_state *s, const struct file_map *map, const char *path,
                struct error *error) {
    struct header header;
    struct array arrays[ARRAYS], stored[ARRAYS];
    if (map->bytes < sizeof header)
        return error_set(error, "%s is too short to be a training's state: remove it", path);
    memcpy(&header, map->data, sizeof header);
    if (check(&header, s, map->bytes, path, error))
        return -1;
    list_arrays(arrays, s);
    const unsigned char *at = map->data + sizeof header;
    for (size_t i = 0; i < ARRAYS; at += arrays[i++].bytes)
        stored[i] = (struct array){(void *)at, arrays[i].bytes};
    if (hash_of(stored) != header.hash)
        return error_set(error,
                         "%s is damaged: its numbers are not those that were written; "
                         "remove it",
                         path);
    for (size_t i = 0; i < ARRAYS; i++)
        memcpy(arrays[i].data, stored[i].data, arrays[i].bytes);
    s->step = header.step;
    s->has_references = header.has_references;
    layer_refresh_operands(s->layer);
    return 0;
}

int good_state_load(struct good_state *s, const char *path, int *is_there, struct error *error) {
    struct file_map map;
    *is_there = access(path, F_OK) == 0;
    if (!*is_there)
        return 0;
    if (file_map_open(&map, path, error))
        return -1;
    int result = take(s, &map, path, error);
    file_map_close(&map);
    return result;
}
