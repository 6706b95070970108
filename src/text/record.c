#include "text/record.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "picture/patches.h"
#include "text/gazetteer.h"

const char *record_fault_name(enum record_fault fault) {
    static const char *const NAMES[RECORD_FAULT_COUNT] = {
        "fine",    "blank line", "line too long", "malformed JSON", "invalid UTF-8",
        "no text", "bad name",   "bad label",     "bad picture"};
    return NAMES[fault];
}

static int set_fault(struct record *r, enum record_fault fault, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int set_fault(struct record *r, enum record_fault fault, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(r->message, sizeof r->message, format, arguments);
    va_end(arguments);
    /* What strangers wrote goes to a terminal. */
    for (char *at = r->message; *at != '\0'; at++)
        if ((unsigned char)*at < 32 || *at == 127)
            *at = '?';
    r->fault = fault;
    return -1;
}

/* Two chains of a 64-bit mixer: enough that no two texts of any corpus meet by chance. */
static void hash_text(uint64_t hash[2], const char *text, size_t bytes) {
    uint64_t a = bytes, b = ~(uint64_t)bytes;
    while (bytes > 0) {
        uint64_t word = 0;
        size_t taken = bytes < 8 ? bytes : 8;
        memcpy(&word, text, taken);
        a = random_mix(a ^ word);
        b = random_mix(b + word * 0x9e3779b97f4a7c15u);
        text += taken;
        bytes -= taken;
    }
    hash[0] = random_mix(a + 1);
    hash[1] = random_mix(b + 2);
}

/* The text's hash becomes that of both: of what the patches see, no more. */
static void hash_picture(uint64_t hash[2], const struct raster *raster) {
    size_t columns = patches_along(raster->width), rows = patches_along(raster->height);
    hash[0] = random_mix(hash[0] + columns);
    for (size_t i = 0; i < columns * rows; i++) {
        uint64_t patch = patch_take(raster, i % columns, i / columns);
        hash[0] = random_mix(hash[0] ^ patch);
        hash[1] = random_mix(hash[1] + patch * 0x9e3779b97f4a7c15u);
    }
}

/* The text form of a plain value: a string itself, a number's digits. NULL: it has none. */
static const char *value_text(const json_t *value, char digits[32]) {
    switch (json_typeof(value)) {
    case JSON_STRING:
        return strlen(json_string_value(value)) == json_string_length(value)
                   ? json_string_value(value)
                   : NULL;
    case JSON_INTEGER:
        snprintf(digits, 32, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return digits;
    case JSON_REAL:
        snprintf(digits, 32, "%.15g", json_real_value(value));
        return digits;
    case JSON_TRUE:
        return "true";
    case JSON_FALSE:
        return "false";
    default:
        return NULL;
    }
}

static int read_name(struct record *r, const struct manifest *m, const char *place) {
    size_t at = 0;
    if (m->id.count == 0 && strlen(place) > RECORD_NAME_LIMIT)
        return set_fault(r, RECORD_BAD_NAME, "the path is too long for a name");
    if (m->id.count == 0)
        strcpy(r->name, place);
    for (size_t i = 0; i < m->id.count; i++) {
        const json_t *value = json_object_get(r->root, m->id.items[i]);
        char digits[32];
        const char *text = value == NULL ? NULL : value_text(value, digits);
        if (text == NULL)
            return set_fault(r, RECORD_BAD_NAME, "the id's field \"%.80s\" is %s", m->id.items[i],
                             value == NULL ? "absent" : "no plain value");
        size_t length = strlen(text);
        if (length + 1 > RECORD_NAME_LIMIT - at)
            return set_fault(r, RECORD_BAD_NAME, "the id is longer than %d bytes",
                             RECORD_NAME_LIMIT);
        if (i > 0)
            r->name[at++] = ' ';
        memcpy(r->name + at, text, length + 1);
        at += length;
    }
    return 0;
}

/* A path that stays in its directory. */
static int is_below(const char *path) {
    if (*path == '/' || *path == '\0')
        return 0;
    for (const char *at = path; at != NULL; at = strchr(at, '/')) {
        at += *at == '/';
        if (strncmp(at, "..", 2) == 0 && (at[2] == '/' || at[2] == '\0'))
            return 0;
    }
    return 1;
}

/* None is no fault. */
static int read_picture(struct record *r, const struct manifest *m, const char *file) {
    const json_t *value = m->image != NULL ? json_object_get(r->root, m->image) : NULL;
    if (value == NULL || json_is_null(value))
        return 0;
    const char *path = json_string_value(value), *slash = strrchr(file, '/');
    if (path == NULL || strlen(path) != json_string_length(value) || !is_below(path))
        return set_fault(r, RECORD_BAD_PICTURE,
                         "the field \"%.80s\" is no path below the directory of the JSON lines",
                         m->image);
    char whole[4096];
    struct error error;
    int length = snprintf(whole, sizeof whole, "%.*s%s",
                          slash != NULL ? (int)(slash - file) + 1 : 0, file, path);
    if (length < 0 || (size_t)length >= sizeof whole)
        return set_fault(r, RECORD_BAD_PICTURE, "the path of the picture is too long");
    if (raster_read_png(&r->picture, whole, &error))
        return set_fault(r, RECORD_BAD_PICTURE, "%.220s", error.message);
    return 0;
}

/* A document is its text, its picture or both. */
static int read_content(struct record *r, const struct manifest *m, const char *file) {
    const json_t *text = json_object_get(r->root, m->text);
    if (!json_is_string(text))
        return set_fault(r, RECORD_NO_TEXT, "the field \"%.80s\" is %s", m->text,
                         text == NULL ? "absent" : "no string");
    if (read_picture(r, m, file))
        return -1;
    if (json_string_length(text) == 0 && r->picture.pixels == NULL)
        return set_fault(r, RECORD_NO_TEXT, "the field \"%.80s\" is empty", m->text);
    r->text = json_string_value(text);
    r->text_bytes = json_string_length(text);
    hash_text(r->hash, r->text, r->text_bytes);
    if (r->picture.pixels != NULL)
        hash_picture(r->hash, &r->picture);
    return 0;
}

/* Text that is all of a finite number. */
static int parse_number(const char *text, double *number) {
    char *end;
    *number = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*number) ? 0 : -1;
}

static int is_missing(const struct manifest_slot *slot, const char *text) {
    if (*text == '\0')
        return 1;
    for (size_t i = 0; i < slot->missing.count; i++)
        if (strcmp(text, slot->missing.items[i]) == 0)
            return 1;
    return 0;
}

static int read_place(struct record_label *label, int axis, const char *text) {
    static const double LIMITS[2] = {90, 180};
    double *number = &label->number[axis];
    return parse_number(text, number) == 0 && fabs(*number) <= LIMITS[axis] ? 0 : -1;
}

/* A place in one field. */
static int read_place_name(struct record *r, const struct manifest *m, const char *field,
                           struct record_label *label, const char *text) {
    struct location place;
    struct error error;
    if (gazetteer_resolve(m->gazetteer, text, &place, NULL, &error))
        return set_fault(r, RECORD_BAD_LABEL, "the field \"%.80s\": %.150s", field, error.message);
    label->number[0] = place.latitude;
    label->number[1] = place.longitude;
    return 0;
}

static int read_date(struct record_label *label, const json_t *value, const char *text) {
    if (json_is_string(value))
        return date_parse(text, &label->number[0]);
    label->number[0] = json_number_value(value);
    return json_is_number(value) && fabs(label->number[0]) < 1e6 ? 0 : -1;
}

/* One field of a slot; *is_given stays 0 when it says nothing. */
static int read_field(struct record *r, const struct manifest *m, size_t index, int axis,
                      int *is_given) {
    const struct manifest_slot *slot = &m->slots[index];
    struct record_label *label = &r->labels[index];
    const char *field = slot->fields[axis];
    const json_t *value = json_object_get(r->root, field);
    *is_given = 0;
    if (value == NULL || json_is_null(value))
        return 0;
    const char *text = value_text(value, label->digits);
    if (text == NULL)
        return set_fault(r, RECORD_BAD_LABEL, "the field \"%.80s\" is no plain value", field);
    if (is_missing(slot, text))
        return 0;
    *is_given = 1;
    if (slot->kind == SLOT_PLACE && slot->fields[1] == NULL)
        return read_place_name(r, m, field, label, text);
    int result = slot->kind == SLOT_DATE    ? read_date(label, value, text)
                 : slot->kind == SLOT_PLACE ? read_place(label, axis, text)
                                            : -(strlen(text) > RECORD_LABEL_LIMIT);
    if (result != 0)
        return set_fault(r, RECORD_BAD_LABEL, "the field \"%.80s\" is no %s: \"%.60s\"", field,
                         slot->kind == SLOT_DATE    ? "date"
                         : slot->kind == SLOT_PLACE ? axis == 0 ? "latitude" : "longitude"
                                                    : "label of at most 1024 bytes",
                         text);
    if (slot->kind == SLOT_CATEGORICAL)
        label->text = text;
    return 0;
}

static int read_label(struct record *r, const struct manifest *m, size_t index) {
    const struct manifest_slot *slot = &m->slots[index];
    struct record_label *label = &r->labels[index];
    int is_given[2] = {0, 1};
    label->text = NULL;
    label->number[0] = label->number[1] = 0;
    if (read_field(r, m, index, 0, &is_given[0]) ||
        (slot->fields[1] != NULL && read_field(r, m, index, 1, &is_given[1])))
        return -1;
    label->is_given = is_given[0] && is_given[1];
    if (!label->is_given) /* half a place is no place */
        label->number[0] = label->number[1] = 0;
    return 0;
}

static int compare_name(const void *name, const void *item) {
    return strcmp(name, *(char *const *)item);
}

static void decide_split(struct record *r, const struct held_out *held_out) {
    r->is_held_out = 0;
    r->held_out_index = SIZE_MAX;
    if (held_out->rule == HELD_OUT_DOCUMENTS) {
        char **found = bsearch(r->name, held_out->documents.items, held_out->documents.count,
                               sizeof *found, compare_name);
        r->is_held_out = found != NULL;
        if (found != NULL)
            r->held_out_index = (size_t)(found - held_out->documents.items);
    } else if (held_out->rule == HELD_OUT_HASH) {
        uint64_t bits = random_mix(r->hash[0] ^ random_mix(held_out->seed));
        r->is_held_out = (double)(bits >> 11) * 0x1p-53 < held_out->share;
    } else if (held_out->rule == HELD_OUT_FIELD) {
        char digits[32];
        const json_t *value = json_object_get(r->root, held_out->field);
        const char *text = value == NULL ? NULL : value_text(value, digits);
        r->is_held_out = text != NULL && strcmp(text, held_out->value) == 0;
    }
}

static int is_blank(const char *line, size_t bytes) {
    for (size_t i = 0; i < bytes; i++)
        if (strchr(" \t\r\n", line[i]) == NULL || line[i] == '\0')
            return 0;
    return 1;
}

void record_read(struct record *r, const struct manifest *m, const char *line, size_t bytes,
                 const char *place, const char *file) {
    record_free(r);
    r->fault = RECORD_FINE;
    if (is_blank(line, bytes)) {
        r->fault = RECORD_BLANK;
        return;
    }
    json_error_t problem;
    r->root = json_loadb(line, bytes, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &problem);
    if (r->root == NULL) {
        int is_utf8 = json_error_code(&problem) != json_error_invalid_utf8;
        set_fault(r, is_utf8 ? RECORD_NO_JSON : RECORD_NO_UTF8, "%.150s (column %d)", problem.text,
                  problem.column);
        return;
    }
    if (!json_is_object(r->root)) {
        set_fault(r, RECORD_NO_JSON, "the line is no JSON object");
    } else if (read_content(r, m, file) == 0 && read_name(r, m, place) == 0) {
        decide_split(r, &m->held_out);
        for (size_t i = 0; i < m->slot_count && r->fault == RECORD_FINE; i++)
            read_label(r, m, i);
    }
}

void record_free(struct record *r) {
    json_decref(r->root);
    raster_free(&r->picture);
    r->root = NULL;
    r->text = NULL;
    r->text_bytes = 0;
}
