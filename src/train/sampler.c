#include "train/sampler.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/random.h"

static int add_piece(struct sampler *s, size_t document, size_t start, size_t end,
                     struct error *error) {
    if (end <= start + 1) /* a single token has nothing to predict */
        return 0;
    if (memory_grow(&s->pieces, &s->piece_capacity, s->piece_count + 1, sizeof *s->pieces, error))
        return -1;
    s->pieces[s->piece_count++] = (struct piece){document, start, end - start - 1};
    return 0;
}

/* Pieces share their border token: the last target of one is the first input of the next. */
static int cut_document(struct sampler *s, size_t document, struct random *random,
                        struct error *error) {
    size_t count = s->documents[document].count, start = 0;
    size_t end = count > s->time ? 1 + random_below(random, s->time) : count - (count > 0);
    while (count > 1) {
        size_t limit = end + 1 < count ? end + 1 : count;
        if (add_piece(s, document, start, limit, error))
            return -1;
        if (limit == count)
            break;
        start = end;
        end += s->time;
    }
    return 0;
}

static int start_epoch(struct sampler *s, struct error *error) {
    struct random random;
    random_seed(&random, s->seed, s->epoch);
    s->piece_count = 0;
    for (size_t d = 0; d < s->document_count; d++)
        if (cut_document(s, d, &random, error))
            return -1;
    for (size_t i = s->piece_count; i > 1; i--) {
        size_t j = random_below(&random, i);
        struct piece kept = s->pieces[i - 1];
        s->pieces[i - 1] = s->pieces[j];
        s->pieces[j] = kept;
    }
    s->epoch_steps = s->piece_count / s->batch;
    if (s->epoch_steps == 0)
        return error_set(error, "%zu training pieces are too few for batches of %zu",
                         s->piece_count, s->batch);
    return 0;
}

int sampler_create(struct sampler *sampler, const struct sampler_document *documents,
                   size_t document_count, size_t time, size_t batch, uint64_t seed,
                   struct error *error) {
    *sampler = (struct sampler){.documents = documents,
                                .document_count = document_count,
                                .time = time,
                                .batch = batch,
                                .seed = seed};
    return start_epoch(sampler, error);
}

void sampler_free(struct sampler *sampler) {
    free(sampler->pieces);
    *sampler = (struct sampler){0};
}

int sampler_pieces(struct sampler *s, size_t step, const struct piece **pieces,
                   struct error *error) {
    while (step >= s->epoch_first_step + s->epoch_steps) {
        s->epoch_first_step += s->epoch_steps;
        s->epoch++;
        if (start_epoch(s, error))
            return -1;
    }
    *pieces = s->pieces + (step - s->epoch_first_step) * s->batch;
    return 0;
}
