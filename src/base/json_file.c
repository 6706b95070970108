#include "base/json_file.h"

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
