#include "good/dialogue.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "text/jsonl.h"

static const char HUMAN[] = "\n\nHuman: ", ASSISTANT[] = "\n\nAssistant: ";

/* Where a line stands, for messages. */
struct place {
    const char *file;
    size_t line;
};

static int wrong(const struct place *place, const char *what, struct error *error) {
    return error_set(error, "%s:%zu: %s", place->file, place->line, what);
}

static const char *text_of(const json_t *object, const char *key) {
    return json_string_value(json_object_get(object, key));
}

/* The last reply of a transcript; NULL when there is none. */
static const char *last_reply(const char *transcript) {
    const char *found = NULL, *next = transcript;
    while ((next = strstr(next, ASSISTANT)) != NULL)
        found = next++;
    return found;
}

static int add_turn(json_t *turns, int is_human, const char *text, size_t length) {
    return json_array_append_new(
        turns,
        json_pack("{s:s, s:s%}", "role", is_human ? "user" : "assistant", "text", text, length));
}

/* turns <- the transcript up to `end`, the beginning of the last reply. */
static int split_turns(json_t *turns, const char *at, const char *end, const struct place *place,
                       struct error *error) {
    for (int is_human = 1; at < end; is_human = !is_human) {
        const char *mark = is_human ? HUMAN : ASSISTANT, *other = is_human ? ASSISTANT : HUMAN;
        size_t length = strlen(mark);
        if (strncmp(at, mark, length) != 0)
            return wrong(place,
                         "a transcript in which \"Human:\" and \"Assistant:\" take turns is "
                         "wanted, the human first",
                         error);
        const char *next = strstr(at + length, other);
        next = next == NULL || next > end ? end : next;
        if (add_turn(turns, is_human, at + length, (size_t)(next - at) - length))
            return error_set(error, "out of memory, or the text is not UTF-8");
        at = next;
    }
    return 0;
}

/* Two transcripts become a prompt and two replies. */
static int take_apart(json_t *line, const struct place *place, struct error *error) {
    const char *chosen = text_of(line, "chosen"), *rejected = text_of(line, "rejected");
    const char *better = chosen != NULL ? last_reply(chosen) : NULL;
    const char *worse = rejected != NULL ? last_reply(rejected) : NULL;
    if (better == NULL || worse == NULL)
        return wrong(place,
                     "a line wants \"prompt\", or transcripts with a last \"Assistant:\" as "
                     "\"chosen\" and \"rejected\"",
                     error);
    size_t before = (size_t)(better - chosen);
    if ((size_t)(worse - rejected) != before || memcmp(chosen, rejected, before) != 0)
        return wrong(place, "the two transcripts differ before their last replies", error);
    json_t *turns = json_array();
    if (turns == NULL || split_turns(turns, chosen, better, place, error)) {
        json_decref(turns);
        return -1;
    }
    int failed = json_object_set_new(line, "prompt", turns);
    json_t *kept = json_string(better + strlen(ASSISTANT));
    failed |= json_object_set_new(line, "rejected", json_string(worse + strlen(ASSISTANT)));
    failed |= json_object_set_new(line, "chosen", kept);
    return failed ? error_set(error, "out of memory") : 0;
}

static int set_messages(struct dialogue *d, const struct place *place, struct error *error) {
    json_t *prompt = json_object_get(d->line, "prompt"), *turn;
    size_t i;
    if (json_is_string(prompt)) {
        d->messages[d->count++] = (struct chat_message){CHAT_USER, json_string_value(prompt)};
        return 0;
    }
    if (json_array_size(prompt) == 0 || json_array_size(prompt) > DIALOGUE_TURNS)
        return wrong(place, "\"prompt\" must be a text, or up to 64 turns", error);
    json_array_foreach(prompt, i, turn) {
        const char *role = text_of(turn, "role"), *text = text_of(turn, "text");
        enum chat_role wanted = i % 2 == 0 ? CHAT_USER : CHAT_ASSISTANT;
        text = text != NULL ? text : text_of(turn, "content");
        if (role == NULL || text == NULL ||
            strcmp(role, wanted == CHAT_USER ? "user" : "assistant") != 0)
            return wrong(place,
                         "turns are {\"role\", \"text\"}, and \"user\" and \"assistant\" "
                         "must alternate, the user first",
                         error);
        d->messages[d->count++] = (struct chat_message){wanted, text};
    }
    return d->count % 2 == 1 ? 0 : wrong(place, "the last turn must be the user's", error);
}

static int set_replies(struct dialogue *d, const struct place *place, struct error *error) {
    const char *reply = text_of(d->line, "reply"), *chosen = text_of(d->line, "chosen");
    d->worse = text_of(d->line, "rejected");
    if ((reply != NULL) == (chosen != NULL) || (chosen != NULL) != (d->worse != NULL))
        return wrong(place, "either \"reply\" is wanted, or \"chosen\" and \"rejected\"", error);
    d->reply = reply != NULL ? reply : chosen;
    if (*d->reply == '\0' || (d->worse != NULL && *d->worse == '\0'))
        return wrong(place, "a reply is empty", error);
    d->kind = text_of(d->line, "kind");
    d->kind = d->kind != NULL ? d->kind : "";
    return 0;
}

int values_is_name(const char *name) {
    size_t length = strlen(name);
    return length > 0 && length <= VALUES_NAME_LIMIT &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

static int set_values(struct dialogue *d, const struct place *place, struct error *error) {
    json_t *values = json_object_get(d->line, "values"), *number;
    const char *name;
    if (values == NULL)
        return 0;
    json_object_foreach(values, name, number) {
        double value = json_number_value(number);
        if (!json_is_number(number) || !(fabs(value) <= 1) || !values_is_name(name))
            return wrong(place, "\"values\" are numbers from -1 to 1, each with the name of one",
                         error);
    }
    if (json_object_size(values) == 0 || d->worse != NULL)
        return wrong(place, "\"values\" belong to an example, and want one at least", error);
    d->values = values;
    return 0;
}

static int set_label(struct dialogue *d, const struct place *place, struct error *error) {
    d->kind = text_of(d->line, "label");
    if (d->kind == NULL || (strcmp(d->kind, "safe") != 0 && strcmp(d->kind, "unsafe") != 0))
        return wrong(place, "\"label\" must be \"safe\" or \"unsafe\"", error);
    return 0;
}

static int add_line(struct dialogues *all, const struct jsonl_line *line, int are_requests,
                    const struct place *place, struct error *error) {
    json_error_t problem;
    if (line->is_too_long)
        return wrong(place, "the line is longer than 1 MiB", error);
    if (memory_grow(&all->items, &all->capacity, all->count + 1, sizeof *all->items, error))
        return -1;
    struct dialogue *d = &all->items[all->count];
    *d = (struct dialogue){
        .line = json_loadb(line->data, line->bytes, JSON_REJECT_DUPLICATES, &problem)};
    if (!json_is_object(d->line)) {
        json_decref(d->line);
        return error_set(error, "%s:%zu: a JSON object is wanted: %s", place->file, place->line,
                         d->line == NULL ? problem.text : "this is another value");
    }
    all->count++;
    if (json_object_get(d->line, "prompt") == NULL && !are_requests &&
        take_apart(d->line, place, error))
        return -1;
    if (set_messages(d, place, error))
        return -1;
    if (are_requests)
        return set_label(d, place, error);
    return set_replies(d, place, error) || set_values(d, place, error) ? -1 : 0;
}

static int is_blank(const struct jsonl_line *line) {
    for (size_t i = 0; i < line->bytes; i++)
        if (strchr(" \t\r\n", line->data[i]) == NULL || line->data[i] == '\0')
            return 0;
    return !line->is_too_long;
}

static int read_all(struct dialogues *all, const char *path, int are_requests,
                    struct error *error) {
    struct jsonl_reader *reader;
    struct jsonl_line line;
    const struct jsonl_source source = {.name = path, .descriptor = -1};
    size_t before = all->count;
    if (jsonl_open(&reader, &source, 1, DIALOGUE_LINE_LIMIT, error))
        return -1;
    int result;
    while ((result = jsonl_next(reader, &line, error)) == 0 && line.data != NULL) {
        struct place place = {path, line.number};
        if (!is_blank(&line) && (result = add_line(all, &line, are_requests, &place, error)) != 0)
            break;
    }
    jsonl_close(reader);
    if (result == 0 && all->count == before)
        return error_set(error, "%s holds no dialogue", path);
    return result;
}

int dialogues_read(struct dialogues *all, const char *path, struct error *error) {
    return read_all(all, path, 0, error);
}

int requests_read(struct dialogues *all, const char *path, struct error *error) {
    return read_all(all, path, 1, error);
}

void dialogues_free(struct dialogues *all) {
    for (size_t i = 0; i < all->count; i++)
        json_decref(all->items[i].line);
    free(all->items);
    *all = (struct dialogues){0};
}
