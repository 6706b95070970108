#include "serve/request_json.h"

#include <math.h>
#include <string.h>

/* So many values the text has at most, as far as it is JSON: each but the first follows a comma or
 * begins what is in brackets. */
static size_t count_values(const char *text, size_t bytes) {
    size_t count = 1;
    int is_string = 0;
    for (size_t i = 0; i < bytes; i++) {
        if (text[i] == '"')
            is_string = !is_string;
        else if (is_string)
            i += text[i] == '\\';
        else
            count += text[i] == ',' || text[i] == '[' || text[i] == '{';
    }
    return count;
}

int request_parse(json_t **out, const char *text, size_t bytes, struct problem *problem) {
    json_error_t where;
    *out = NULL;
    if (count_values(text, bytes) > REQUEST_VALUES_MOST)
        return problem_set(problem, 400, "invalid_json", NULL,
                           "the body has more than %d numbers, strings, arrays and objects",
                           REQUEST_VALUES_MOST);
    *out = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &where);
    if (*out == NULL)
        return problem_set(problem, 400, "invalid_json", NULL, "the body is no JSON: line %d: %s",
                           where.line, where.text);
    if (json_is_object(*out))
        return 0;
    json_decref(*out);
    *out = NULL;
    return problem_set(problem, 400, "invalid_json", NULL, "the body must be a JSON object");
}

const json_t *request_field(const json_t *object, const char *name) {
    const json_t *value = json_object_get(object, name);
    return json_is_null(value) ? NULL : value;
}

static int check_text(const json_t *value, const char *name, size_t limit,
                      struct problem *problem) {
    if (!json_is_string(value))
        return problem_field(problem, name, "\"%s\" must be a string", name);
    if (json_string_length(value) > limit)
        return problem_field(problem, name, "\"%s\" has %zu bytes; at most %zu are taken", name,
                             json_string_length(value), limit);
    return 0;
}

int request_text(const json_t *object, const char *name, size_t limit, const char **value,
                 struct problem *problem) {
    const json_t *field = request_field(object, name);
    if (field == NULL)
        return 0;
    if (check_text(field, name, limit, problem))
        return -1;
    *value = json_string_value(field);
    return 0;
}

int request_number(const json_t *object, const char *name, double least, double most, double *value,
                   struct problem *problem) {
    const json_t *field = request_field(object, name);
    if (field == NULL)
        return 0;
    double number = json_number_value(field);
    if (!json_is_number(field) || !(number >= least && number <= most))
        return problem_field(problem, name, "\"%s\" must be a number from %g to %g", name, least,
                             most);
    *value = number;
    return 0;
}

int request_count(const json_t *object, const char *name, size_t least, size_t most, size_t *value,
                  struct problem *problem) {
    const json_t *field = request_field(object, name);
    if (field == NULL)
        return 0;
    double number = json_number_value(field);
    if (!json_is_number(field) || number != floor(number) || number < (double)least ||
        number > (double)most)
        return problem_field(problem, name, "\"%s\" must be a whole number from %zu to %zu", name,
                             least, most);
    *value = (size_t)number;
    return 0;
}

int request_flag(const json_t *object, const char *name, int *value, struct problem *problem) {
    const json_t *field = request_field(object, name);
    if (field == NULL)
        return 0;
    if (!json_is_boolean(field))
        return problem_field(problem, name, "\"%s\" must be true or false", name);
    *value = json_is_true(field);
    return 0;
}

int request_seed(const json_t *object, const char *name, uint64_t *value, struct problem *problem) {
    const json_t *field = request_field(object, name);
    if (field == NULL)
        return 0;
    if (!json_is_integer(field))
        return problem_field(problem, name, "\"%s\" must be a whole number of 64 bits", name);
    *value = (uint64_t)json_integer_value(field);
    return 0;
}

int request_texts(const json_t *object, const char *name, size_t limit, size_t most,
                  const char **values, size_t *count, struct problem *problem) {
    const json_t *field = request_field(object, name);
    if (field == NULL)
        return 0;
    size_t given = json_is_array(field) ? json_array_size(field) : 1;
    if (given < 1 || given > most)
        return problem_field(problem, name, "\"%s\" has %zu strings; 1 to %zu are taken", name,
                             given, most);
    for (size_t i = 0; i < given; i++) {
        const json_t *item = json_is_array(field) ? json_array_get(field, i) : field;
        if (!json_is_string(item) || json_string_length(item) == 0)
            return problem_field(problem, name,
                                 "\"%s\" must be a string, or an array of strings, none of which "
                                 "is empty",
                                 name);
        if (check_text(item, name, limit, problem))
            return -1;
        values[i] = json_string_value(item);
    }
    *count = given;
    return 0;
}

int request_object(const json_t *object, const char *name, const json_t **value,
                   struct problem *problem) {
    *value = request_field(object, name);
    if (*value != NULL && !json_is_object(*value))
        return problem_field(problem, name, "\"%s\" must be an object", name);
    return 0;
}

int request_needs(const json_t *object, const char *name, struct problem *problem) {
    return request_field(object, name) != NULL
               ? 0
               : problem_set(problem, 400, "missing_field", name, "\"%s\" is missing", name);
}

int request_only(const json_t *object, const char *within, const char *const *known, size_t count,
                 struct problem *problem) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value) {
        size_t i = 0;
        while (i < count && strcmp(key, known[i]) != 0)
            i++;
        if (i == count)
            return problem_set(problem, 400, "unknown_field", key,
                               "there is no field \"%.60s\"%s%s", key,
                               *within != '\0' ? " in " : "", within);
    }
    return 0;
}
