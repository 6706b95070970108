#include <stdlib.h>
#include <string.h>

#include "serve/model_market.h"
#include "serve/own_routes.h"
#include "serve/request_json.h"

enum { STATEMENT_LIMIT = 4096, LIMIT_USUAL = 50 };

/* A text of the query; "": it is not there. */
static int query_text(struct request *request, const char *name, const char **text) {
    *text = http_query(request->exchange, name);
    if (*text == NULL)
        *text = "";
    return strlen(*text) <= STATEMENT_LIMIT
               ? 0
               : problem_field(&request->problem, name, "\"%s\" is longer than %d bytes", name,
                               STATEMENT_LIMIT);
}

static int query_limit(struct request *request, size_t *limit) {
    const char *text = http_query(request->exchange, "limit");
    *limit = LIMIT_USUAL;
    if (text == NULL)
        return 0;
    size_t digits = strspn(text, "0123456789");
    *limit = digits > 0 && digits < 10 && text[digits] == '\0' ? strtoul(text, NULL, 10) : 0;
    return *limit >= 1 && *limit <= MARKET_LIST_MOST
               ? 0
               : problem_field(&request->problem, "limit",
                               "\"limit\" must be a whole number from 1 to %d", MARKET_LIST_MOST);
}

static int reply(struct request *request, const struct model_market *market, json_t *content) {
    const struct market_record *record = model_market_record(market);
    json_t *json = content == NULL ? NULL
                                   : json_pack("{s:s, s:I}", "engine", record->engine, "days",
                                               (json_int_t)record->day_count);
    if (json != NULL && json_object_update(json, content) != 0) {
        json_decref(json);
        json = NULL;
    }
    json_decref(content);
    return request_reply(request, json);
}

static int show_statement(struct request *request, const struct model_market *market,
                          const char *statement) {
    struct error error;
    size_t sentence;
    if (*statement == '\0')
        return problem_field(&request->problem, "statement", "\"statement\" is empty");
    if (model_market_find(market, statement, &sentence, &error))
        return problem_content(&request->problem, "statement", &error);
    json_t *history = sentence == SIZE_MAX ? json_null() : model_market_history(market, sentence);
    return reply(request, market, history == NULL ? NULL : json_pack("{s:o}", "sentence", history));
}

static int list_sentences(struct request *request, const struct model_market *market) {
    size_t places[MARKET_LIST_MOST], count, total, limit;
    struct error error;
    const char *search;
    if (query_limit(request, &limit) || query_text(request, "search", &search))
        return -1;
    if (model_market_search(market, search, limit, places, &count, &total, &error))
        return problem_content(&request->problem, "search", &error);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, model_market_sentence(market, places[i]));
    return reply(request, market,
                 json_pack("{s:I, s:o}", "found", (json_int_t)total, "sentences", list));
}

int own_market(struct request *request) {
    const struct resident_model *model;
    enum resident_layer layer;
    const char *statement;
    if (request_model(request, &model, &layer) || query_text(request, "statement", &statement))
        return -1;
    if (model->market == NULL)
        return problem_set(&request->problem, 404, "no_market", "model",
                           "\"%.100s/truth\" was loaded without a market", model->name);
    return http_query(request->exchange, "statement") != NULL
               ? show_statement(request, model->market, statement)
               : list_sentences(request, model->market);
}
