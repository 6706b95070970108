#include "truth/standard.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>

#include "base/file.h"
#include "base/json_file.h"
#include "base/memory.h"

#ifndef TRINE_SHARE
#define TRINE_SHARE "/usr/local/share/trine"
#endif

enum { SETTINGS_LIMIT = 1 << 20, PATH_LIMIT = 4096, MOST_BASES = 64 };
static const double DEFAULT_KNOWN = 0.9, DEFAULT_UNKNOWN = 0.65;

static int is_directory(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* A name is no path, so that it cannot lead out of the places it is looked for in. */
static int find_directory(char *path, const char *name, struct error *error) {
    const char *places[] = {getenv("TRINE_STANDARDS"), "recipes/standards",
                            TRINE_SHARE "/standards"};
    if (strchr(name, '/') != NULL || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        snprintf(path, PATH_LIMIT, "%s", name);
        return is_directory(path) ? 0 : error_set(error, "there is no directory %.200s", name);
    }
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (places[i] != NULL &&
            snprintf(path, PATH_LIMIT, "%s/%s", places[i], name) < PATH_LIMIT && is_directory(path))
            return 0;
    return error_set(error,
                     "there is no standard \"%.100s\" in $TRINE_STANDARDS, recipes/standards or "
                     "%s; a directory is given with a slash",
                     name, TRINE_SHARE "/standards");
}

static int read_number(double *number, const json_t *json, const char *key, double least,
                       double most, struct error *error) {
    const json_t *value = json_object_get(json, key);
    if (value == NULL)
        return 0;
    *number = json_number_value(value);
    if (!json_is_number(value) || !(*number >= least && *number <= most))
        return error_set(error, "\"%s\" must be a number from %g to %g", key, least, most);
    return 0;
}

static int read_text(char **text, const json_t *json, const char *key, struct error *error) {
    const char *value = json_string_value(json_object_get(json, key));
    if (value == NULL || *value == '\0')
        return error_set(error, "\"%s\" must be a text", key);
    *text = strdup(value);
    return *text != NULL ? 0 : error_set(error, "out of memory for a standard");
}

static int read_cite(struct library_filter *filter, const json_t *cite, struct error *error) {
    static const char *const KEYS[] = {"year_from", "year_to", "authors"};
    json_t *authors = json_object_get(cite, "authors");
    filter->year_from = filter->year_to = NAN;
    if (cite == NULL)
        return 0;
    if (!json_is_object(cite) || json_check_keys(cite, KEYS, 3, error) ||
        read_number(&filter->year_from, cite, "year_from", -10000, 10000, error) ||
        read_number(&filter->year_to, cite, "year_to", -10000, 10000, error))
        return json_is_object(cite) ? -1 : error_set(error, "\"cite\" must be an object");
    if (authors == NULL)
        return 0;
    char **names = memory_allocate(json_array_size(authors), sizeof *names, error);
    if (names == NULL)
        return -1;
    filter->authors = (const char *const *)names;
    for (size_t i = 0; i < json_array_size(authors); i++) {
        const char *name = json_string_value(json_array_get(authors, i));
        if (name == NULL || (names[i] = strdup(name)) == NULL)
            return error_set(error, "\"authors\" must be a list of names");
        filter->author_count++;
    }
    return filter->author_count > 0 ? 0 : error_set(error, "\"authors\" must be a list of names");
}

/* How far a source counts; one without a name is the standard's own. */
static double weight_of(const json_t *sources, const char *source) {
    return *source == '\0' ? 1 : json_number_value(json_object_get(sources, source));
}

static int check_sources(const json_t *sources, struct error *error) {
    const char *key;
    json_t *value;
    if (sources == NULL)
        return 0;
    if (!json_is_object(sources))
        return error_set(error, "\"sources\" must be an object of weights");
    json_object_foreach((json_t *)sources, key, value) {
        if (!(json_is_number(value) && json_number_value(value) >= 0 &&
              json_number_value(value) <= 1))
            return error_set(error, "the weight of the source \"%.100s\" must be from 0 to 1", key);
    }
    return 0;
}

/* The same sentence in another base's numbers. */
static int copy_sentence(struct sentences *to, const struct sentences *from, uint32_t id,
                         uint32_t *copy, struct error *error) {
    const struct sentence *s = sentences_get(from, id);
    uint32_t left, right;
    if (s->kind == SENTENCE_ATOM)
        return sentences_add_atom(to, s->text, copy, error);
    if (copy_sentence(to, from, s->left, &left, error))
        return -1;
    right = left;
    if (s->right != s->left && copy_sentence(to, from, s->right, &right, error))
        return -1;
    return sentences_add_formula(to, s->kind, left, right, copy, error);
}

static int add_belief(struct standard *s, const struct belief_base *from, const struct belief *b,
                      const json_t *sources, struct error *error) {
    struct belief own = *b;
    own.weight *= weight_of(sources, b->source != NULL ? b->source : "");
    if (own.weight <= 0) {
        if (own.is_constraint)
            return 0;
        own.verdict = VERDICT_UNKNOWN;
        own.weight = 1;
    }
    if (copy_sentence(s->base.sentences, from->sentences, b->sentence, &own.sentence, error))
        return -1;
    if (own.id != NULL && *own.id != '\0' &&
        sentences_add_name(s->base.sentences, own.id, own.sentence, error))
        return -1;
    return belief_base_add(&s->base, &own, error);
}

static int add_base(struct standard *s, const char *file, const json_t *sources,
                    struct error *error) {
    char path[PATH_LIMIT];
    struct belief_base from;
    if (file == NULL || strchr(file, '/') != NULL || *file == '.')
        return error_set(error, "\"beliefs\" must be a list of files in the directory itself");
    if (snprintf(path, sizeof path, "%s/%s", s->directory, file) >= (int)sizeof path)
        return error_set(error, "the path of %.100s is too long", file);
    if (belief_base_read(&from, path, error))
        return -1;
    int result = 0;
    for (size_t i = 0; result == 0 && i < from.count; i++)
        result = add_belief(s, &from, &from.items[i], sources, error);
    belief_base_free(&from);
    return result;
}

static int read_settings(struct standard *s, const json_t *json, struct error *error) {
    static const char *const KEYS[] = {"name",  "description", "sources", "cite",
                                       "known", "unknown",     "beliefs"};
    const json_t *sources = json_object_get(json, "sources");
    const json_t *bases = json_object_get(json, "beliefs");
    s->known = DEFAULT_KNOWN;
    s->unknown = DEFAULT_UNKNOWN;
    if (json_check_keys(json, KEYS, sizeof KEYS / sizeof *KEYS, error) ||
        read_text(&s->name, json, "name", error) ||
        read_text(&s->description, json, "description", error) || check_sources(sources, error) ||
        read_cite(&s->filter, json_object_get(json, "cite"), error) ||
        read_number(&s->known, json, "known", 0.5, 1, error) ||
        read_number(&s->unknown, json, "unknown", 0.5, 1, error))
        return -1;
    if (json_array_size(bases) < 1 || json_array_size(bases) > MOST_BASES)
        return error_set(error, "\"beliefs\" must be a list of 1 to %d files", MOST_BASES);
    if (sentences_create(&s->base.sentences, error) || (s->base.name = strdup(s->name)) == NULL)
        return -1;
    for (size_t i = 0; i < json_array_size(bases); i++)
        if (add_base(s, json_string_value(json_array_get(bases, i)), sources, error))
            return -1;
    return belief_base_check(&s->base, 0, error);
}

static int open_directory(struct standard *s, const char *directory, struct error *error) {
    char path[PATH_LIMIT], *text;
    size_t bytes;
    json_error_t problem;
    struct error own;
    s->directory = strdup(directory);
    if (s->directory == NULL)
        return error_set(error, "out of memory for a standard");
    if (snprintf(path, sizeof path, "%s/standard.json", directory) >= (int)sizeof path)
        return error_set(error, "the path %.200s is too long", directory);
    if (file_read_all(path, SETTINGS_LIMIT, &text, &bytes, error))
        return -1;
    json_t *json = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &problem);
    free(text);
    if (!json_is_object(json)) {
        json_decref(json);
        return error_set(error, "%s:%d: %s", path, problem.line,
                         json == NULL ? problem.text : "an object is wanted");
    }
    int result = read_settings(s, json, &own);
    json_decref(json);
    return result ? error_set(error, "%s: %s", path, own.message) : 0;
}

int standard_open(struct standard *s, const char *name, struct error *error) {
    char directory[PATH_LIMIT];
    *s = (struct standard){0};
    if (find_directory(directory, name, error))
        return -1;
    if (open_directory(s, directory, error)) {
        standard_close(s);
        return -1;
    }
    return 0;
}

void standard_close(struct standard *s) {
    for (size_t i = 0; i < s->filter.author_count; i++)
        free((char *)s->filter.authors[i]);
    memory_free((void *)s->filter.authors);
    belief_base_free(&s->base);
    free(s->directory);
    free(s->name);
    free(s->description);
    *s = (struct standard){0};
}

int standard_take_base(struct belief_base *base, const char *name, struct error *error) {
    struct standard standard;
    if (standard_open(&standard, name, error))
        return -1;
    *base = standard.base;
    standard.base = (struct belief_base){0};
    standard_close(&standard);
    return 0;
}

void standard_truth_path(const struct standard *s, char *path, size_t size) {
    snprintf(path, size, "%s/%s", s->directory, STANDARD_TRUTH_NAME);
}
