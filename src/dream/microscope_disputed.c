/* The disputed cases: documents that the reader would have labelled otherwise. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/memory.h"
#include "dream/evaluate.h"
#include "dream/microscope_private.h"
#include "dream/reading.h"

enum {
    READ_AT_ONCE = 8, /* documents between two looks at whether anybody still waits */
    SAID = 3,         /* labels that are named */
    LISTED = 100      /* cases of each kind */
};

/* One document as it was read. */
struct reading_case {
    const struct dataset_document *document;
    int is_held_out;
    size_t said[SAID], said_count; /* labels, the likeliest first */
    double probability[SAID], label_probability;
    struct date_summary date;
};

struct cases {
    struct microscope *m;
    struct reading_case *items;
    size_t count;
    size_t date;      /* the date slot that is compared; MAXIMUM_SLOTS: there is none */
    double *log_odds; /* room for the widest slot */
};

static size_t training_count(const struct microscope *m) {
    size_t most = m->options->disputed;
    return most < m->training.count ? most : m->training.count;
}

size_t microscope_disputed_count(const struct microscope *m) {
    return m->held_out.count + training_count(m);
}

static void judge_label(struct cases *c, struct reading_case *item, const real *mean,
                        const real *precision, double tokens) {
    const struct slot *slot = c->m->slot;
    const struct slot_state *state = &c->m->states[c->m->own];
    slot_belief(slot, state->points, state->sigma, mean + slot->first, precision + slot->first,
                tokens, c->log_odds);
    for (size_t k = 0; k < SAID && k < slot->point_count; k++) {
        size_t best = SIZE_MAX;
        for (size_t i = 0; i < slot->point_count; i++) {
            int is_taken = 0;
            for (size_t j = 0; j < k; j++)
                is_taken |= item->said[j] == i;
            if (!is_taken && (best == SIZE_MAX || c->log_odds[i] > c->log_odds[best]))
                best = i;
        }
        item->said[k] = best;
        item->probability[k] = exp(c->log_odds[best]);
        item->said_count = k + 1;
    }
    if (item->document->is_given[c->m->own])
        item->label_probability = exp(c->log_odds[item->document->target[c->m->own].index[0]]);
}

static void judge(struct cases *c, struct reading_case *item, const real *mean,
                  const real *precision, double tokens) {
    judge_label(c, item, mean, precision, tokens);
    if (c->date == MAXIMUM_SLOTS)
        return;
    const struct slot *slot = &c->m->model->slots.slots[c->date];
    const struct slot_state *state = &c->m->states[c->date];
    slot_belief(slot, state->points, state->sigma, mean + slot->first, precision + slot->first,
                tokens, c->log_odds);
    item->date = date_summarise(slot, c->log_odds);
}

/* Reads a few documents, each from its beginning to its end. */
static int read_some(struct cases *c, const struct dataset *some, int is_held_out,
                     struct error *error) {
    const struct model *model = c->m->model;
    size_t width = model->config.latent_width;
    struct reading reading;
    real *mean = memory_allocate(2 * width, sizeof *mean, error);
    if (mean == NULL)
        return -1;
    if (reading_create(&reading, model, some, model->config.context, c->m->options->threads, 0,
                       error)) {
        memory_free(mean);
        return -1;
    }
    for (size_t from = 0, to; from < reading.piece_count; from = to) {
        size_t document = reading.pieces[from].document;
        for (to = from; to < reading.piece_count && reading.pieces[to].document == document;)
            to++;
        reading_combine(&reading, from, to, mean, mean + width);
        for (size_t d = 0; d < width; d++)
            mean[d] /= mean[width + d];
        struct reading_case *item = &c->items[c->count++];
        *item = (struct reading_case){.document = &some->documents[document],
                                      .is_held_out = is_held_out};
        judge(c, item, mean, mean + width, (double)some->texts[document].count);
    }
    reading_free(&reading);
    memory_free(mean);
    return 0;
}

/* All held-out documents, and training documents spread over their split. */
static int read_all(struct cases *c, struct dataset *wanted, struct error *error) {
    struct microscope *m = c->m;
    size_t held_out = m->held_out.count, training = training_count(m);
    for (size_t i = 0; i < held_out + training; i++) {
        const struct dataset *from = i < held_out ? &m->held_out : &m->training;
        size_t at = i < held_out ? i : (i - held_out) * m->training.count / training;
        wanted->documents[i] = from->documents[at];
        wanted->texts[i] = from->texts[at];
    }
    for (size_t i = 0, count; i < wanted->count; i += count) {
        size_t end = i < held_out ? held_out : wanted->count;
        count = end - i < READ_AT_ONCE ? end - i : READ_AT_ONCE;
        struct dataset some = {
            .documents = wanted->documents + i, .texts = wanted->texts + i, .count = count};
        if (microscope_go_on(m, 0, "reading documents", error) ||
            read_some(c, &some, i < held_out, error))
            return -1;
        m->done += count;
    }
    return microscope_go_on(m, 0, "reading documents", error);
}

static int is_label_disputed(const struct cases *c, const struct reading_case *item) {
    size_t own = c->m->own;
    return item->document->is_given[own] && item->said[0] != item->document->target[own].index[0];
}

/* How far the label's year is from the reader's, when half of the 90 % interval counts as one. */
static double date_surprise(const struct cases *c, const struct reading_case *item) {
    double half = 0.5 * (item->date.high - item->date.low);
    return fabs(item->document->year[c->date] - item->date.median) / (half > 0 ? half : 1);
}

static int is_date_disputed(const struct cases *c, const struct reading_case *item) {
    double year = item->document->year[c->date];
    return item->document->is_given[c->date] && (year < item->date.low || year > item->date.high);
}

static int compare_labels(const void *a, const void *b, void *context) {
    (void)context;
    const struct reading_case *x = *(struct reading_case *const *)a;
    const struct reading_case *y = *(struct reading_case *const *)b;
    return (x->probability[0] < y->probability[0]) - (x->probability[0] > y->probability[0]);
}

static int compare_dates(const void *a, const void *b, void *context) {
    double x = date_surprise(context, *(struct reading_case *const *)a);
    double y = date_surprise(context, *(struct reading_case *const *)b);
    return (x < y) - (x > y);
}

static json_t *case_to_json(const struct cases *c, const struct reading_case *item) {
    const struct dataset_document *document = item->document;
    size_t own = c->m->own;
    json_t *said = json_array();
    for (size_t k = 0; k < item->said_count; k++)
        json_array_append_new(said, json_pack("[o, f]",
                                              microscope_label(c->m->slot->labels[item->said[k]]),
                                              item->probability[k]));
    json_t *json = json_pack("{s:o, s:b, s:I, s:o}", "document", microscope_label(document->name),
                             "is_held_out", item->is_held_out, "tokens",
                             (json_int_t)document->text.count, "said", said);
    if (document->is_given[own]) {
        json_object_set_new(json, "label",
                            microscope_label(c->m->slot->labels[document->target[own].index[0]]));
        json_object_set_new(json, "label_probability", microscope_number(item->label_probability));
    }
    if (c->date != MAXIMUM_SLOTS && document->is_given[c->date]) {
        json_object_set_new(json, "year", microscope_number(document->year[c->date]));
        json_object_set_new(
            json, "read",
            json_pack("[f, f, f]", item->date.low, item->date.median, item->date.high));
    }
    return json;
}

typedef int is_disputed(const struct cases *c, const struct reading_case *item);

/* {"labelled": how many could be compared, "agreeing": how many do, "cases": the others}, for one
 * split. */
static json_t *select_cases(struct cases *c, size_t slot, is_disputed *differs,
                            int (*compare)(const void *, const void *, void *), int is_held_out,
                            struct error *error) {
    struct reading_case **order = memory_allocate(c->count, sizeof(struct reading_case *), error);
    size_t labelled = 0, count = 0;
    json_t *list = json_array();
    if (order == NULL)
        return NULL;
    for (size_t i = 0; i < c->count; i++) {
        struct reading_case *item = &c->items[i];
        if (item->is_held_out != is_held_out || !item->document->is_given[slot])
            continue;
        labelled++;
        if (differs(c, item))
            order[count++] = item;
    }
    qsort_r(order, count, sizeof *order, compare, c);
    for (size_t i = 0; i < count && i < LISTED; i++)
        json_array_append_new(list, case_to_json(c, order[i]));
    memory_free(order);
    return json_pack("{s:b, s:I, s:I, s:o}", "is_held_out", is_held_out, "labelled",
                     (json_int_t)labelled, "agreeing", (json_int_t)(labelled - count), "cases",
                     list);
}

static json_t *cases_to_json(struct cases *c, struct error *error) {
    json_t *labels = json_array(), *dates = json_array();
    int splits = training_count(c->m) > 0 ? 2 : 1;
    for (int k = 0; k < splits; k++) {
        json_array_append_new(
            labels, select_cases(c, c->m->own, is_label_disputed, compare_labels, k == 0, error));
        if (c->date != MAXIMUM_SLOTS)
            json_array_append_new(
                dates, select_cases(c, c->date, is_date_disputed, compare_dates, k == 0, error));
    }
    json_t *json = json_pack("{s:o, s:o}", "labels", labels, "dates", dates);
    if (json != NULL && c->date != MAXIMUM_SLOTS)
        json_object_set_new(json, "date_slot",
                            microscope_label(c->m->model->slots.slots[c->date].name));
    if (json == NULL)
        error_set(error, "out of memory for the disputed cases");
    return json;
}

json_t *microscope_disputed(struct microscope *m, struct error *error) {
    const struct slots *slots = &m->model->slots;
    size_t count = microscope_disputed_count(m), widest = 1;
    struct cases c = {.m = m, .date = MAXIMUM_SLOTS};
    struct dataset wanted = {.count = count};
    for (size_t s = slots->count; s-- > 0;) {
        widest = slots->slots[s].point_count > widest ? slots->slots[s].point_count : widest;
        if (slots->slots[s].kind == LATENT_DATE)
            c.date = s;
    }
    c.items = memory_allocate(count, sizeof *c.items, error);
    c.log_odds = memory_allocate(widest, sizeof *c.log_odds, error);
    wanted.documents = memory_allocate(count, sizeof *wanted.documents, error);
    wanted.texts = memory_allocate(count, sizeof *wanted.texts, error);
    json_t *json = NULL;
    if (c.items != NULL && c.log_odds != NULL && wanted.documents != NULL && wanted.texts != NULL &&
        read_all(&c, &wanted, error) == 0)
        json = cases_to_json(&c, error);
    memory_free(c.items);
    memory_free(c.log_odds);
    memory_free(wanted.documents);
    memory_free(wanted.texts);
    return json;
}
