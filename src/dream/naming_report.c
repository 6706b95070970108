#include "dream/naming_report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "dream/reading.h"

enum { MISSPELLINGS = 4, STRANGERS_OF_LABEL = 2, VARIANTS_FILE_LIMIT = 1 << 24 };

struct measure {
    struct naming_report *report;
    struct naming *naming;
    const struct model *model;
    const struct slot *slot;
    const struct corpus *corpus;
    const struct name_titles *titles;
    double *log_odds, *years; /* [labels] */
};

/* The label of least distance, or -1 when two have it. */
static long nearest(const struct slot *slot, const char *name) {
    size_t least = SIZE_MAX;
    long best = -1;
    for (size_t i = 0; i < slot->point_count; i++) {
        size_t distance = name_distance(name, slot->labels[i]);
        if (distance == least)
            best = -1;
        if (distance < least) {
            least = distance;
            best = (long)i;
        }
    }
    return best;
}

/* `label` -1: nobody's. */
static int judge(struct measure *m, struct naming_score *score, const char *name, long label,
                 struct error *error) {
    const struct slot *slot = m->slot;
    if (naming_resolve(m->naming, name, m->log_odds, error))
        return -1;
    size_t best = slot_likeliest(slot, m->log_odds);
    long searched = slot_find_name(slot, name), taken = searched;
    if (searched < 0 && exp(m->log_odds[best]) >= NAMING_TAKEN)
        taken = (long)best;
    score->count++;
    score->searched += label >= 0 && searched == label;
    score->edited += label >= 0 && nearest(slot, name) == label;
    score->network += label >= 0 && (long)best == label;
    score->taken += label >= 0 && taken == label;
    score->mistaken += taken >= 0 && taken != label;
    return 0;
}

static void add_score(struct naming_score *sum, const struct naming_score *score) {
    sum->count += score->count;
    sum->searched += score->searched;
    sum->edited += score->edited;
    sum->network += score->network;
    sum->taken += score->taken;
    sum->mistaken += score->mistaken;
}

static int measure_label(struct measure *m, size_t label, struct error *error) {
    struct name_facts facts = {m->titles, m->years[label]};
    char name[NAME_BYTES];
    size_t made = 0;
    for (enum name_rule rule = 0; rule < NAME_RULES; rule++)
        for (size_t draw = 0; draw < (rule == NAME_MISSPELT ? MISSPELLINGS : 1); draw++) {
            struct error ignored;
            if (!naming_variant(m->slot, label, rule, draw, 1, &facts, name))
                continue;
            /* A label too long to be read is no failure of the others. */
            made += judge(m, &m->report->rules[rule], name, (long)label, &ignored) == 0;
        }
    m->report->least = made < m->report->least ? made : m->report->least;
    for (size_t draw = 0; draw < STRANGERS_OF_LABEL; draw++) {
        struct random random;
        random_seed(&random, 0x3ea5, label ^ draw << 40 ^ 1ull << 60);
        name_stranger(name, m->slot->labels[label], &random);
        if (judge(m, &m->report->strangers, name, -1, error))
            return -1;
    }
    return 0;
}

/* A year of a document of each label. */
static void find_years(struct measure *m, const struct dataset *dataset) {
    const struct slots *slots = &m->model->slots;
    size_t s = (size_t)(m->slot - slots->slots), date = 0;
    while (date < slots->count && slots->slots[date].kind != LATENT_DATE)
        date++;
    for (size_t i = 0; date < slots->count && i < dataset->count; i++) {
        const struct dataset_document *d = &dataset->documents[i];
        if (d->is_given[s] && d->is_given[date])
            m->years[d->target[s].index[0]] = d->year[date];
    }
}

static int measure_labels(struct measure *m, struct error *error) {
    struct naming_report *report = m->report;
    struct dataset training = {0};
    for (size_t i = 0; i < m->slot->point_count; i++)
        m->years[i] = NAN;
    if (dataset_create(&training, m->corpus, &m->model->slots, DATASET_TRAIN, 0, error))
        return -1;
    find_years(m, &training);
    dataset_free(&training);
    report->labels = m->slot->point_count;
    report->least = SIZE_MAX;
    for (size_t i = 0; i < report->labels; i++)
        if (measure_label(m, i, error))
            return -1;
    for (enum name_rule rule = 0; rule < NAME_RULES; rule++)
        add_score(rule < NAME_FIRST_UNSEEN ? &report->seen : &report->unseen, &report->rules[rule]);
    return 0;
}

static int measure_line(struct measure *m, char *line, size_t bytes, struct error *error) {
    json_error_t problem;
    json_t *json = json_loadb(line, bytes, JSON_REJECT_DUPLICATES, &problem);
    const char *name = json_string_value(json_object_get(json, "name"));
    const json_t *label = json_object_get(json, "label");
    long index = json_is_string(label) ? slot_find_label(m->slot, json_string_value(label)) : -1;
    int result;
    if (json == NULL)
        result = error_set(error, "%s", problem.text);
    else if (name == NULL || (!json_is_string(label) && !json_is_null(label)))
        result = error_set(error, "{\"name\": text, \"label\": text or null} expected");
    else if (json_is_string(label) && index < 0)
        result = error_set(error, "slot %s has no label '%.80s'", m->slot->name,
                           json_string_value(label));
    else
        result = judge(m, index >= 0 ? &m->report->by_hand : &m->report->by_hand_strangers, name,
                       index, error);
    json_decref(json);
    return result;
}

static int measure_file(struct measure *m, const char *path, struct error *error) {
    char *text;
    size_t bytes, line = 1;
    int result = 0;
    if (file_read_all(path, VARIANTS_FILE_LIMIT, &text, &bytes, error))
        return -1;
    for (size_t at = 0, end; result == 0 && at < bytes; at = end + 1, line++) {
        const char *stop = memchr(text + at, '\n', bytes - at);
        struct error inner;
        end = stop != NULL ? (size_t)(stop - text) : bytes;
        if (end > at && measure_line(m, text + at, end - at, &inner))
            result = error_set(error, "%s:%zu: %.900s", path, line, inner.message);
    }
    free(text);
    return result;
}

/* One document: mean[Z] of the reader's belief. */
static int measure_document(struct measure *m, const struct slot_state *states, size_t label,
                            const real *mean, const real *precision, double tokens,
                            struct error *error) {
    struct naming_report *report = m->report;
    size_t s = (size_t)(m->slot - m->model->slots.slots);
    char spelt[NAME_BYTES];
    slot_posterior(m->slot, states[s].points, states[s].sigma, mean + m->slot->first,
                   precision + m->slot->first, 0, m->log_odds);
    report->document_read += slot_likeliest(m->slot, m->log_odds) == label;
    if (naming_write_belief(m->naming, mean, precision, tokens, m->log_odds, error) ||
        naming_spell(m->naming, mean, NULL, spelt, error))
        return -1;
    report->document_written += slot_likeliest(m->slot, m->log_odds) == label;
    report->document_spelt += strcmp(spelt, m->slot->labels[label]) == 0;
    report->documents++;
    return 0;
}

static int measure_reading(struct measure *m, const struct dataset *dataset,
                           const struct reading *reading, const struct slot_state *states,
                           real *room, struct error *error) {
    size_t s = (size_t)(m->slot - m->model->slots.slots), width = m->model->config.latent_width;
    real *mean = room, *precision = room + width;
    for (size_t from = 0, to; from < reading->piece_count; from = to) {
        size_t d = reading->pieces[from].document;
        for (to = from; to < reading->piece_count && reading->pieces[to].document == d;)
            to++;
        if (!dataset->documents[d].is_given[s])
            continue;
        reading_combine(reading, from, to, mean, precision);
        for (size_t i = 0; i < width; i++)
            mean[i] /= precision[i];
        if (measure_document(m, states, dataset->documents[d].target[s].index[0], mean, precision,
                             (double)dataset->texts[d].count, error))
            return -1;
    }
    return 0;
}

static int measure_documents(struct measure *m, size_t threads, struct error *error) {
    struct dataset dataset = {0};
    struct reading reading = {0};
    struct slot_state *states = NULL;
    size_t width = m->model->config.latent_width;
    real *room = memory_allocate(2 * width, sizeof *room, error);
    int result =
        room == NULL || model_slot_states(m->model, &states, error) ||
        dataset_create(&dataset, m->corpus, &m->model->slots, DATASET_HELD_OUT, 0, error) ||
        reading_create(&reading, m->model, &dataset, m->model->config.context, threads, 0, error) ||
        measure_reading(m, &dataset, &reading, states, room, error);
    reading_free(&reading);
    dataset_free(&dataset);
    slot_states_destroy(states, m->model->slots.count);
    memory_free(room);
    return result ? -1 : 0;
}

int naming_report_create(struct naming_report *report, const struct model *model,
                         const struct corpus *corpus, const struct name_titles *titles,
                         const char *variants, size_t threads, struct error *error) {
    struct measure m = {.report = report, .model = model, .corpus = corpus, .titles = titles};
    *report = (struct naming_report){0};
    if (corpus_check_tokenizer(corpus, model->tokenizer, error) ||
        naming_create(&m.naming, model, error))
        return -1;
    m.slot = naming_slot(m.naming);
    m.log_odds = memory_allocate(m.slot->point_count, sizeof *m.log_odds, error);
    m.years = memory_allocate(m.slot->point_count, sizeof *m.years, error);
    int result = !m.log_odds || !m.years || measure_labels(&m, error) ||
                 (variants != NULL && measure_file(&m, variants, error)) ||
                 measure_documents(&m, threads, error);
    memory_free(m.log_odds);
    memory_free(m.years);
    naming_destroy(m.naming);
    return result ? -1 : 0;
}

static json_t *score_to_json(const struct naming_score *score) {
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "count", (json_int_t)score->count,
                     "searched", (json_int_t)score->searched, "edit_distance",
                     (json_int_t)score->edited, "network", (json_int_t)score->network, "taken",
                     (json_int_t)score->taken, "mistaken", (json_int_t)score->mistaken);
}

json_t *naming_report_to_json(const struct naming_report *r) {
    json_t *rules = json_object();
    for (enum name_rule rule = 0; rule < NAME_RULES; rule++)
        json_object_set_new(rules, name_rule_title(rule), score_to_json(&r->rules[rule]));
    json_t *documents =
        json_pack("{s:I, s:I, s:I, s:I}", "count", (json_int_t)r->documents, "written",
                  (json_int_t)r->document_written, "read", (json_int_t)r->document_read, "spelt",
                  (json_int_t)r->document_spelt);
    return json_pack("{s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "labels",
                     (json_int_t)r->labels, "fewest_variants", (json_int_t)r->least, "rules", rules,
                     "seen_rules", score_to_json(&r->seen), "unseen_rules",
                     score_to_json(&r->unseen), "strangers", score_to_json(&r->strangers),
                     "by_hand", score_to_json(&r->by_hand), "by_hand_strangers",
                     score_to_json(&r->by_hand_strangers), "documents", documents);
}

static void print_score(FILE *stream, const char *title, const struct naming_score *s) {
    if (s->count > 0)
        fprintf(stream, "%-26s %5zu %8zu %6zu %8zu %7zu %6zu %9zu\n", title, s->count, s->searched,
                s->edited, s->network, s->taken, s->mistaken, s->count - s->taken - s->mistaken);
}

void naming_report_print(FILE *stream, const struct naming_report *r) {
    fprintf(stream,
            "%zu labels, each in %zu variants or more; right by a search, by edit distance, by\n"
            "the network alone; and what --author does: right, wrong, or not clear\n\n"
            "%-26s %5s %8s %6s %8s %7s %6s %9s\n",
            r->labels, r->least, "", "names", "searched", "edited", "network", "right", "wrong",
            "not clear");
    for (enum name_rule rule = 0; rule < NAME_RULES; rule++) {
        char title[64];
        snprintf(title, sizeof title, "%s%s", rule < NAME_FIRST_UNSEEN ? "" : "* ",
                 name_rule_title(rule));
        print_score(stream, title, &r->rules[rule]);
    }
    print_score(stream, "all above without *", &r->seen);
    print_score(stream, "all * (unseen rules)", &r->unseen);
    print_score(stream, "nobody's names", &r->strangers);
    print_score(stream, "by hand", &r->by_hand);
    print_score(stream, "by hand, nobody's", &r->by_hand_strangers);
    fprintf(stream,
            "\n%zu held-out documents: the name written is right for %zu, the reader for %zu; "
            "spelt without a list right for %zu\n",
            r->documents, r->document_written, r->document_read, r->document_spelt);
}
