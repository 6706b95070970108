#include "base/json_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"

int json_file_write(const json_t *json, const char *path, size_t flags, struct error *error) {
    struct file_writer writer;
    if (json == NULL)
        return error_set(error, "out of memory for %s", path);
    if (file_writer_open(&writer, path, error))
        return -1;
    if (json_dumpf(json, writer.stream, flags) != 0 || fputc('\n', writer.stream) == EOF) {
        file_writer_abort(&writer);
        return error_set(error, "%s: cannot write it", path);
    }
    return file_writer_commit(&writer, error);
}

json_t *json_file_read(const char *path, size_t limit, struct error *error) {
    json_error_t problem;
    char *text;
    size_t bytes;
    if (file_read_all(path, limit, &text, &bytes, error))
        return NULL;
    json_t *json = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &problem);
    free(text);
    if (json == NULL)
        error_set(error, "%s: line %d: %s", path, problem.line, problem.text);
    return json;
}

int json_check_keys(const json_t *object, const char *const *known, size_t count,
                    struct error *error) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value) {
        size_t i = 0;
        while (i < count && strcmp(key, known[i]) != 0)
            i++;
        if (i == count)
            return error_set(error, "there is no key \"%.100s\"", key);
    }
    return 0;
}
