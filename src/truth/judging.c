#include "truth/judging.h"

#include <math.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/progress.h"
#include "truth/calibration.h"
#include "truth/projection.h"
#include "truth/witness.h"

enum { FEATURES = 3 };

static void set_features(double *features, const struct judgement *j) {
    features[0] = j->said;
    features[1] = j->read;
    features[2] = 1;
}

/* What network and library say, not calibrated. */
static int listen(struct judging *judging, const char *const *statements, size_t count,
                  struct judgement *judgements, struct error *error) {
    struct belief_of_model *beliefs = memory_allocate(count, sizeof *beliefs, error);
    int result = beliefs == NULL ? -1
                                 : asking_ask(judging->asking, &judging->asked, statements, count,
                                              judging->threads, beliefs, error);
    for (size_t i = 0; result == 0 && i < count; i++) {
        struct testimony testimony = {0};
        if (judging->library != NULL)
            result = library_consult(judging->library, statements[i], judging->filter, &testimony,
                                     error);
        judgements[i] = (struct judgement){
            .doubt = beliefs[i].doubt, .said = beliefs[i].log_odds, .read = testimony.log_odds};
        testimony_free(&testimony);
    }
    memory_free(beliefs);
    return result;
}

int judging_judge(struct judging *judging, const char *const *statements, size_t count,
                  struct judgement *judgements, struct error *error) {
    if (listen(judging, statements, count, judgements, error))
        return -1;
    for (size_t i = 0; i < count; i++) {
        double features[FEATURES];
        set_features(features, &judgements[i]);
        judgements[i].probability = logistic_probability(judging->calibration, features, FEATURES);
    }
    return 0;
}

int judging_calibrate(struct judging *judging, const struct belief_base *base,
                      struct error *error) {
    static const double NOTHING_TO_CORRECT[] = {1, 0, 0};
    struct base_texts t;
    if (base_texts_collect(&t, base, error))
        return -1;
    struct judgement *judgements = memory_allocate(t.count, sizeof *judgements, error);
    double *features = memory_allocate(t.count * FEATURES, sizeof *features, error);
    uint8_t *outcomes = memory_allocate(t.count, 1, error);
    int result = judgements == NULL || features == NULL || outcomes == NULL
                     ? -1
                     : listen(judging, t.texts, t.count, judgements, error);
    for (size_t i = 0; result == 0 && i < t.count; i++) {
        set_features(features + i * FEATURES, &judgements[i]);
        outcomes[i] = (uint8_t)base->items[t.places[i]].verdict;
    }
    if (result == 0)
        logistic_fit(judging->calibration, features, outcomes, t.count, FEATURES,
                     NOTHING_TO_CORRECT, 1);
    memory_free(judgements);
    memory_free(features);
    memory_free(outcomes);
    base_texts_free(&t);
    return result;
}

/* What was judged, statement by statement. */
struct judged {
    struct base_texts texts;
    struct judgement *judgements; /* [texts.count] */
    double *prices;               /* [sentences]: NAN but for texts */
};

static void judged_free(struct judged *j) {
    base_texts_free(&j->texts);
    memory_free(j->judgements);
    memory_free(j->prices);
}

static int judge(struct judged *j, struct judging *judging, const struct belief_base *base,
                 struct error *error) {
    size_t count = sentences_count(base->sentences);
    *j = (struct judged){0};
    if (base_texts_collect(&j->texts, base, error))
        return -1;
    j->judgements = memory_allocate(j->texts.count, sizeof *j->judgements, error);
    j->prices = memory_allocate(count, sizeof *j->prices, error);
    if (j->judgements == NULL || j->prices == NULL ||
        judging_judge(judging, j->texts.texts, j->texts.count, j->judgements, error)) {
        judged_free(j);
        return -1;
    }
    for (size_t i = 0; i < count; i++)
        j->prices[i] = NAN;
    for (size_t i = 0; i < j->texts.count; i++)
        j->prices[base->items[j->texts.places[i]].sentence] = j->judgements[i].probability;
    return 0;
}

/* Laws hold; formulas that nobody was asked about follow the rest. */
static int project(struct judged *j, const struct belief_base *base, struct error *error) {
    size_t count = sentences_count(base->sentences);
    struct projection *projection = NULL;
    struct projection_report report;
    double *weights = memory_allocate(count, sizeof *weights, error);
    uint8_t *fixed = memory_allocate(count, 1, error);
    int result = weights == NULL || fixed == NULL ||
                         projection_create(&projection, base->sentences, NULL, error)
                     ? -1
                     : 0;
    for (size_t i = 0; result == 0 && i < count; i++) {
        fixed[i] = VERDICT_UNKNOWN;
        weights[i] = isnan(j->prices[i]) ? 1e-3 : 1;
        if (isnan(j->prices[i]))
            j->prices[i] = 0.5;
    }
    for (size_t i = 0; result == 0 && i < base->count; i++)
        if (base->items[i].is_constraint)
            fixed[base->items[i].sentence] = VERDICT_TRUE;
    if (result == 0)
        result = projection_run(projection, j->prices, fixed, weights, &report, error);
    projection_destroy(projection);
    memory_free(weights);
    memory_free(fixed);
    return result;
}

static int write_answers(const struct judged *j, const struct belief_base *base, const char *path,
                         struct error *error) {
    struct file_writer writer;
    if (file_writer_open(&writer, path, error))
        return -1;
    for (size_t i = 0; i < j->texts.count; i++) {
        const struct belief *b = &base->items[j->texts.places[i]];
        json_t *json = json_pack(
            "{s:s, s:s, s:s, s:f, s:f, s:o}", "id", b->id != NULL ? b->id : "", "family",
            b->family != NULL ? b->family : "", "statement", j->texts.texts[i], "probability",
            j->prices[b->sentence], "doubt", j->judgements[i].doubt, "label",
            b->verdict == VERDICT_UNKNOWN ? json_null() : json_boolean(b->verdict == VERDICT_TRUE));
        if (json == NULL ||
            json_dumpf(json, writer.stream, JSON_COMPACT | JSON_REAL_PRECISION(6)) ||
            fputc('\n', writer.stream) == EOF) {
            json_decref(json);
            file_writer_abort(&writer);
            return error_set(error, "%s could not be written", path);
        }
        json_decref(json);
    }
    return file_writer_commit(&writer, error);
}

/* The scores of what has a verdict. */
static int score(struct judging_report *report, const struct judged *j,
                 const struct belief_base *base, struct error *error) {
    double *p = memory_allocate(j->texts.count, sizeof *p, error);
    double *outcomes = memory_allocate(j->texts.count, sizeof *outcomes, error);
    size_t count = 0, right = 0;
    for (size_t i = 0; p != NULL && outcomes != NULL && i < j->texts.count; i++) {
        const struct belief *b = &base->items[j->texts.places[i]];
        if (b->verdict == VERDICT_UNKNOWN)
            continue;
        p[count] = j->prices[b->sentence];
        outcomes[count] = b->verdict == VERDICT_TRUE;
        int is_right = (p[count] > 0.5) == (outcomes[count] > 0);
        right += (size_t)is_right;
        *(is_right ? &report->doubt_right : &report->doubt_wrong) += j->judgements[i].doubt;
        count++;
    }
    report->doubt_right /= (double)(right > 0 ? right : 1);
    report->doubt_wrong /= (double)(count > right ? count - right : 1);
    int result = p == NULL || outcomes == NULL
                     ? -1
                     : judgement_report_make(&report->judgement, p, outcomes, count, error);
    memory_free(p);
    memory_free(outcomes);
    return result;
}

int judging_evaluate(struct judging_report *report, struct judging *judging,
                     const struct belief_base *base, const struct judging_options *options,
                     struct error *error) {
    struct judged j;
    double start = progress_clock();
    *report = (struct judging_report){0};
    if (judge(&j, judging, base, error))
        return -1;
    report->seconds = progress_clock() - start;
    int result = (options->is_projected && project(&j, base, error)) ||
                 coherence_report_make(&report->coherence, base, j.prices, error) ||
                 score(report, &j, base, error) ||
                 (options->answers != NULL && write_answers(&j, base, options->answers, error));
    judged_free(&j);
    return result ? -1 : 0;
}

void judging_report_print(FILE *stream, const struct judging_report *r) {
    judgement_report_print(stream, &r->judgement);
    fprintf(stream, "violation of %zu laws: %.4f\n", r->coherence.count, r->coherence.violation);
    for (int kind = 0; kind < LAW_KINDS; kind++)
        if (r->coherence.counts[kind] > 0)
            fprintf(stream, "  %-10s %5zu   %.4f\n", law_kind_name((enum law_kind)kind),
                    r->coherence.counts[kind], r->coherence.violations[kind]);
    fprintf(stream, "doubt where it is right %.4f, where it is wrong %.4f\n", r->doubt_right,
            r->doubt_wrong);
    fprintf(stream, "%.1f seconds of asking\n", r->seconds);
}

json_t *judging_report_to_json(const struct judging_report *r) {
    json_t *json = judgement_report_to_json(&r->judgement), *laws = json_object();
    for (int kind = 0; kind < LAW_KINDS; kind++)
        if (r->coherence.counts[kind] > 0)
            json_object_set_new(laws, law_kind_name((enum law_kind)kind),
                                json_pack("{s:I, s:f}", "count",
                                          (json_int_t)r->coherence.counts[kind], "violation",
                                          r->coherence.violations[kind]));
    json_object_set_new(json, "violation", json_real(r->coherence.violation));
    json_object_set_new(json, "laws", laws);
    json_object_set_new(json, "doubt_right", json_real(r->doubt_right));
    json_object_set_new(json, "doubt_wrong", json_real(r->doubt_wrong));
    json_object_set_new(json, "seconds", json_real(r->seconds));
    return json;
}
