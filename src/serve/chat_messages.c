#include "serve/chat_messages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "serve/request_json.h"

/* As the assistant begins what it declines (good/assistant.c). */
static const char DECLINED[] = "I won't help with that: ";

void chat_messages_free(struct chat_messages *m) {
    for (size_t i = 0; i < m->count; i++)
        free((char *)m->items[i].content);
    free(m->items);
    *m = (struct chat_messages){0};
}

static int no_memory(struct problem *problem) {
    return problem_set(problem, 500, "internal", NULL, "the server is out of memory");
}

/* "a\n\nb", or one of them where the other is NULL; for free(). */
static char *join(const char *a, const char *b) {
    char *text = NULL;
    if (a == NULL || b == NULL)
        return strdup(a == NULL ? b : a);
    return asprintf(&text, "%s\n\n%s", a, b) < 0 ? NULL : text;
}

/* Adds a message, to the last where it is of the same role. */
static int add(struct chat_messages *m, enum chat_role role, const char *content,
               struct problem *problem) {
    struct error error;
    int is_same = m->count > 0 && m->items[m->count - 1].role == role;
    char *text = join(is_same ? m->items[m->count - 1].content : NULL, content);
    if (text == NULL ||
        memory_grow(&m->items, &m->capacity, m->count + 1, sizeof *m->items, &error)) {
        free(text);
        return no_memory(problem);
    }
    if (is_same)
        free((char *)m->items[--m->count].content);
    m->items[m->count++] = (struct chat_message){role, text};
    return 0;
}

static int add_part(FILE *stream, const json_t *part, struct problem *problem) {
    const char *type = json_string_value(json_object_get(part, "type"));
    const json_t *text = json_object_get(part, "text");
    if (type != NULL && strcmp(type, "text") == 0 && json_is_string(text))
        return fputs(json_string_value(text), stream) == EOF ? no_memory(problem) : 0;
    if (type == NULL || strcmp(type, "text") == 0)
        return problem_field(problem, "messages",
                             "a part of a message must be {\"type\": \"text\", \"text\": \"...\"}");
    return problem_set(problem, 400, "unsupported_field", "messages",
                       "parts of the type \"%.40s\" are not taken: messages are text", type);
}

/* *text <- the content, for free(). */
static int read_content(const json_t *message, char **text, struct problem *problem) {
    const json_t *content = request_field(message, "content");
    size_t bytes, i;
    json_t *part;
    int result = 0;
    FILE *stream = open_memstream(text, &bytes);
    if (stream == NULL)
        return no_memory(problem);
    if (json_is_string(content))
        fputs(json_string_value(content), stream);
    else if (json_is_array(content))
        json_array_foreach((json_t *)content, i, part) {
            result = result ? result : add_part(stream, part, problem);
        }
    else
        result = problem_field(problem, "messages",
                               "a message's \"content\" must be a string or an array of parts");
    if (fclose(stream) != 0)
        result = no_memory(problem);
    if (result == 0 && bytes > CHAT_MESSAGE_LIMIT)
        result = problem_field(problem, "messages", "a message has %zu bytes; at most %d are taken",
                               bytes, CHAT_MESSAGE_LIMIT);
    if (result != 0)
        free(*text);
    return result;
}

/* *role <- CHAT_SYSTEM for "developer", too. */
static int read_role(const json_t *message, enum chat_role *role, struct problem *problem) {
    static const char *const NAMES[] = {"system", "user", "assistant", "developer"};
    static const enum chat_role ROLES[] = {CHAT_SYSTEM, CHAT_USER, CHAT_ASSISTANT, CHAT_SYSTEM};
    static const char *const REFUSED[] = {"tool_calls", "function_call", "audio"};
    const char *name = json_string_value(json_object_get(message, "role"));
    for (size_t i = 0; i < sizeof REFUSED / sizeof *REFUSED; i++)
        if (request_field(message, REFUSED[i]) != NULL)
            return problem_set(problem, 400, "unsupported_field", "messages",
                               "messages with \"%s\" are not taken", REFUSED[i]);
    for (size_t i = 0; name != NULL && i < sizeof NAMES / sizeof *NAMES; i++)
        if (strcmp(name, NAMES[i]) == 0) {
            *role = ROLES[i];
            return 0;
        }
    return problem_field(problem, "messages",
                         "a message's \"role\" must be system, developer, user or assistant");
}

/* `pending`: what the system said that waits for a place. */
static int take_message(struct chat_messages *m, const json_t *message, int folds_system,
                        char **pending, struct problem *problem) {
    enum chat_role role = CHAT_USER;
    char *text, *joined;
    if (read_role(message, &role, problem) || read_content(message, &text, problem))
        return -1;
    int result = 0, is_first = m->count == 0 || m->items[m->count - 1].role == CHAT_SYSTEM;
    if (role == CHAT_SYSTEM && (folds_system || !is_first)) {
        joined = join(*pending, text);
        free(*pending);
        *pending = joined;
        result = joined == NULL ? no_memory(problem) : 0;
    } else if (role == CHAT_USER && *pending != NULL) {
        joined = join(*pending, text);
        result = joined == NULL ? no_memory(problem) : add(m, role, joined, problem);
        free(joined);
        free(*pending);
        *pending = NULL;
    } else {
        result = add(m, role, text, problem);
    }
    free(text);
    return result;
}

int chat_messages_read(struct chat_messages *m, const json_t *array, int folds_system,
                       struct problem *problem) {
    char *pending = NULL;
    size_t i;
    json_t *message;
    *m = (struct chat_messages){0};
    if (!json_is_array(array) || json_array_size(array) < 1 ||
        json_array_size(array) > CHAT_MESSAGES_MOST)
        return problem_field(problem, "messages", "\"messages\" must be an array of 1 to %d",
                             CHAT_MESSAGES_MOST);
    int result = 0;
    json_array_foreach((json_t *)array, i, message) {
        result = result ? result : take_message(m, message, folds_system, &pending, problem);
    }
    if (result == 0 && (m->count == 0 || m->items[m->count - 1].role != CHAT_USER))
        result = problem_field(problem, "messages", "the last message must be the user's");
    size_t first = m->count > 1 && m->items[0].role == CHAT_SYSTEM;
    if (result == 0 && m->items[first].role != CHAT_USER)
        result = problem_field(problem, "messages", "the first to speak must be the user");
    if (result == 0 && pending != NULL)
        result = add(m, CHAT_USER, pending, problem);
    free(pending);
    return result;
}

static void drop(struct chat_messages *m, size_t from, size_t count) {
    for (size_t i = from; i < from + count; i++)
        free((char *)m->items[i].content);
    memmove(m->items + from, m->items + from + count, (m->count - from - count) * sizeof *m->items);
    m->count -= count;
}

static size_t count_user_bytes(const struct chat_messages *m) {
    size_t bytes = 0;
    for (size_t i = 0; i < m->count; i++)
        bytes += m->items[i].role == CHAT_USER ? strlen(m->items[i].content) + 1 : 0;
    return bytes;
}

int chat_messages_shorten(struct chat_messages *m, size_t most, size_t user_bytes) {
    size_t first = m->count > 0 && m->items[0].role == CHAT_SYSTEM; /* which stays */
    while (m->count > first + 2 && (m->count > most || count_user_bytes(m) > user_bytes))
        drop(m, first, 2);
    return m->count > most || count_user_bytes(m) > user_bytes ? -1 : 0;
}

void chat_messages_forget_declined(struct chat_messages *m) {
    for (size_t i = 0; i + 2 < m->count;)
        if (m->items[i].role == CHAT_USER && m->items[i + 1].role == CHAT_ASSISTANT &&
            strncmp(m->items[i + 1].content, DECLINED, sizeof DECLINED - 1) == 0)
            drop(m, i, 2);
        else
            i++;
}

const char *chat_messages_last(const struct chat_messages *m) {
    return m->items[m->count - 1].content;
}
