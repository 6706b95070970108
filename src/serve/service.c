#include "serve/service.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "serve/request_json.h"
#include "serve/routes.h"

/* Nine digits tell every float from its neighbours. */
enum { JSON_FLAGS = JSON_COMPACT | JSON_REAL_PRECISION(9), MODEL_NAME_LIMIT = RESIDENT_NAME + 16 };
static const char JSON_TYPE[] = "application/json";
static const char EVENT_TYPE[] = "text/event-stream; charset=utf-8";

int request_no_memory(struct request *request) {
    return problem_set(&request->problem, 500, "internal", NULL, "the server is out of memory");
}

int request_reply_data(struct request *request, const char *content_type, const void *data,
                       size_t bytes) {
    request->status = 200;
    http_reply(request->exchange, 200, content_type, data, bytes);
    return 0;
}

int request_reply(struct request *request, json_t *json) {
    char *text = json != NULL ? json_dumps(json, JSON_FLAGS) : NULL;
    json_decref(json);
    if (text == NULL)
        return request_no_memory(request);
    http_add_header(request->exchange, "Cache-Control", "no-store");
    int result = request_reply_data(request, JSON_TYPE, text, strlen(text));
    free(text);
    return result;
}

void request_fail(struct request *request) {
    json_t *json = problem_to_json(&request->problem);
    if (request->is_stream) {
        if (request_stream_send(request, json) == 0)
            request_stream_end(request);
        return;
    }
    request->status = request->problem.status;
    if (request->status == 401)
        http_add_header(request->exchange, "WWW-Authenticate", "Bearer");
    http_add_header(request->exchange, "Cache-Control", "no-store");
    http_reply_json(request->exchange, request->status, json);
}

char *event_of_json(const json_t *json, size_t *bytes) {
    char *data = json != NULL ? json_dumps(json, JSON_FLAGS) : NULL, *event = NULL;
    /* Compact JSON has no line breaks: those in strings are escaped. */
    int length = data != NULL ? asprintf(&event, "data: %s\n\n", data) : -1;
    free(data);
    if (length < 0)
        return NULL;
    *bytes = (size_t)length;
    return event;
}

int request_stream_begin(struct request *request) {
    http_add_header(request->exchange, "Cache-Control", "no-store");
    http_add_header(request->exchange, "X-Accel-Buffering", "no"); /* nginx passes it on at once */
    if (http_stream_begin(request->exchange, 200, EVENT_TYPE))
        return problem_set(&request->problem, 500, "internal", NULL, "cannot begin a stream");
    request->status = 200;
    request->is_stream = 1;
    return 0;
}

int request_stream_send(struct request *request, json_t *json) {
    size_t bytes = 0;
    char *event = event_of_json(json, &bytes);
    int result = event == NULL || http_stream_write(request->exchange, event, bytes) != 0;
    json_decref(json);
    free(event);
    return result;
}

void request_stream_end(struct request *request) {
    static const char DONE[] = "data: [DONE]\n\n";
    (void)http_stream_write(request->exchange, DONE, sizeof DONE - 1);
    http_stream_end(request->exchange);
}

void request_new_id(char *id, size_t size, const char *prefix) {
    static const char LETTERS[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    enum { RANDOM = 24 };
    char text[RANDOM + 1];
    for (int i = 0; i < RANDOM; i++)
        text[i] = LETTERS[randombytes_uniform(sizeof LETTERS - 1)];
    text[RANDOM] = '\0';
    snprintf(id, size, "%s%s", prefix, text);
}

int request_model(struct request *request, const struct resident_model **model,
                  enum resident_layer *layer) {
    struct access_wish wish = {.layers = request->route->layers};
    if (request->body != NULL) {
        if (request_text(request->body, "model", MODEL_NAME_LIMIT, &wish.model, &request->problem))
            return -1;
        wish.has_handle = request_field(request->body, "handle") != NULL;
        wish.has_values = request_field(request->body, "values") != NULL;
    } else {
        wish.model = http_query(request->exchange, "model");
    }
    return access_needs(model, layer, request->service->resident, request->caller.scope, &wish,
                        &request->problem);
}
