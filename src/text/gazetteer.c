#include "text/gazetteer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"

enum { FILE_LIMIT = 1 << 28, FOLDED = 256, NEAR_NAMES = 5, FIELDS = 7, REQUIRED_FIELDS = 6 };

struct name {
    uint64_t hash; /* of the folded name */
    size_t entry;
};

struct gazetteer {
    char *text; /* the file, cut into fields */
    struct gazetteer_entry *entries;
    size_t count, capacity;
    struct name *names; /* sorted, none twice; NULL: there is no index */
    size_t name_count, name_capacity;
};

/* A name as it is compared: its letters and digits in lower case without their marks. What is not
 * UTF-8 becomes "", which nothing is called. */
static void fold(char out[FOLDED], const char *name, size_t length) {
    size_t used = 0, i = 0;
    for (; i < length && (unsigned char)name[i] < 0x80 && used + 1 < FOLDED; i++) {
        char c = name[i];
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            out[used++] = c;
        else if (c >= 'A' && c <= 'Z')
            out[used++] = (char)(c - 'A' + 'a');
    }
    out[used] = '\0';
    if (i == length || used + 1 == FOLDED) /* most names are ASCII, and utf8proc is slow */
        return;
    utf8proc_uint8_t *mapped = NULL;
    utf8proc_ssize_t bytes =
        utf8proc_map((const utf8proc_uint8_t *)name, (utf8proc_ssize_t)length, &mapped,
                     (utf8proc_option_t)(UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_STRIPMARK |
                                         UTF8PROC_CASEFOLD | UTF8PROC_IGNORE));
    used = 0;
    for (utf8proc_ssize_t at = 0; at < bytes && used + 5 < FOLDED;) {
        utf8proc_int32_t point;
        utf8proc_ssize_t size = utf8proc_iterate(mapped + at, bytes - at, &point);
        if (size < 1)
            break;
        utf8proc_category_t category = utf8proc_category(point);
        if (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO) {
            memcpy(out + used, mapped + at, (size_t)size);
            used += (size_t)size;
        }
        at += size;
    }
    out[used] = '\0';
    free(mapped);
}

/* No control characters, which would reach a terminal, and nothing but UTF-8. */
static int is_fine_text(const char *text) {
    const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)text;
    while (*at != '\0') {
        utf8proc_int32_t point;
        utf8proc_ssize_t size = *at < 0x80 ? 1 : utf8proc_iterate(at, -1, &point);
        if (size < 1 || *at < 32 || *at == 127)
            return 0;
        at += size;
    }
    return 1;
}

static int read_number(const char *text, double *number) {
    char *end;
    *number = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*number) ? 0 : -1;
}

/* What is wrong with a line, or NULL. */
static const char *read_entry(struct gazetteer_entry *entry, char *line) {
    char *fields[FIELDS], *rest = line;
    size_t count = 0;
    while (count < FIELDS && rest != NULL)
        fields[count++] = strsep(&rest, "\t");
    if (count < REQUIRED_FIELDS)
        return "it has fewer than six fields with tabs between them";
    for (size_t i = 0; i < count; i++)
        if (!is_fine_text(fields[i]))
            return "it is no plain UTF-8 text";
    *entry = (struct gazetteer_entry){
        .name = fields[0], .country = fields[3], .others = count == FIELDS ? fields[6] : ""};
    if (*entry->name == '\0' || strlen(entry->name) > GAZETTEER_NAME_LIMIT ||
        strlen(entry->country) > 16)
        return "its name or its country is empty or too long";
    if (read_number(fields[1], &entry->place.latitude) ||
        read_number(fields[2], &entry->place.longitude) || !location_is_valid(entry->place))
        return "it has no latitude from -90 to 90 and longitude from -180 to 180";
    if (read_number(fields[4], &entry->population) || !(entry->population >= 0))
        return "its population is no number";
    entry->is_area = strcmp(fields[5], "area") == 0;
    if (!entry->is_area && strcmp(fields[5], "city") != 0)
        return "its kind is neither city nor area";
    return NULL;
}

static int read_lines(struct gazetteer *g, const char *path, struct error *error) {
    char *rest = g->text, *line;
    for (size_t number = 1; (line = strsep(&rest, "\n")) != NULL; number++) {
        size_t length = strlen(line);
        if (length > 0 && line[length - 1] == '\r')
            line[--length] = '\0';
        if (length == 0 || *line == '#')
            continue;
        if (memory_grow(&g->entries, &g->capacity, g->count + 1, sizeof *g->entries, error))
            return -1;
        const char *problem = read_entry(&g->entries[g->count], line);
        if (problem != NULL)
            return error_set(error, "%s:%zu: %s", path, number, problem);
        g->count++;
    }
    return g->count > 0 ? 0 : error_set(error, "%s names no places", path);
}

int gazetteer_open(struct gazetteer **out, const char *path, struct error *error) {
    size_t bytes;
    *out = NULL;
    struct gazetteer *g = memory_allocate(1, sizeof *g, error);
    if (g == NULL)
        return -1;
    int result = file_read_all(path, FILE_LIMIT, &g->text, &bytes, error);
    if (result == 0 && strlen(g->text) != bytes)
        result = error_set(error, "%s has a zero byte: it is no text", path);
    if (result != 0 || read_lines(g, path, error)) {
        gazetteer_close(g);
        return -1;
    }
    *out = g;
    return 0;
}

void gazetteer_close(struct gazetteer *g) {
    if (g == NULL)
        return;
    free(g->text);
    free(g->entries);
    free(g->names);
    memory_free(g);
}

size_t gazetteer_count(const struct gazetteer *g) {
    return g->count;
}

static int is_called(const struct gazetteer_entry *entry, const char *wanted) {
    char folded[FOLDED];
    fold(folded, entry->name, strlen(entry->name));
    if (strcmp(folded, wanted) == 0)
        return 1;
    for (const char *at = entry->others; *at != '\0';) {
        size_t length = strcspn(at, "|");
        fold(folded, at, length);
        if (strcmp(folded, wanted) == 0)
            return 1;
        at += length + (at[length] == '|');
    }
    return 0;
}

/* "US-OH" is meant by "us-oh", "us" and "oh". */
static int is_in(const struct gazetteer_entry *entry, const char *country) {
    char part[FOLDED];
    size_t split = strcspn(entry->country, "-");
    fold(part, entry->country, strlen(entry->country));
    int is_whole = strcmp(part, country) == 0;
    fold(part, entry->country, split);
    int is_first = strcmp(part, country) == 0;
    fold(part, entry->country + split, strlen(entry->country + split));
    return is_whole || is_first || (*part != '\0' && strcmp(part, country) == 0);
}

static uint64_t hash_of(const char *folded) {
    uint64_t hash = 0;
    for (; *folded != '\0'; folded++)
        hash = random_mix(hash + (unsigned char)*folded + 0x9e3779b97f4a7c15u);
    return hash;
}

static int compare_names(const void *a, const void *b) {
    const struct name *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return (x->entry > y->entry) - (x->entry < y->entry);
}

static int add_name(struct gazetteer *g, size_t entry, const char *name, size_t length,
                    struct error *error) {
    char folded[FOLDED];
    fold(folded, name, length);
    if (memory_grow(&g->names, &g->name_capacity, g->name_count + 1, sizeof *g->names, error))
        return -1;
    g->names[g->name_count++] = (struct name){hash_of(folded), entry};
    return 0;
}

int gazetteer_index(struct gazetteer *g, struct error *error) {
    for (size_t i = 0; i < g->count; i++) {
        const struct gazetteer_entry *entry = &g->entries[i];
        if (add_name(g, i, entry->name, strlen(entry->name), error))
            return -1;
        for (const char *at = entry->others; *at != '\0';) {
            size_t length = strcspn(at, "|");
            if (add_name(g, i, at, length, error))
                return -1;
            at += length + (at[length] == '|');
        }
    }
    qsort(g->names, g->name_count, sizeof *g->names, compare_names);
    size_t kept = 0;
    for (size_t i = 0; i < g->name_count; i++)
        if (kept == 0 || compare_names(&g->names[kept - 1], &g->names[i]) != 0)
            g->names[kept++] = g->names[i];
    g->name_count = kept;
    return 0;
}

/* The first name of the index that is not before this hash. */
static size_t first_name(const struct gazetteer *g, uint64_t hash) {
    size_t low = 0, high = g->name_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (g->names[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Entries of a folded name in a folded country ("": in any). */
static size_t find_in(const struct gazetteer *g, const char *wanted, const char *country,
                      const struct gazetteer_entry **entries, size_t most) {
    size_t count = 0, from = 0, to = g->count;
    uint64_t hash = hash_of(wanted);
    if (g->names != NULL) {
        from = first_name(g, hash);
        for (to = from; to < g->name_count && g->names[to].hash == hash;)
            to++;
    }
    for (size_t i = from; *wanted != '\0' && i < to; i++) {
        const struct gazetteer_entry *entry = &g->entries[g->names != NULL ? g->names[i].entry : i];
        if ((*country != '\0' && !is_in(entry, country)) || !is_called(entry, wanted))
            continue;
        size_t k = count < most ? count : most;
        for (; k > 0 && entries[k - 1]->population < entry->population; k--)
            if (k < most)
                entries[k] = entries[k - 1];
        if (k < most)
            entries[k] = entry;
        count++;
    }
    return count;
}

size_t gazetteer_find(const struct gazetteer *g, const char *name,
                      const struct gazetteer_entry **entries, size_t most) {
    char wanted[FOLDED], country[FOLDED];
    fold(wanted, name, strlen(name));
    size_t count = find_in(g, wanted, "", entries, most);
    const char *comma = strrchr(name, ',');
    if (count > 0 || comma == NULL)
        return count;
    fold(wanted, name, (size_t)(comma - name));
    fold(country, comma + 1, strlen(comma + 1));
    return *country == '\0' ? 0 : find_in(g, wanted, country, entries, most);
}

const struct gazetteer_entry *gazetteer_near(const struct gazetteer *g, struct location place,
                                             double kilometres) {
    const struct gazetteer_entry *nearest = NULL, *largest = NULL;
    double least = 0, at[3], vector[3];
    double chord = 2 * sin(fmin(kilometres / EARTH_RADIUS, M_PI) / 2);
    location_to_vector(at, place);
    for (size_t i = 0; i < g->count; i++) {
        const struct gazetteer_entry *entry = &g->entries[i];
        if (entry->is_area)
            continue;
        location_to_vector(vector, entry->place);
        double gap = hypot(hypot(vector[0] - at[0], vector[1] - at[1]), vector[2] - at[2]);
        if (nearest == NULL || gap < least) {
            nearest = entry;
            least = gap;
        }
        if (gap <= chord && (largest == NULL || entry->population > largest->population))
            largest = entry;
    }
    return largest != NULL ? largest : nearest;
}

int location_parse(const char *text, struct location *place) {
    char *end;
    double latitude = strtod(text, &end);
    if (end == text)
        return -1;
    const char *second = end + strspn(end, " ,;");
    double longitude = strtod(second, &end);
    if (end == second || *end != '\0' || strchr(" ,;", second[-1]) == NULL)
        return -1;
    *place = (struct location){latitude, longitude};
    return location_is_valid(*place) ? 0 : -1;
}

/* How many letters must change, at most `limit`, between two folded names. */
static size_t edit_distance(const char *a, const char *b, size_t limit) {
    size_t row[FOLDED], length = strlen(a), other = strlen(b);
    if ((length > other ? length - other : other - length) > limit)
        return limit + 1;
    for (size_t j = 0; j <= other; j++)
        row[j] = j;
    for (size_t i = 1; i <= length; i++) {
        size_t diagonal = row[0], least = i;
        row[0] = i;
        for (size_t j = 1; j <= other; j++) {
            size_t change = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            size_t insertion = row[j - 1] + 1, deletion = row[j] + 1;
            row[j] = change < insertion ? change : insertion;
            row[j] = row[j] < deletion ? row[j] : deletion;
            least = row[j] < least ? row[j] : least;
        }
        if (least > limit)
            return limit + 1;
    }
    return row[other];
}

/* The names that are spelt most like it, or that begin with it; of equals the most populous. */
static int unknown_name(const struct gazetteer *g, const char *text, struct error *error) {
    const struct gazetteer_entry *near[NEAR_NAMES] = {NULL};
    size_t distances[NEAR_NAMES], count = 0, limit = 2;
    char wanted[FOLDED], folded[FOLDED], list[NEAR_NAMES * 104] = "";
    fold(wanted, text, strcspn(text, ","));
    size_t length = strlen(wanted);
    for (size_t i = 0; length > 0 && i < g->count; i++) {
        const struct gazetteer_entry *entry = &g->entries[i];
        fold(folded, entry->name, strlen(entry->name));
        size_t distance = edit_distance(wanted, folded, limit);
        if (length >= 3 && strncmp(folded, wanted, length) == 0)
            distance = distance < limit ? distance : limit;
        if (distance > limit || distance >= length)
            continue;
        size_t k = count < NEAR_NAMES ? count++ : NEAR_NAMES;
        for (; k > 0 &&
               (distances[k - 1] > distance ||
                (distances[k - 1] == distance && near[k - 1]->population < entry->population));
             k--)
            if (k < NEAR_NAMES) {
                near[k] = near[k - 1];
                distances[k] = distances[k - 1];
            }
        if (k < NEAR_NAMES) {
            near[k] = entry;
            distances[k] = distance;
        }
    }
    for (size_t i = 0; i < count; i++) {
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s, %s", i > 0 ? "; " : "", near[i]->name,
                 near[i]->country);
    }
    return error_set(error,
                     "'%.80s' is no place that the gazetteer knows%s%s; coordinates such as "
                     "41.9,-87.6 always work",
                     text, count > 0 ? ", which knows " : "", list);
}

static void entitle(char *title, const struct gazetteer_entry *const *found, size_t count) {
    const struct gazetteer_entry *entry = found[0];
    int used = snprintf(title, GAZETTEER_TITLE, "%s, %s (%.4g,%.4g)", entry->name, entry->country,
                        entry->place.latitude, entry->place.longitude);
    if (count < 2)
        return;
    char others[32] = "";
    if (count > 2)
        snprintf(others, sizeof others, " or %zu other%s", count - 2, count > 3 ? "s" : "");
    snprintf(title + used, GAZETTEER_TITLE - (size_t)used, ", not %s, %s%s", found[1]->name,
             found[1]->country, others);
}

int gazetteer_resolve(const struct gazetteer *g, const char *text, struct location *place,
                      char *title, struct error *error) {
    const struct gazetteer_entry *found[2];
    if (location_parse(text, place) == 0) {
        if (title != NULL)
            snprintf(title, GAZETTEER_TITLE, "%.6g,%.6g", place->latitude, place->longitude);
        return 0;
    }
    if (g == NULL)
        return error_set(error,
                         "'%.80s' is no latitude and longitude such as 41.9,-87.6; for names of "
                         "places a gazetteer is needed: recipes/places/fetch.sh makes one, "
                         "--gazetteer FILE or TRINE_GAZETTEER=FILE names it",
                         text);
    size_t count = gazetteer_find(g, text, found, 2);
    if (count == 0)
        return unknown_name(g, text, error);
    *place = found[0]->place;
    if (title != NULL)
        entitle(title, found, count);
    return 0;
}
