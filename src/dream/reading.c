#include "dream/reading.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/memory.h"

const size_t CHECKPOINT_TOKENS[CHECKPOINT_COUNT] = {32, 64, 128, 256};

struct reader {
    const struct model *model;
    const struct dataset *dataset;
    struct slot_state *states;
    size_t time;
    int conditions;
};

/* One thread's buffers. */
struct reader_buffers {
    struct pass *pass;
    int32_t *tokens, *targets;
    real *losses, *told, *mask;
};

static int buffers_create(struct reader_buffers *b, const struct reader *reader,
                          struct error *error) {
    struct weights weights = model_weights(reader->model);
    size_t width = reader->model->config.latent_width;
    b->tokens = memory_allocate(reader->time, sizeof *b->tokens, error);
    b->targets = memory_allocate(reader->time, sizeof *b->targets, error);
    b->losses = memory_allocate(reader->time, sizeof(real), error);
    b->told = memory_allocate(width, sizeof(real), error);
    b->mask = memory_allocate(width, sizeof(real), error);
    if (!b->tokens || !b->targets || !b->losses || !b->told || !b->mask)
        return -1;
    return pass_create(&b->pass, &weights, 1, reader->time, 0, error);
}

static void buffers_destroy(struct reader_buffers *b) {
    pass_destroy(b->pass);
    memory_free(b->tokens);
    memory_free(b->targets);
    memory_free(b->losses);
    memory_free(b->told);
    memory_free(b->mask);
}

/* told <- the vectors of the document's labels, or of another document's for a wrong handle. */
static void tell_labels(const struct reader *reader, struct reader_buffers *b, size_t document,
                        enum condition condition) {
    const struct slots *slots = &reader->model->slots;
    size_t count = reader->dataset->count;
    size_t teller = condition == CONDITION_WRONG ? (document + count / 2) % count : document;
    const struct dataset_document *from = &reader->dataset->documents[teller];
    for (size_t s = 0; s < slots->count; s++) {
        const struct slot *slot = &slots->slots[s];
        int is_told = condition != CONDITION_UNTOLD && from->is_given[s];
        for (size_t d = 0; d < slot->width; d++) {
            double value = 0;
            for (int k = 0; is_told && k < 2; k++)
                value +=
                    from->target[s].weight[k] *
                    (double)reader->states[s].points[from->target[s].index[k] * slot->width + d];
            b->told[slot->first + d] = (real)value;
            b->mask[slot->first + d] = (real)is_told;
        }
    }
}

static void keep_handles(const struct reader *reader, struct reader_buffers *b,
                         struct piece_reading *piece) {
    size_t width = reader->model->config.latent_width, last = (piece->count - 1) * width;
    const real *mean = pass_mean(b->pass), *precision = pass_precision(b->pass);
    for (size_t c = 0; c < CHECKPOINT_COUNT; c++) {
        if (CHECKPOINT_TOKENS[c] > piece->count)
            break;
        size_t at = (CHECKPOINT_TOKENS[c] - 1) * width;
        memcpy(piece->mean + c * width, mean + at, width * sizeof(real));
        memcpy(piece->precision + c * width, precision + at, width * sizeof(real));
    }
    for (size_t d = 0; d < width; d++) {
        piece->information[d] = mean[last + d] * precision[last + d];
        piece->added_precision[d] = precision[last + d] - 1;
    }
}

static void read_piece(const struct reader *reader, struct reader_buffers *b,
                       struct piece_reading *piece) {
    const uint32_t *tokens = reader->dataset->texts[piece->document].tokens + piece->start;
    for (size_t i = 0; i < reader->time; i++) {
        b->tokens[i] = i < piece->count ? (int32_t)tokens[i] : 0;
        b->targets[i] = i < piece->count ? (int32_t)tokens[i + 1] : -1;
    }
    for (int c = 0; c < CONDITION_COUNT; c++)
        piece->loss[c] = NAN;
    struct pass_handle handle = {.told = b->told, .told_mask = b->mask};
    for (int c = 0; c < reader->conditions || c == 0; c++) {
        tell_labels(reader, b, piece->document, (enum condition)c);
        if (c == 0) /* what is told concerns the writer alone */
            pass_read(b->pass, b->tokens, &handle);
        if (c == 0 && reader->model->config.latent_width > 0)
            keep_handles(reader, b, piece);
        if (c >= reader->conditions)
            break;
        pass_write(b->pass, &handle, b->targets, b->losses);
        piece->loss[c] = 0;
        for (size_t i = 0; i < piece->count; i++)
            piece->loss[c] += (double)b->losses[i];
    }
}

static int list_pieces(struct reading *r, const struct dataset *dataset, size_t time,
                       struct error *error) {
    size_t width = r->latent_width, per_piece = (2 * CHECKPOINT_COUNT + 2) * width;
    for (size_t d = 0; d < dataset->count; d++)
        if (dataset->texts[d].count > 1)
            r->piece_count += (dataset->texts[d].count - 1 + time - 1) / time;
    r->pieces = memory_allocate(r->piece_count, sizeof *r->pieces, error);
    r->storage = memory_allocate(r->piece_count * per_piece, sizeof(real), error);
    if (r->pieces == NULL || r->storage == NULL)
        return -1;
    real *at = r->storage;
    struct piece_reading *piece = r->pieces;
    for (size_t d = 0; d < dataset->count; d++)
        for (size_t start = 0; start + 1 < dataset->texts[d].count; start += time, piece++) {
            size_t left = dataset->texts[d].count - 1 - start;
            *piece = (struct piece_reading){
                .document = d, .start = start, .count = left < time ? left : time, .mean = at};
            piece->precision = piece->mean + CHECKPOINT_COUNT * width;
            piece->information = piece->precision + CHECKPOINT_COUNT * width;
            piece->added_precision = piece->information + width;
            at += per_piece;
        }
    return 0;
}

int reading_create(struct reading *out, const struct model *model, const struct dataset *dataset,
                   size_t time, size_t threads, int conditions, struct error *error) {
    struct reader reader = {.model = model,
                            .dataset = dataset,
                            .time = time,
                            .conditions =
                                model->slots.count == 0 && conditions > 1 ? 1 : conditions};
    *out = (struct reading){.latent_width = model->config.latent_width};
    if (list_pieces(out, dataset, time, error) || model_slot_states(model, &reader.states, error)) {
        reading_free(out);
        return -1;
    }
    int failed = 0;
#pragma omp parallel num_threads((int)threads) reduction(| : failed)
    {
        struct reader_buffers buffers = {0};
        struct error mine;
        failed = buffers_create(&buffers, &reader, &mine) != 0;
#pragma omp critical
        if (failed)
            *error = mine;
#pragma omp for schedule(dynamic, 4)
        for (size_t i = 0; i < out->piece_count; i++)
            if (!failed)
                read_piece(&reader, &buffers, &out->pieces[i]);
        buffers_destroy(&buffers);
    }
    slot_states_destroy(reader.states, model->slots.count);
    if (failed) {
        reading_free(out);
        return -1;
    }
    return 0;
}

void reading_free(struct reading *reading) {
    memory_free(reading->pieces);
    memory_free(reading->storage);
    *reading = (struct reading){0};
}

void reading_combine(const struct reading *r, size_t from, size_t to, real *information,
                     real *precision) {
    for (size_t d = 0; d < r->latent_width; d++) {
        double eta = 0, lambda = 1;
        for (size_t i = from; i < to; i++) {
            eta += (double)r->pieces[i].information[d];
            lambda += (double)r->pieces[i].added_precision[d];
        }
        information[d] = (real)eta;
        precision[d] = (real)lambda;
    }
}
