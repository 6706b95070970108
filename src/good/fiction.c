#include "good/fiction.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHORTEST_NAME = 4 };

static const char ANNOUNCED[] = "(Invented: the dream writes as ";

/* ASCII letters are small ones here; places stay the same. */
static void lower(char *out, size_t size, const char *text) {
    size_t i = 0;
    for (; text[i] != '\0' && i + 1 < size; i++)
        out[i] = (char)tolower((unsigned char)text[i]);
    out[i] = '\0';
}

static int is_word(char c) {
    return isalnum((unsigned char)c) || (unsigned char)c >= 0x80;
}

/* Where `word` stands by itself in `text`, from `at` on; or NULL. */
static const char *find_word(const char *text, const char *at, const char *word) {
    size_t length = strlen(word);
    while ((at = strstr(at, word)) != NULL) {
        if ((at == text || !is_word(at[-1])) && !is_word(at[length]))
            return at;
        at++;
    }
    return NULL;
}

static int has_any(const char *text, const char *const *words, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (find_word(text, text, words[i]) != NULL)
            return 1;
    return 0;
}
#define HAS_ANY(text, words) has_any(text, words, sizeof words / sizeof *words)

/* What must stand before a name for it to be the voice that is asked for. */
static int is_voice(const char *text, const char *name) {
    static const char *const BEFORE[] = {" as",       " like",    "voice of",     "style of",
                                         "manner of", "words of", "as president", "like president",
                                         "you were",  "you are",  "he were",      "she were"};
    while (name > text && isspace((unsigned char)name[-1]))
        name--;
    for (size_t i = 0; i < sizeof BEFORE / sizeof *BEFORE; i++) {
        size_t length = strlen(BEFORE[i]);
        if ((size_t)(name - text) >= length && strncmp(name - length, BEFORE[i], length) == 0)
            return 1;
    }
    return 0;
}

/* Where the request names this label's author as the voice; *length <- of the name. */
static const char *find_name(const char *request, const char *name, size_t *length) {
    const char *at = request;
    *length = strlen(name);
    while ((at = find_word(request, at, name)) != NULL) {
        if (is_voice(request, at))
            return at;
        at++;
    }
    return NULL;
}

static const char *last_word(const char *label) {
    const char *space = strrchr(label, ' ');
    return space != NULL ? space + 1 : label;
}

static int ends_only_one(const struct slot *slot, const char *word) {
    size_t count = 0;
    for (size_t i = 0; i < slot->point_count; i++)
        count += strcasecmp(last_word(slot->labels[i]), word) == 0;
    return count == 1;
}

static const char *find_author(const struct slot *slot, const char *request, const char **author,
                               size_t *length) {
    char label[FICTION_LINE];
    for (int is_last = 0; is_last <= 1; is_last++)
        for (size_t i = 0; i < slot->point_count; i++) {
            lower(label, sizeof label, is_last ? last_word(slot->labels[i]) : slot->labels[i]);
            if (is_last && (strlen(label) < SHORTEST_NAME || !ends_only_one(slot, label)))
                continue;
            const char *at = find_name(request, label, length);
            if (at != NULL) {
                *author = slot->labels[i];
                return at;
            }
        }
    return NULL;
}

static double find_year(const char *request) {
    for (const char *at = request; *at != '\0'; at++)
        if (isdigit((unsigned char)*at) && (at == request || !is_word(at[-1]))) {
            char *end;
            long year = strtol(at, &end, 10);
            if (end - at == 4 && !is_word(*end) && year >= 1000 && year < 3000)
                return (double)year;
            at = end - 1;
        }
    return NAN;
}

static void set_topic(char *topic, const char *from, const char *to) {
    static const char *const EMPTY[] = {"this", "it", "something", "anything"};
    while (from < to && (isspace((unsigned char)*from) || strchr(":,\"'", *from) != NULL))
        from++;
    while (to > from && (isspace((unsigned char)to[-1]) || strchr(".,;!?\"'", to[-1]) != NULL))
        to--;
    size_t length = (size_t)(to - from) < FICTION_TOPIC ? (size_t)(to - from) : FICTION_TOPIC - 1;
    memcpy(topic, from, length);
    topic[length] = '\0';
    for (size_t i = 0; i < sizeof EMPTY / sizeof *EMPTY; i++)
        if (strcasecmp(topic, EMPTY[i]) == 0)
            topic[0] = '\0';
    topic[0] = (char)toupper((unsigned char)topic[0]);
}

/* After a colon, or after "about" and up to what names the voice. */
static void find_topic(char *topic, const char *request, const char *small, const char *name,
                       size_t name_length) {
    const char *end = small + strlen(small), *colon = strchr(name, ':');
    const char *about = find_word(small, small, "about");
    topic[0] = '\0';
    if (colon != NULL) {
        set_topic(topic, request + (colon + 1 - small), request + (end - small));
    } else if (about != NULL && about < name) {
        const char *voice = name;
        for (const char *at = about; (at = find_word(small, at, "as")) != NULL && at < name; at++)
            voice = at;
        for (const char *at = about; (at = find_word(small, at, "in the")) != NULL && at < name;
             at++)
            voice = at < voice ? at : voice;
        set_topic(topic, request + (about + 5 - small), request + (voice - small));
    } else if (about != NULL && about > name + name_length) {
        set_topic(topic, request + (about + 5 - small), request + (end - small));
    }
}

int fiction_find(struct fiction_wish *wish, const struct model *model, const char *request) {
    static const char *const WRITING[] = {"write",  "compose", "draft",    "speak", "imagine",
                                          "invent", "tell",    "continue", "story", "poem",
                                          "speech", "letter",  "address"};
    const struct slot *slot = slots_find(&model->slots, "author");
    size_t bytes = strlen(request) + 1, length;
    if (slot == NULL || slot->kind != LATENT_CATEGORICAL)
        return 0;
    char *small = malloc(bytes);
    if (small == NULL)
        return 0;
    lower(small, bytes, request);
    *wish = (struct fiction_wish){.year = find_year(request)};
    const char *name =
        HAS_ANY(small, WRITING) ? find_author(slot, small, &wish->author, &length) : NULL;
    if (name != NULL)
        find_topic(wish->topic, request, small, name, length);
    free(small);
    return name != NULL;
}

int fiction_handle(struct handle *handle, const struct fiction_wish *wish,
                   const struct model *model, struct error *error) {
    if (handle_create(handle, model, error))
        return -1;
    int result = handle_tell(handle, "author", wish->author, error);
    for (size_t i = 0; result == 0 && !isnan(wish->year) && i < model->slots.count; i++)
        if (model->slots.slots[i].kind == LATENT_DATE)
            result = handle_tell_year(handle, model->slots.slots[i].name, wish->year, error);
    if (result != 0)
        handle_free(handle);
    return result;
}

void fiction_announce(char line[FICTION_LINE], const struct fiction_wish *wish) {
    snprintf(line, FICTION_LINE, "%s%.180s.)\n", ANNOUNCED, wish->author);
}

int fiction_is_doubted(char line[FICTION_LINE], const struct chat_message *messages, size_t count) {
    static const char *const DOUBTS[] = {"real",    "really",     "true",     "invented", "invent",
                                         "made up", "make up",    "actually", "genuine",  "fact",
                                         "fiction", "historical", "quote",    "said"};
    char question[FICTION_TOPIC];
    if (count < 3 || strncmp(messages[count - 2].content, ANNOUNCED, sizeof ANNOUNCED - 1) != 0)
        return 0;
    lower(question, sizeof question, messages[count - 1].content);
    if (strchr(question, '?') == NULL || !HAS_ANY(question, DOUBTS))
        return 0;
    const char *author = messages[count - 2].content + sizeof ANNOUNCED - 1;
    int length = (int)strcspn(author, ")\n");
    length -= length > 0 && author[length - 1] == '.';
    length = length < 100 ? length : 100;
    snprintf(line, FICTION_LINE,
             "I invented it: the dream wrote as %.*s. Take none of it for %.*s's words, nor for "
             "fact.",
             length, author, length, author);
    return 1;
}
