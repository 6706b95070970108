#include "truth/witness.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

int base_texts_collect(struct base_texts *out, const struct belief_base *base,
                       struct error *error) {
    *out = (struct base_texts){0};
    out->texts = memory_allocate(base->count, sizeof *out->texts, error);
    out->places = memory_allocate(base->count, sizeof *out->places, error);
    if (out->texts == NULL || out->places == NULL) {
        base_texts_free(out);
        return -1;
    }
    for (size_t i = 0; i < base->count; i++) {
        const struct sentence *s = sentences_get(base->sentences, base->items[i].sentence);
        if (base->items[i].is_constraint || s->kind != SENTENCE_ATOM)
            continue;
        out->texts[out->count] = s->text;
        out->places[out->count++] = i;
    }
    return 0;
}

void base_texts_free(struct base_texts *t) {
    memory_free(t->texts);
    memory_free(t->places);
    *t = (struct base_texts){0};
}

static int is_open(const struct belief *belief, uint32_t day) {
    return belief->verdict == VERDICT_UNKNOWN || belief->day >= day;
}

/* Drops what was known before the day. */
static void keep_open(struct base_texts *t, const struct belief_base *base, uint32_t day) {
    size_t kept = 0;
    for (size_t i = 0; i < t->count; i++)
        if (is_open(&base->items[t->places[i]], day)) {
            t->texts[kept] = t->texts[i];
            t->places[kept++] = t->places[i];
        }
    t->count = kept;
}

static int add(struct opinions *opinions, const char *name, const char *way,
               const struct belief_base *base, const struct base_texts *t, uint32_t day,
               const double *said, struct error *error) {
    char trader[160];
    snprintf(trader, sizeof trader, "%.120s, %s", name, way);
    for (size_t i = 0; i < t->count; i++)
        if (opinions_add(opinions, trader, OPINION_LOG_ODDS, base->items[t->places[i]].sentence,
                         day, said[i], error))
            return -1;
    return 0;
}

static int testify_asked(struct opinions *opinions, const char *name, struct asking *asking,
                         const struct asked *asked, const struct belief_base *base,
                         const struct base_texts *t, uint32_t day, size_t threads, double *said,
                         struct error *error) {
    struct belief_of_model *beliefs = memory_allocate(t->count, sizeof *beliefs, error);
    int result =
        beliefs == NULL || asking_ask(asking, asked, t->texts, t->count, threads, beliefs, error)
            ? -1
            : 0;
    for (size_t i = 0; result == 0 && i < t->count; i++)
        said[i] = beliefs[i].log_odds;
    if (result == 0)
        result = add(opinions, name, "asked", base, t, day, said, error);
    memory_free(beliefs);
    return result;
}

int witness_testify(struct opinions *opinions, const char *name, int ways, struct asking *asking,
                    const struct asked *asked, const struct belief_base *base, uint32_t day,
                    size_t threads, struct error *error) {
    struct base_texts t;
    if (base_texts_collect(&t, base, error))
        return -1;
    keep_open(&t, base, day);
    double *said = memory_allocate(t.count, sizeof *said, error);
    int result = said == NULL ? -1 : 0;
    if (result == 0 && ways & WITNESS_ASKED)
        result = testify_asked(opinions, name, asking, asked, base, &t, day, threads, said, error);
    if (result == 0 && ways & WITNESS_HEARD)
        result = asking_hear(asking, asked, t.texts, t.count, threads, said, error) ||
                 add(opinions, name, "heard", base, &t, day, said, error);
    memory_free(said);
    base_texts_free(&t);
    return result ? -1 : 0;
}

int witness_read(struct opinions *opinions, const char *name, struct library *library,
                 const struct library_filter *filter, const struct belief_base *base,
                 struct error *error) {
    struct base_texts t;
    if (base_texts_collect(&t, base, error))
        return -1;
    int result = 0;
    for (size_t i = 0; result == 0 && i < t.count; i++) {
        struct testimony testimony;
        result = library_consult(library, t.texts[i], filter, &testimony, error) ||
                 opinions_add(opinions, name, OPINION_LOG_ODDS, base->items[t.places[i]].sentence,
                              1, testimony.log_odds, error);
        testimony_free(&testimony);
    }
    base_texts_free(&t);
    return result ? -1 : 0;
}
