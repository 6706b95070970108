#include "text/coastlines.h"

#include <libgen.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"

enum { FILE_LIMIT = 1 << 26 };

static size_t count_pairs(const char *line) {
    size_t count = 0;
    for (; *line != '\0'; line++)
        count += *line == ',';
    return count;
}

/* Reads as many pairs as the line has commas; -1: it is something else than pairs. */
static int read_ring(double *longitudes, double *latitudes, size_t count, char *line) {
    char *at = line;
    for (size_t i = 0; i < count; i++) {
        char *end;
        longitudes[i] = strtod(at, &end);
        if (end == at || *end != ',' || !(fabs(longitudes[i]) <= 360))
            return -1;
        at = end + 1;
        latitudes[i] = strtod(at, &end);
        if (end == at || (*end != ' ' && *end != '\0') || !(fabs(latitudes[i]) <= 90))
            return -1;
        at = end;
    }
    return at[strspn(at, " ")] == '\0' ? 0 : -1;
}

static int read_lines(struct coastlines *c, char *text, const char *path, struct error *error) {
    double *next = c->numbers;
    char *line;
    for (size_t number = 1; (line = strsep(&text, "\n")) != NULL; number++) {
        size_t count = count_pairs(line);
        line[strcspn(line, "\r")] = '\0';
        if (*line == '\0' || *line == '#')
            continue;
        if (memory_grow(&c->rings, &c->capacity, c->count + 1, sizeof *c->rings, error))
            return -1;
        if (count == 0 || read_ring(next, next + count, count, line))
            return error_set(error, "%s:%zu: it is no ring of longitude,latitude pairs", path,
                             number);
        c->rings[c->count++] = (struct chart_map_line){next, next + count, count};
        next += 2 * count;
    }
    return 0;
}

int coastlines_read(struct coastlines *c, const char *path, struct error *error) {
    char *text;
    size_t bytes;
    *c = (struct coastlines){0};
    if (file_read_all(path, FILE_LIMIT, &text, &bytes, error))
        return -1;
    c->numbers = memory_allocate(2 * count_pairs(text), sizeof *c->numbers, error);
    int result = c->numbers == NULL      ? -1
                 : strlen(text) != bytes ? error_set(error, "%s is no text", path)
                                         : read_lines(c, text, path, error);
    free(text);
    if (result != 0)
        coastlines_free(c);
    return result;
}

int coastlines_read_beside(struct coastlines *c, const char *gazetteer_path, struct error *error) {
    char directory[4096], path[4200];
    *c = (struct coastlines){0};
    if (gazetteer_path == NULL)
        return 0;
    snprintf(directory, sizeof directory, "%s", gazetteer_path);
    snprintf(path, sizeof path, "%s/coastlines.txt", dirname(directory));
    return access(path, F_OK) == 0 ? coastlines_read(c, path, error) : 0;
}

void coastlines_free(struct coastlines *c) {
    free(c->rings);
    memory_free(c->numbers);
    *c = (struct coastlines){0};
}
