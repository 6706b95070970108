#include "serve/problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cancellation.h"

static void fill(struct problem *problem, int status, const char *code, const char *param) {
    *problem = (struct problem){.status = status};
    snprintf(problem->code, sizeof problem->code, "%s", code != NULL ? code : "");
    snprintf(problem->param, sizeof problem->param, "%s", param != NULL ? param : "");
}

/* snprintf cuts between bytes; a character that lost some must go whole. */
static void end_at_character(char *text, size_t size) {
    size_t length = strlen(text);
    if (length + 1 < size)
        return;
    while (length > 0 && ((unsigned char)text[length - 1] & 0xc0) == 0x80)
        text[--length] = '\0';
    if (length > 0 && ((unsigned char)text[length - 1] & 0x80) != 0)
        text[length - 1] = '\0';
}

static void set_message(struct problem *problem, const char *format, va_list arguments) {
    vsnprintf(problem->message, sizeof problem->message, format, arguments);
    end_at_character(problem->message, sizeof problem->message);
    end_at_character(problem->param, sizeof problem->param);
}

int problem_set(struct problem *problem, int status, const char *code, const char *param,
                const char *format, ...) {
    va_list arguments;
    fill(problem, status, code, param);
    va_start(arguments, format);
    set_message(problem, format, arguments);
    va_end(arguments);
    return -1;
}

int problem_field(struct problem *problem, const char *param, const char *format, ...) {
    va_list arguments;
    fill(problem, 400, "invalid_value", param);
    va_start(arguments, format);
    set_message(problem, format, arguments);
    va_end(arguments);
    return -1;
}

int problem_content(struct problem *problem, const char *param, const struct error *error) {
    return problem_field(problem, param, "%s", error->message);
}

int problem_internal(struct problem *problem, const char *doing, const struct error *error) {
    struct error given_up;
    if (cancellation_check(&given_up) == 0) /* else it is that, and nothing went wrong */
        fprintf(stderr, "trine serve: %s: %s\n", doing, error->message);
    return problem_set(problem, 500, "internal", NULL,
                       "the server could not do this; its log says why");
}

static const char *type_of(int status) {
    switch (status) {
    case 401:
        return "authentication_error";
    case 403:
        return "permission_error";
    case 404:
        return "not_found_error";
    case 429:
        return "rate_limit_error";
    default:
        return status >= 500 ? "server_error" : "invalid_request_error";
    }
}

json_t *problem_to_json(const struct problem *problem) {
    const char *param = problem->param[0] != '\0' ? problem->param : NULL;
    const char *code = problem->code[0] != '\0' ? problem->code : NULL;
    /* A message may quote what a library cut inside a character. */
    json_t *message = json_string(problem->message);
    if (message == NULL)
        message = json_string("the request cannot be served");
    return json_pack("{s:{s:o, s:s, s:s?, s:s?}}", "error", "message", message, "type",
                     type_of(problem->status), "param", param, "code", code);
}
