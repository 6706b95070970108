#include <math.h>
#include <sodium.h>
#include <string.h>

#include "serve/request_json.h"
#include "serve/writing.h"

/* As OpenAI's. */
static const double TEMPERATURE_MOST = 2;

static int read_stream(struct writing_wish *wish, const json_t *body, struct problem *problem) {
    const json_t *options;
    if (request_flag(body, "stream", &wish->is_stream, problem) ||
        request_object(body, "stream_options", &options, problem))
        return -1;
    if (options == NULL)
        return 0;
    if (!wish->is_stream)
        return problem_field(problem, "stream_options",
                             "\"stream_options\" wants \"stream\": true");
    return request_flag(options, "include_usage", &wish->has_usage, problem);
}

int writing_read_wish(struct writing_wish *wish, const json_t *body, struct problem *problem) {
    *wish = (struct writing_wish){.stop_count = 0};
    return request_texts(body, "stop", TEXT_STOP_LIMIT, TEXT_STOPS_MOST, wish->stops,
                         &wish->stop_count, problem) ||
                   read_stream(wish, body, problem)
               ? -1
               : 0;
}

int writing_read_sampling(struct sampling *sampling, uint64_t *seed, double temperature,
                          const json_t *body, struct problem *problem) {
    *sampling = (struct sampling){.temperature = temperature, .top_p = 1};
    randombytes_buf(seed, sizeof *seed);
    return request_number(body, "temperature", 0, TEMPERATURE_MOST, &sampling->temperature,
                          problem) ||
                   request_number(body, "top_p", 0, 1, &sampling->top_p, problem) ||
                   request_number(body, "min_p", 0, 1, &sampling->min_p, problem) ||
                   request_seed(body, "seed", seed, problem)
               ? -1
               : 0;
}

/* Null, false, zero, "", [], {} and "none" ask for nothing. */
static int asks_for_something(const json_t *value) {
    return value != NULL && !json_is_null(value) && !json_is_false(value) &&
           !(json_is_number(value) && json_number_value(value) == 0) &&
           !(json_is_string(value) &&
             (json_string_length(value) == 0 || strcmp(json_string_value(value), "none") == 0)) &&
           !(json_is_array(value) && json_array_size(value) == 0) &&
           !(json_is_object(value) && json_object_size(value) == 0);
}

int writing_refuse(const json_t *body, const char *const *fields, size_t count,
                   struct problem *problem) {
    for (size_t i = 0; i < count; i++)
        if (asks_for_something(json_object_get(body, fields[i])))
            return problem_set(problem, 400, "unsupported_field", fields[i],
                               "\"%s\" asks for what this server does not do", fields[i]);
    return 0;
}

json_t *writing_usage(size_t prompt, size_t written) {
    return json_pack("{s:I, s:I, s:I}", "prompt_tokens", (json_int_t)prompt, "completion_tokens",
                     (json_int_t)written, "total_tokens", (json_int_t)(prompt + written));
}
