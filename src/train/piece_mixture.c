#include "train/piece_mixture.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

/* The labelled pieces have an order of their own. */
static const uint64_t LABELLED_STREAM = 0x1abe11ed;

static int is_labelled(const struct dataset_document *document) {
    for (size_t s = 0; s < MAXIMUM_SLOTS; s++)
        if (document->is_given[s])
            return 1;
    return 0;
}

/* Of `batch` pieces so many from labelled documents alone that with those that the sampler deals
 * anyway the share is reached. */
static size_t extra_pieces(double labelled, double all, size_t batch, double share) {
    double own = all > 0 ? labelled / all : 0;
    if (labelled <= 0 || own >= share)
        return 0;
    double extra = floor((double)batch * (share - own) / (1 - own) + 0.5);
    return extra < (double)(batch - 1) ? (size_t)extra : batch - 1;
}

static int add_labelled(struct piece_mixture *m, const struct dataset *dataset, size_t time,
                        double share, uint64_t seed, struct error *error) {
    size_t count = 0, tokens = 0;
    m->texts = memory_allocate(dataset->count, sizeof *m->texts, error);
    m->documents = memory_allocate(dataset->count, sizeof *m->documents, error);
    m->pieces = memory_allocate(m->batch, sizeof *m->pieces, error);
    if (m->texts == NULL || m->documents == NULL || m->pieces == NULL)
        return -1;
    for (size_t i = 0; i < dataset->count; i++)
        if (is_labelled(&dataset->documents[i]) && dataset->texts[i].count > 1) {
            m->texts[count] = dataset->texts[i];
            m->documents[count++] = i;
            tokens += dataset->texts[i].count;
        }
    m->extra = extra_pieces((double)tokens, (double)dataset->token_count, m->batch, share);
    /* One by one: there may be fewer pieces than a step takes. */
    return m->extra == 0 ? 0
                         : sampler_create(&m->labelled, m->texts, count, time, 1,
                                          seed ^ LABELLED_STREAM, error);
}

int piece_mixture_create(struct piece_mixture *m, const struct dataset *dataset, size_t time,
                         size_t batch, double share, uint64_t seed, struct error *error) {
    *m = (struct piece_mixture){.batch = batch};
    if (add_labelled(m, dataset, time, share, seed, error) ||
        sampler_create(&m->all, dataset->texts, dataset->count, time, batch - m->extra, seed,
                       error)) {
        piece_mixture_free(m);
        return -1;
    }
    return 0;
}

void piece_mixture_free(struct piece_mixture *m) {
    sampler_free(&m->all);
    sampler_free(&m->labelled);
    memory_free(m->texts);
    memory_free(m->documents);
    memory_free(m->pieces);
    *m = (struct piece_mixture){0};
}

int piece_mixture_pieces(struct piece_mixture *m, size_t step, const struct piece **pieces,
                         struct error *error) {
    const struct piece *labelled;
    if (sampler_pieces(&m->all, step, pieces, error))
        return -1;
    if (m->extra == 0)
        return 0;
    memcpy(m->pieces, *pieces, (m->batch - m->extra) * sizeof *m->pieces);
    for (size_t i = 0; i < m->extra; i++) {
        struct piece *piece = &m->pieces[m->batch - m->extra + i];
        if (sampler_pieces(&m->labelled, step * m->extra + i, &labelled, error))
            return -1;
        *piece = *labelled;
        piece->document = m->documents[piece->document];
    }
    *pieces = m->pieces;
    return 0;
}
