#include <math.h>
#include <string.h>

#include "serve/own_routes.h"
#include "serve/request_json.h"

enum { STATEMENT_LIMIT = 4096, QUESTION_LIMIT = 1024, STANDARD_LIMIT = 256, CANDIDATES_USUAL = 8 };

struct judge_request {
    struct request *request;
    const struct resident_model *model;
    const struct resident_standard *standard;
    const char *text; /* the statement, the formula or the question */
    int is_formula;
    size_t candidates;
    uint64_t seed;
};

static int find_standard(struct judge_request *j) {
    const char *name = NULL;
    if (request_text(j->request->body, "standard", STANDARD_LIMIT, &name, &j->request->problem))
        return -1;
    j->standard = resident_find_standard(j->model, name);
    if (j->standard == NULL)
        return problem_set(&j->request->problem, 404, "standard_not_found", "standard",
                           "there is no standard \"%.100s\"; GET /v1/standards lists them", name);
    return 0;
}

/* The field must be there, and be more than nothing. */
static int need_text(struct judge_request *j, const char *field, size_t limit) {
    struct problem *problem = &j->request->problem;
    if (request_needs(j->request->body, field, problem) ||
        request_text(j->request->body, field, limit, &j->text, problem))
        return -1;
    return *j->text != '\0' ? 0 : problem_field(problem, field, "\"%s\" is empty", field);
}

static int read_statement(struct judge_request *j) {
    static const char *const KNOWN[] = {"model", "statement", "formula", "standard"};
    const json_t *body = j->request->body;
    struct problem *problem = &j->request->problem;
    int has_statement = request_field(body, "statement") != NULL;
    j->is_formula = request_field(body, "formula") != NULL;
    if (request_only(body, "", KNOWN, sizeof KNOWN / sizeof *KNOWN, problem))
        return -1;
    if (has_statement && j->is_formula)
        return problem_field(problem, "formula",
                             "\"statement\" and \"formula\" exclude each other");
    return need_text(j, j->is_formula ? "formula" : "statement", STATEMENT_LIMIT) ||
                   find_standard(j)
               ? -1
               : 0;
}

static json_t *sources_to_json(const struct testimony *testimony) {
    json_t *list = json_array();
    for (size_t i = 0; i < testimony->citation_count; i++) {
        const struct citation *c = &testimony->citations[i];
        json_t *date = isfinite(c->year) ? json_real(c->year) : json_null();
        json_array_append_new(list, json_pack("{s:s, s:s?, s:o, s:f}", "text", c->text, "author",
                                              c->author, "date", date, "support", c->support));
    }
    return list;
}

static json_t *dissenters_to_json(const struct ruling *ruling) {
    json_t *list = json_array();
    for (size_t i = 0; i < ruling->dissenter_count; i++)
        json_array_append_new(list, json_pack("{s:s, s:f}", "author", ruling->dissenters[i].author,
                                              "probability", ruling->dissenters[i].probability));
    return list;
}

/* By how sure the standard wants one to be. */
static const char *verdict_of(const struct judge_request *j, double probability) {
    double better = fmax(probability, 1 - probability);
    return better < j->standard->known ? "unknown" : probability > 0.5 ? "true" : "false";
}

static json_t *ruling_to_json(const struct judge_request *j, const struct ruling *r) {
    json_t *decided = r->decided == 0 ? json_null() : json_boolean(r->decided > 0);
    return json_pack("{s:s, s:f, s:o, s:f, s:s, s:s, s:o, s:o, s:f}", "statement", j->text,
                     "probability", r->probability, "decided", decided, "doubt", r->doubt,
                     "standard", j->standard->name, "verdict", verdict_of(j, r->probability),
                     "sources", sources_to_json(&r->testimony), "dissenters", dissenters_to_json(r),
                     "seconds", r->seconds);
}

static void give_judge(struct judge_request *j, struct judge *judge) {
    judge_pool_give(j->request->service->resident->judges, judge);
}

static struct judge *take_judge(struct judge_request *j) {
    struct error error;
    struct judge *judge =
        judge_pool_take(j->request->service->resident->judges, &j->standard->judging, &error);
    if (judge == NULL)
        problem_internal(&j->request->problem, "opening a judge", &error);
    return judge;
}

/* What was asked counts once, in however many ways the truth author was asked it. */
static void count(const struct judge_request *j) {
    struct error error;
    size_t tokens = 0;
    if (resident_count(j->model, j->text, &tokens, &error) == 0)
        metrics_count_tokens(j->request->service->metrics, METRICS_TRUTH, tokens, 0);
}

int own_judge(struct request *request) {
    struct judge_request j = {.request = request};
    enum resident_layer layer;
    struct error error;
    struct ruling ruling;
    if (request_model(request, &j.model, &layer) || read_statement(&j))
        return -1;
    struct judge *judge = take_judge(&j);
    if (judge == NULL)
        return -1;
    json_t *json = NULL;
    int result = judge_statement(judge, j.text, j.is_formula, &ruling, &error);
    if (result == 0) {
        json = ruling_to_json(&j, &ruling);
        ruling_free(&ruling);
    }
    give_judge(&j, judge);
    /* A formula is read here for the first time: what fails is most likely in it. */
    if (result != 0 && j.is_formula)
        return problem_content(&request->problem, "formula", &error);
    if (result != 0)
        return problem_internal(&request->problem, "judging", &error);
    count(&j);
    return request_reply(request, json);
}

static int read_question(struct judge_request *j) {
    static const char *const KNOWN[] = {"model", "question", "standard", "candidates", "seed"};
    const json_t *body = j->request->body;
    struct problem *problem = &j->request->problem;
    j->candidates = CANDIDATES_USUAL;
    j->seed = 1;
    return request_only(body, "", KNOWN, sizeof KNOWN / sizeof *KNOWN, problem) ||
                   need_text(j, "question", QUESTION_LIMIT) ||
                   request_count(body, "candidates", 1, MOST_CANDIDATES, &j->candidates, problem) ||
                   request_seed(body, "seed", &j->seed, problem) || find_standard(j)
               ? -1
               : 0;
}

static json_t *answer_to_json(const struct judge_request *j, const struct answer_to *a) {
    json_t *answers = json_array();
    for (size_t i = 0; i < a->count; i++) {
        json_t *text = json_string(a->candidates[i].text); /* NULL where a character was cut */
        if (text != NULL)
            json_array_append_new(answers, json_pack("{s:o, s:f}", "text", text, "probability",
                                                     a->candidates[i].probability));
    }
    return json_pack("{s:s, s:b, s:s, s:o, s:o}", "question", j->text, "known", a->is_known,
                     "standard", j->standard->name, "answers", answers, "sources",
                     sources_to_json(&a->testimony));
}

int own_ask(struct request *request) {
    struct judge_request j = {.request = request};
    enum resident_layer layer;
    struct error error;
    struct answer_to answer;
    if (request_model(request, &j.model, &layer) || read_question(&j))
        return -1;
    struct judge *judge = take_judge(&j);
    if (judge == NULL)
        return -1;
    json_t *json = NULL;
    int result = judge_answer(judge, j.text, j.candidates, j.seed, &answer, &error);
    if (result == 0) {
        json = answer_to_json(&j, &answer);
        answer_free(&answer);
    }
    give_judge(&j, judge);
    if (result != 0)
        return problem_content(&request->problem, "question", &error);
    count(&j);
    return request_reply(request, json);
}

int own_standards(struct request *request) {
    const struct resident_model *model;
    enum resident_layer layer;
    if (request_model(request, &model, &layer))
        return -1;
    json_t *list = json_array();
    for (size_t i = 0; i < model->standard_count; i++) {
        const struct resident_standard *s = &model->standards[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:f}", "name", s->name, "description",
                                              s->description, "threshold", s->known));
    }
    return request_reply(request, json_pack("{s:o}", "standards", list));
}
