#include "text/manifest.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/file.h"
#include "picture/code_book.h"

enum { MANIFEST_BYTES_LIMIT = 64 << 20, NAME_LIMIT = 1024, SLOT_NAME_LIMIT = 100 };

static const char *const KIND_NAMES[] = {"categorical", "date", "place"};

const char *slot_kind_name(enum slot_kind kind) {
    return KIND_NAMES[kind];
}

int slot_kind_from_name(const char *name) {
    for (int kind = 0; kind < 3; kind++)
        if (strcmp(name, KIND_NAMES[kind]) == 0)
            return kind;
    return -1;
}

/* Reads `digits` decimal digits; -1 when there are fewer. */
static int read_digits(const char **text, int digits) {
    int value = 0;
    for (int i = 0; i < digits; i++, (*text)++) {
        if (!isdigit((unsigned char)**text))
            return -1;
        value = 10 * value + (**text - '0');
    }
    return value;
}

int date_parse(const char *text, double *year) {
    static const int DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int sign = *text == '-' ? -1 : 1, whole = 0, digits = 0;
    for (text += *text == '-'; isdigit((unsigned char)*text) && digits < 6; text++, digits++)
        whole = 10 * whole + (*text - '0');
    whole *= sign;
    if (digits == 0)
        return -1;
    *year = whole;
    if (*text == '\0')
        return 0;
    int is_leap = (whole % 4 == 0 && whole % 100 != 0) || whole % 400 == 0;
    text++;
    int month = text[-1] == '-' ? read_digits(&text, 2) : -1, day = 1;
    if (month < 1 || month > 12)
        return -1;
    if (*text != '\0') {
        text++;
        day = text[-1] == '-' ? read_digits(&text, 2) : -1;
        if (day < 1 || day > DAYS[month - 1] + (month == 2 && is_leap) || *text != '\0')
            return -1;
    }
    int passed = day - 1 + (month > 2 && is_leap);
    for (int i = 0; i < month - 1; i++)
        passed += DAYS[i];
    *year += passed / (365.0 + is_leap);
    return 0;
}

/* Every key of the object must be among `known`, a list that ends with NULL. */
static int check_keys(json_t *object, const char *const *known, const char *where,
                      struct error *error) {
    if (!json_is_object(object))
        return error_set(error, "the manifest's %s must be an object", where);
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value) {
        size_t i = 0;
        while (known[i] != NULL && strcmp(known[i], key) != 0)
            i++;
        if (known[i] == NULL)
            return error_set(error, "the manifest's %s has an unknown key \"%s\"", where, key);
    }
    return 0;
}

static int copy_text(char **out, const char *text, struct error *error) {
    *out = strdup(text);
    return *out != NULL ? 0 : error_set(error, "out of memory reading a manifest");
}

static int copy_string(char **out, json_t *value, const char *key, struct error *error) {
    if (!json_is_string(value) || json_string_length(value) == 0)
        return error_set(error, "the manifest's key \"%s\" must be a string that is not empty",
                         key);
    return copy_text(out, json_string_value(value), error);
}

/* Whole numbers are taken as their digits, so that "missing": [0] can be said. */
static int copy_strings(struct manifest_strings *out, json_t *array, const char *key,
                        struct error *error) {
    if (!json_is_array(array) || json_array_size(array) == 0)
        return error_set(error, "the manifest's key \"%s\" must be a list that is not empty", key);
    out->items = calloc(json_array_size(array), sizeof *out->items);
    if (out->items == NULL)
        return error_set(error, "out of memory reading a manifest");
    size_t i;
    json_t *item;
    json_array_foreach(array, i, item) {
        char digits[32];
        snprintf(digits, sizeof digits, "%" JSON_INTEGER_FORMAT, json_integer_value(item));
        if (!json_is_string(item) && !json_is_integer(item))
            return error_set(error, "the manifest's key \"%s\" must list strings", key);
        if (copy_text(&out->items[i], json_is_string(item) ? json_string_value(item) : digits,
                      error))
            return -1;
        out->count++;
    }
    return 0;
}

static void free_strings(struct manifest_strings *strings) {
    for (size_t i = 0; i < strings->count; i++)
        free(strings->items[i]);
    free(strings->items);
}

static int read_slot_fields(struct manifest_slot *slot, json_t *value, struct error *error) {
    json_t *field = json_object_get(value, "field"), *fields = json_object_get(value, "fields");
    if (slot->kind != SLOT_PLACE || fields == NULL) {
        if (fields != NULL)
            return error_set(error, "the manifest's slot \"%s\" takes \"field\", not \"fields\"",
                             slot->name);
        return copy_string(&slot->fields[0], field, "field", error);
    }
    if (field != NULL || json_array_size(fields) != 2)
        return error_set(error,
                         "the manifest's slot \"%s\" needs \"fields\": [latitude, longitude] or "
                         "one \"field\"",
                         slot->name);
    return copy_string(&slot->fields[0], json_array_get(fields, 0), "fields", error) ||
                   copy_string(&slot->fields[1], json_array_get(fields, 1), "fields", error)
               ? -1
               : 0;
}

static int read_slot(struct manifest_slot *slot, const char *name, json_t *value,
                     struct error *error) {
    static const char *const KEYS[] = {"kind", "field", "fields", "missing", NULL};
    char where[128];
    snprintf(where, sizeof where, "slot \"%.100s\"", name);
    if (check_keys(value, KEYS, where, error) || copy_text(&slot->name, name, error))
        return -1;
    const char *kind_name = json_string_value(json_object_get(value, "kind"));
    int kind = kind_name == NULL ? -1 : slot_kind_from_name(kind_name);
    if (kind < 0)
        return error_set(error, "the manifest's %s needs a \"kind\": categorical, date or place",
                         where);
    slot->kind = (enum slot_kind)kind;
    json_t *missing = json_object_get(value, "missing");
    if (read_slot_fields(slot, value, error))
        return -1;
    return missing == NULL ? 0 : copy_strings(&slot->missing, missing, "missing", error);
}

static int read_slots(struct manifest *m, json_t *slots, struct error *error) {
    if (slots == NULL)
        return 0;
    if (!json_is_object(slots) || json_object_size(slots) > MANIFEST_SLOT_LIMIT)
        return error_set(error, "the manifest's slots must be an object of at most %d slots",
                         MANIFEST_SLOT_LIMIT);
    const char *name;
    json_t *value;
    json_object_foreach(slots, name, value) {
        if (*name == '\0' || strlen(name) > SLOT_NAME_LIMIT)
            return error_set(error, "a slot's name in the manifest has 1 to %d bytes",
                             SLOT_NAME_LIMIT);
        m->slot_count++;
        if (read_slot(&m->slots[m->slot_count - 1], name, value, error))
            return -1;
    }
    return 0;
}

static int compare_strings(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int read_held_out_documents(struct held_out *held_out, json_t *list, struct error *error) {
    struct manifest_strings *ids = &held_out->documents;
    if (copy_strings(ids, list, "documents", error))
        return -1;
    qsort(ids->items, ids->count, sizeof *ids->items, compare_strings);
    for (size_t i = 1; i < ids->count; i++)
        if (strcmp(ids->items[i - 1], ids->items[i]) == 0)
            return error_set(error, "the manifest holds out \"%.200s\" twice", ids->items[i]);
    held_out->rule = HELD_OUT_DOCUMENTS;
    return 0;
}

static int read_held_out_hash(struct held_out *held_out, json_t *value, struct error *error) {
    json_t *share = json_object_get(value, "hash"), *seed = json_object_get(value, "seed");
    held_out->share = json_number_value(share);
    if (!json_is_number(share) || !(held_out->share > 0 && held_out->share < 1))
        return error_set(error, "the manifest's key \"hash\" must be a share between 0 and 1");
    if (seed != NULL && (!json_is_integer(seed) || json_integer_value(seed) < 0))
        return error_set(error, "the manifest's key \"seed\" must be a whole number, 0 or more");
    held_out->seed = (uint64_t)json_integer_value(seed);
    held_out->rule = HELD_OUT_HASH;
    return 0;
}

static int read_held_out(struct held_out *held_out, json_t *value, struct error *error) {
    static const char *const KEYS[] = {"documents", "hash", "seed", "field", "value", NULL};
    if (value == NULL)
        return 0;
    if (check_keys(value, KEYS, "held_out", error))
        return -1;
    json_t *documents = json_object_get(value, "documents"), *field;
    size_t keys = json_object_size(value);
    if (documents != NULL && keys == 1)
        return read_held_out_documents(held_out, documents, error);
    if (json_object_get(value, "hash") != NULL &&
        keys == 1 + (size_t)(json_object_get(value, "seed") != NULL))
        return read_held_out_hash(held_out, value, error);
    if ((field = json_object_get(value, "field")) != NULL && keys == 2) {
        held_out->rule = HELD_OUT_FIELD;
        return copy_string(&held_out->field, field, "field", error) ||
                       copy_string(&held_out->value, json_object_get(value, "value"), "value",
                                   error)
                   ? -1
                   : 0;
    }
    return error_set(error, "the manifest's held_out must be one of {\"documents\": [...]}, "
                            "{\"hash\": share, \"seed\": n} and {\"field\": ..., \"value\": ...}");
}

static int read_pictures(struct manifest *m, json_t *image, json_t *patches, struct error *error) {
    m->patches = MANIFEST_PATCHES;
    if (image != NULL && copy_string(&m->image, image, "image", error))
        return -1;
    if (patches == NULL)
        return 0;
    if (image == NULL)
        return error_set(error, "the manifest's key \"patches\" needs an \"image\"");
    json_int_t count = json_integer_value(patches);
    if (!json_is_integer(patches) || count < CODE_BOOK_LEAST || count > CODE_BOOK_MOST)
        return error_set(error, "the manifest's key \"patches\" must be a number from %d to %d",
                         CODE_BOOK_LEAST, CODE_BOOK_MOST);
    m->patches = (size_t)count;
    return 0;
}

static int read_manifest(struct manifest *m, json_t *root, struct error *error) {
    static const char *const KEYS[] = {"name",    "text",  "id",       "vocabulary", "image",
                                       "patches", "slots", "held_out", NULL};
    if (check_keys(root, KEYS, "top level", error) ||
        copy_string(&m->name, json_object_get(root, "name"), "name", error))
        return -1;
    if (strlen(m->name) > NAME_LIMIT)
        return error_set(error, "the manifest's name is longer than %d bytes", NAME_LIMIT);
    json_t *text = json_object_get(root, "text"), *id = json_object_get(root, "id"),
           *vocabulary = json_object_get(root, "vocabulary");
    if (text != NULL ? copy_string(&m->text, text, "text", error)
                     : copy_text(&m->text, "text", error))
        return -1;
    if (id != NULL && copy_strings(&m->id, id, "id", error))
        return -1;
    if (m->id.count > MANIFEST_ID_FIELD_LIMIT)
        return error_set(error, "the manifest's id has more than %d fields",
                         MANIFEST_ID_FIELD_LIMIT);
    m->vocabulary = MANIFEST_VOCABULARY;
    if (vocabulary != NULL) {
        if (!json_is_integer(vocabulary) || json_integer_value(vocabulary) < 1)
            return error_set(error, "the manifest's vocabulary must be a number of tokens");
        m->vocabulary = (size_t)json_integer_value(vocabulary);
    }
    return read_pictures(m, json_object_get(root, "image"), json_object_get(root, "patches"),
                         error) ||
                   read_slots(m, json_object_get(root, "slots"), error) ||
                   read_held_out(&m->held_out, json_object_get(root, "held_out"), error)
               ? -1
               : 0;
}

int manifest_parse(struct manifest *m, const char *json, size_t bytes, struct error *error) {
    *m = (struct manifest){0};
    json_error_t problem;
    json_t *root = json_loadb(json, bytes, JSON_REJECT_DUPLICATES, &problem);
    if (root == NULL)
        return error_set(error, "the manifest is no JSON: line %d: %s", problem.line, problem.text);
    int result = read_manifest(m, root, error);
    json_decref(root);
    return result;
}

int manifest_read(struct manifest *m, const char *path, struct error *error) {
    *m = (struct manifest){0};
    char *json;
    size_t bytes;
    if (file_read_all(path, MANIFEST_BYTES_LIMIT, &json, &bytes, error))
        return -1;
    struct error problem;
    int result = manifest_parse(m, json, bytes, &problem);
    free(json);
    return result == 0 ? 0 : error_set(error, "%s: %.900s", path, problem.message);
}

int manifest_names_places(const struct manifest *m) {
    for (size_t i = 0; i < m->slot_count; i++)
        if (m->slots[i].kind == SLOT_PLACE && m->slots[i].fields[1] == NULL)
            return 1;
    return 0;
}

void manifest_free(struct manifest *m) {
    free(m->name);
    free(m->text);
    free(m->image);
    free_strings(&m->id);
    for (size_t i = 0; i < m->slot_count; i++) {
        free(m->slots[i].name);
        free(m->slots[i].fields[0]);
        free(m->slots[i].fields[1]);
        free_strings(&m->slots[i].missing);
    }
    free_strings(&m->held_out.documents);
    free(m->held_out.field);
    free(m->held_out.value);
    *m = (struct manifest){0};
}
