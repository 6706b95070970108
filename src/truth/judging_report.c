
#include "base/file.h"
#include "base/memory.h"
#include "truth/judging.h"

/* What each clause was judged by. */
static json_t *clauses_to_json(const struct judgement *j) {
    json_t *json = json_array();
    for (size_t k = 0; k < j->clause_count; k++) {
        const struct evidence *e = &j->clauses[k];
        json_array_append_new(json,
                              json_pack("{s:f, s:f, s:f, s:f, s:i, s:b}", "said", e->said, "read",
                                        e->read, "heard", e->heard, "beside", e->beside, "sign",
                                        e->sign, "denied", j->is_denied[k]));
    }
    return json;
}

/* prices: the coherent ones. */
static int write_answers(const struct listened *j, const double *prices, const char *path,
                         struct error *error) {
    struct file_writer writer;
    if (file_writer_open(&writer, path, error))
        return -1;
    for (size_t i = 0; i < j->texts.count; i++) {
        const struct belief *b = &j->base->items[j->texts.places[i]];
        const struct judgement *own = &j->judgements[i];
        json_t *json = json_pack(
            "{s:s, s:s, s:s, s:f, s:f, s:f, s:o, s:o}", "id", b->id != NULL ? b->id : "", "family",
            b->family != NULL ? b->family : "", "statement", j->texts.texts[i], "probability",
            own->probability, "coherent", prices[b->sentence], "doubt", own->doubt, "label",
            b->verdict == VERDICT_UNKNOWN ? json_null() : json_boolean(b->verdict == VERDICT_TRUE),
            "clauses", clauses_to_json(own));
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
static int score(struct judging_report *report, const struct listened *j, const double *prices,
                 struct error *error) {
    double *p = memory_allocate(j->texts.count, sizeof *p, error);
    double *outcomes = memory_allocate(j->texts.count, sizeof *outcomes, error);
    size_t count = 0, right = 0;
    for (size_t i = 0; p != NULL && outcomes != NULL && i < j->texts.count; i++) {
        const struct belief *b = &j->base->items[j->texts.places[i]];
        if (b->verdict == VERDICT_UNKNOWN)
            continue;
        p[count] = prices[b->sentence];
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

static int report_on(struct judging_report *report, const struct listened *l, const double *prices,
                     struct error *error) {
    *report = (struct judging_report){.seconds = l->seconds};
    return coherence_report_make(&report->coherence, l->base, prices, error) ||
                   score(report, l, prices, error)
               ? -1
               : 0;
}

int judging_evaluate(struct judging_report *as_judged, struct judging_report *projected,
                     const struct judging *judging, const struct listened *l, const char *answers,
                     struct error *error) {
    double *prices = memory_allocate(sentences_count(l->base->sentences), sizeof *prices, error);
    int result = prices == NULL || judging_prices(prices, judging, l, 0, error) ||
                 report_on(as_judged, l, prices, error) ||
                 judging_prices(prices, judging, l, 1, error) ||
                 report_on(projected, l, prices, error) ||
                 (answers != NULL && write_answers(l, prices, answers, error));
    memory_free(prices);
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
