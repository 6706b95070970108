#include "train/trainer_state.h"

#include <string.h>

#include "base/file.h"

/* The file: this header, then values, first and second moments, n-gram tables, accumulators. */
struct state_header {
    char magic[8];
    uint64_t version, real_bytes, parameter_count, ngram_count, ngram_rows;
    uint64_t seed, batch, time, threads, steps, evidence_steps, step, tokens_trained;
};

static const char MAGIC[8] = "trinest";

static struct state_header header_of(const struct trainer *t) {
    struct state_header header = {.version = 2,
                                  .real_bytes = sizeof(real),
                                  .parameter_count = t->model->layout.count,
                                  .ngram_count = config_ngram_count(&t->model->config),
                                  .ngram_rows = t->ngrams.rows,
                                  .seed = t->options.seed,
                                  .batch = t->options.batch,
                                  .time = t->options.time,
                                  .threads = t->options.threads,
                                  .steps = t->options.steps,
                                  .evidence_steps = t->options.evidence_steps,
                                  .step = t->step,
                                  .tokens_trained = t->model->tokens_trained};
    memcpy(header.magic, MAGIC, sizeof MAGIC);
    return header;
}

struct part {
    void *data;
    size_t bytes;
};

enum { PART_COUNT = 5 };

static void list_parts(const struct trainer *t, struct part *parts) {
    size_t count = t->model->layout.count * sizeof(real);
    parts[0] = (struct part){t->model->values, count};
    parts[1] = (struct part){t->first, count};
    parts[2] = (struct part){t->second, count};
    parts[3] =
        (struct part){t->model->ngrams, config_ngram_count(&t->model->config) * sizeof(real)};
    parts[4] = (struct part){t->ngrams.accumulator, t->ngrams.rows * sizeof(real)};
}

int trainer_save(const struct trainer *t, const char *path, struct error *error) {
    struct file_writer writer;
    if (file_writer_open(&writer, path, error))
        return -1;
    struct state_header header = header_of(t);
    struct part parts[PART_COUNT];
    list_parts(t, parts);
    fwrite(&header, sizeof header, 1, writer.stream);
    for (size_t i = 0; i < PART_COUNT; i++)
        if (parts[i].bytes > 0) /* a plain model has no n-grams, and NULL for them */
            fwrite(parts[i].data, 1, parts[i].bytes, writer.stream);
    return file_writer_commit(&writer, error); /* notices a failed write */
}

int trainer_restore(struct trainer *t, const char *path, struct error *error) {
    struct file_map map;
    if (file_map_open(&map, path, error))
        return -1;
    struct state_header header, mine = header_of(t);
    struct part parts[PART_COUNT];
    list_parts(t, parts);
    size_t wanted = sizeof header;
    for (size_t i = 0; i < PART_COUNT; i++)
        wanted += parts[i].bytes;
    int result = 0;
    if (map.bytes < sizeof header || memcmp(map.data, MAGIC, sizeof MAGIC) != 0) {
        result = error_set(error, "%s is not a training state", path);
    } else {
        memcpy(&header, map.data, sizeof header);
        mine.step = header.step;
        mine.tokens_trained = header.tokens_trained;
        if (memcmp(&header, &mine, sizeof header) != 0 || map.bytes != wanted ||
            header.step > t->options.steps)
            result = error_set(error,
                               "%s belongs to another run (model, seed, batch, threads or steps "
                               "differ) or is damaged; start afresh or give the same settings",
                               path);
    }
    if (result == 0) {
        const unsigned char *at = map.data + sizeof header;
        for (size_t i = 0; i < PART_COUNT; at += parts[i++].bytes)
            if (parts[i].bytes > 0)
                memcpy(parts[i].data, at, parts[i].bytes);
        t->step = header.step;
        t->model->tokens_trained = header.tokens_trained;
        model_refresh_operands(t->model);
        model_update_slot_states(t->model, t->states);
    }
    file_map_close(&map);
    return result;
}
