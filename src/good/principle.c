#include "good/principle.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/json_file.h"
#include "base/memory.h"

static const char *const ACTIONS[] = {"veto", "hedge", "note"};

const char *principle_action_name(enum principle_action action) {
    return ACTIONS[action];
}

/* Texts reach terminals and prompts: no control characters, neither of ASCII nor U+0080 to U+009F
 * (which a terminal may obey as well). */
static int is_printable(const char *text, int may_break) {
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        if ((*c < ' ' && !(may_break && (*c == '\n' || *c == '\t'))) || *c == 127)
            return 0;
        if (*c == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f)
            return 0;
    }
    return 1;
}

static int copy_text(char **copy, const json_t *value, const char *key, size_t limit, int may_break,
                     struct error *error) {
    const char *text = json_string_value(value);
    if (text == NULL || *text == '\0')
        return error_set(error, "\"%s\" must be a text", key);
    if (strlen(text) > limit)
        return error_set(error, "\"%s\" is longer than %zu bytes", key, limit);
    if (!is_printable(text, may_break))
        return error_set(error, "\"%s\" has a control character in it", key);
    *copy = strdup(text);
    return *copy != NULL ? 0 : error_set(error, "out of memory for a principle");
}

static int read_name(struct principle *p, const json_t *json, struct error *error) {
    static const char LETTERS[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    if (copy_text(&p->name, json_object_get(json, "name"), "name", PRINCIPLE_NAME_LIMIT, 0, error))
        return -1;
    if (p->name[strspn(p->name, LETTERS)] != '\0' || *p->name == '-')
        return error_set(error, "\"name\" must be of small letters, digits and hyphens");
    return 0;
}

static int read_threshold(struct principle *p, const json_t *json, struct error *error) {
    const json_t *value = json_object_get(json, "threshold");
    p->threshold = json_number_value(value);
    if (!json_is_number(value) || !(p->threshold > 0 && p->threshold < 1))
        return error_set(error, "\"threshold\" must be a number between 0 and 1");
    return 0;
}

static int read_action(struct principle *p, const json_t *json, struct error *error) {
    const char *name = json_string_value(json_object_get(json, "action"));
    for (size_t i = 0; name != NULL && i < sizeof ACTIONS / sizeof *ACTIONS; i++)
        if (strcmp(name, ACTIONS[i]) == 0) {
            p->action = (enum principle_action)i;
            return 0;
        }
    return error_set(error, "\"action\" must be veto, hedge or note");
}

static int read_example(struct principle_example *example, const json_t *json,
                        struct error *error) {
    static const char *const KEYS[] = {"request", "reply"};
    if (!json_is_object(json))
        return error_set(error, "an object is wanted");
    return json_check_keys(json, KEYS, 2, error) ||
                   copy_text(&example->request, json_object_get(json, "request"), "request",
                             PRINCIPLE_EXAMPLE_LIMIT, 1, error) ||
                   copy_text(&example->reply, json_object_get(json, "reply"), "reply",
                             PRINCIPLE_EXAMPLE_LIMIT, 1, error)
               ? -1
               : 0;
}

static int read_side(struct principle_example **examples, size_t *count, const json_t *json,
                     const char *side, struct error *error) {
    const json_t *list = json_object_get(json, side);
    size_t wanted = json_array_size(list);
    struct error own;
    if (wanted < PRINCIPLE_FEWEST_EXAMPLES || wanted > PRINCIPLE_MOST_EXAMPLES)
        return error_set(error, "\"%s\" must be a list of %d to %d examples", side,
                         PRINCIPLE_FEWEST_EXAMPLES, PRINCIPLE_MOST_EXAMPLES);
    *examples = memory_allocate(wanted, sizeof **examples, error);
    if (*examples == NULL)
        return -1;
    *count = wanted;
    for (size_t i = 0; i < wanted; i++)
        if (read_example(&(*examples)[i], json_array_get(list, i), &own))
            return error_set(error, "example %zu of \"%s\": %s", i + 1, side, own.message);
    return 0;
}

static int read_examples(struct principle *p, const json_t *json, struct error *error) {
    static const char *const SIDES[] = {"breaks", "keeps"};
    const json_t *examples = json_object_get(json, "examples");
    if (!json_is_object(examples))
        return error_set(error, "\"examples\" must be an object of \"breaks\" and \"keeps\"");
    return json_check_keys(examples, SIDES, 2, error) ||
                   read_side(&p->breaks, &p->break_count, examples, "breaks", error) ||
                   read_side(&p->keeps, &p->keep_count, examples, "keeps", error)
               ? -1
               : 0;
}

static int read_principle(struct principle *p, const json_t *json, struct error *error) {
    static const char *const KEYS[] = {"name",      "reason", "statement", "request",
                                       "threshold", "action", "examples"};
    const json_t *request = json_object_get(json, "request");
    if (!json_is_object(json))
        return error_set(error, "an object is wanted");
    if (json_check_keys(json, KEYS, sizeof KEYS / sizeof *KEYS, error) ||
        read_name(p, json, error) ||
        copy_text(&p->reason, json_object_get(json, "reason"), "reason", PRINCIPLE_TEXT_LIMIT, 0,
                  error) ||
        copy_text(&p->statement, json_object_get(json, "statement"), "statement",
                  PRINCIPLE_TEXT_LIMIT, 0, error))
        return -1;
    if (request != NULL &&
        copy_text(&p->request, request, "request", PRINCIPLE_TEXT_LIMIT, 0, error))
        return -1;
    return read_threshold(p, json, error) || read_action(p, json, error) ||
                   read_examples(p, json, error)
               ? -1
               : 0;
}

int principle_parse(struct principle *p, const char *text, size_t bytes, struct error *error) {
    json_error_t problem;
    *p = (struct principle){0};
    if (bytes > PRINCIPLE_FILE_LIMIT)
        return error_set(error, "a principle of more than %d bytes", PRINCIPLE_FILE_LIMIT);
    json_t *json = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &problem);
    if (json == NULL)
        return error_set(error, "line %d: %s", problem.line, problem.text);
    int result = read_principle(p, json, error);
    json_decref(json);
    if (result)
        principle_free(p);
    return result;
}

static void free_examples(struct principle_example *examples, size_t count) {
    for (size_t i = 0; i < count; i++) {
        free(examples[i].request);
        free(examples[i].reply);
    }
    memory_free(examples);
}

void principle_free(struct principle *p) {
    free_examples(p->breaks, p->break_count);
    free_examples(p->keeps, p->keep_count);
    free(p->name);
    free(p->reason);
    free(p->statement);
    free(p->request);
    *p = (struct principle){0};
}

int principle_is_asked_for(const struct principle *p) {
    static const char BEGINNING[] = "This request asks for ";
    return p->request != NULL && strncmp(p->request, BEGINNING, sizeof BEGINNING - 1) == 0;
}
