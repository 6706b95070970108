#include "dream/label_facts.h"

#include <math.h>
#include <stdio.h>

#include "base/memory.h"

void label_facts_free(struct label_facts *f) {
    for (size_t i = 0; i < f->count; i++)
        memory_free(f->items[i].values);
    for (size_t s = 0; s < MAXIMUM_SLOTS; s++) {
        memory_free(f->mean_years[s]);
        memory_free(f->commonest[s]);
    }
    memory_free(f->documents);
    *f = (struct label_facts){0};
}

static size_t label_count(const struct label_facts *f) {
    return f->slots->slots[f->own].point_count;
}

static int count_documents(struct label_facts *f, const struct dataset *documents,
                           struct error *error) {
    f->documents = memory_allocate(label_count(f), sizeof *f->documents, error);
    if (f->documents == NULL)
        return -1;
    for (size_t i = 0; i < documents->count; i++)
        if (documents->documents[i].is_given[f->own])
            f->documents[documents->documents[i].target[f->own].index[0]]++;
    return 0;
}

/* counts[labels, points of the other slot]; those of a date slot stand in the first column, and
 * `years` gets their sums. */
static void count_labels(const struct label_facts *f, const struct dataset *documents, size_t other,
                         double *counts, double *years) {
    const struct slot *slot = &f->slots->slots[other];
    size_t columns = slot->kind == LATENT_DATE ? 1 : slot->point_count;
    for (size_t i = 0; i < documents->count; i++) {
        const struct dataset_document *d = &documents->documents[i];
        if (!d->is_given[f->own] || !d->is_given[other])
            continue;
        size_t label = d->target[f->own].index[0];
        if (slot->kind == LATENT_DATE) {
            counts[label * columns]++;
            years[label] += d->year[other];
        } else {
            counts[label * columns + d->target[other].index[0]]++;
        }
    }
}

static int add_fact(struct label_facts *f, const double *values, size_t stride,
                    const double *totals, const char *name, const char *of, struct error *error) {
    size_t labels = label_count(f);
    if (f->count == MAXIMUM_LABEL_FACTS)
        return 0;
    struct atlas_fact *fact = &f->items[f->count];
    fact->values = memory_allocate(labels, sizeof *fact->values, error);
    if (fact->values == NULL)
        return -1;
    f->count++;
    snprintf(fact->name, sizeof fact->name, "%s%s%.80s", name, *of != '\0' ? " " : "", of);
    for (size_t i = 0; i < labels; i++)
        fact->values[i] = totals[i] > 0 ? values[i * stride] / totals[i] : NAN;
    return 0;
}

static int add_years(struct label_facts *f, size_t other, const double *counts, const double *years,
                     struct error *error) {
    size_t labels = label_count(f);
    char name[80];
    snprintf(name, sizeof name, "mean %s", f->slots->slots[other].name);
    f->mean_years[other] = memory_allocate(labels, sizeof *f->mean_years[other], error);
    if (f->mean_years[other] == NULL)
        return -1;
    for (size_t i = 0; i < labels; i++)
        f->mean_years[other][i] = counts[i] > 0 ? years[i] / counts[i] : NAN;
    return add_fact(f, years, 1, counts, name, "", error);
}

static int add_shares(struct label_facts *f, size_t other, const double *counts, double *totals,
                      struct error *error) {
    const struct slot *slot = &f->slots->slots[other];
    size_t labels = label_count(f), columns = slot->point_count;
    f->commonest[other] = memory_allocate(labels, sizeof *f->commonest[other], error);
    if (f->commonest[other] == NULL)
        return -1;
    for (size_t i = 0; i < labels; i++) {
        double most = 0;
        totals[i] = 0;
        for (size_t k = 0; k < columns; k++) {
            double count = counts[i * columns + k];
            totals[i] += count;
            if (count > most) {
                most = count;
                f->commonest[other][i] = k + 1;
            }
        }
    }
    for (size_t k = 0; k < columns; k++)
        if (add_fact(f, counts + k, columns, totals, slot->name, slot->labels[k], error))
            return -1;
    return 0;
}

static int gather(struct label_facts *f, const struct dataset *documents, size_t other,
                  struct error *error) {
    const struct slot *slot = &f->slots->slots[other];
    int is_date = slot->kind == LATENT_DATE;
    size_t labels = label_count(f), columns = is_date ? 1 : slot->point_count;
    double *counts = memory_allocate(labels * columns, sizeof *counts, error);
    double *sums = memory_allocate(labels, sizeof *sums, error);
    int result = counts == NULL || sums == NULL ? -1 : 0;
    if (result == 0) {
        count_labels(f, documents, other, counts, sums);
        result = is_date ? add_years(f, other, counts, sums, error)
                         : add_shares(f, other, counts, sums, error);
    }
    memory_free(counts);
    memory_free(sums);
    return result;
}

int label_facts_create(struct label_facts *f, const struct slots *slots, size_t own,
                       const struct dataset *documents, struct error *error) {
    *f = (struct label_facts){.slots = slots, .own = own};
    int result = count_documents(f, documents, error);
    for (int dates = 1; dates >= 0; dates--)
        for (size_t s = 0; result == 0 && s < slots->count; s++)
            if (s != own && slots->slots[s].kind == (dates ? LATENT_DATE : LATENT_CATEGORICAL))
                result = gather(f, documents, s, error);
    return result;
}

size_t label_facts_strongest(const struct label_facts *f, const struct atlas_component *component,
                             size_t *strongest, size_t most) {
    int is_taken[MAXIMUM_LABEL_FACTS] = {0};
    size_t count = 0;
    while (count < most) {
        size_t best = f->count;
        for (size_t i = 0; i < f->count; i++)
            if (!is_taken[i] && isfinite(component->correlations[i]) &&
                (best == f->count ||
                 fabs(component->correlations[i]) > fabs(component->correlations[best])))
                best = i;
        if (best == f->count)
            break;
        is_taken[best] = 1;
        strongest[count++] = best;
    }
    return count;
}
