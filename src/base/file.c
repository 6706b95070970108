#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int name_temporary(struct file_writer *writer, const char *path, struct error *error) {
    writer->stream = NULL;
    if (strlen(path) >= sizeof writer->path)
        return error_set(error, "cannot write a file: the path is longer than %zu bytes",
                         sizeof writer->path - 1);
    strcpy(writer->path, path);
    snprintf(writer->temporary, sizeof writer->temporary, "%s.tmp-%ld", path, (long)getpid());
    return 0;
}

int file_writer_open(struct file_writer *writer, const char *path, struct error *error) {
    if (name_temporary(writer, path, error))
        return -1;
    writer->stream = fopen(writer->temporary, "wb");
    if (writer->stream == NULL)
        return error_set_errno(error, "cannot create %s", writer->temporary);
    return 0;
}

int file_writer_open_private(struct file_writer *writer, const char *path, struct error *error) {
    if (name_temporary(writer, path, error))
        return -1;
    /* What lies there already may be open to others: the file must be a new one. */
    if (unlink(writer->temporary) != 0 && errno != ENOENT)
        return error_set_errno(error, "cannot remove %s", writer->temporary);
    int descriptor = open(writer->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor < 0)
        return error_set_errno(error, "cannot create %s", writer->temporary);
    writer->stream = fdopen(descriptor, "wb");
    if (writer->stream == NULL) {
        error_set_errno(error, "cannot create %s", writer->temporary);
        close(descriptor);
        unlink(writer->temporary);
        return -1;
    }
    setvbuf(writer->stream, NULL, _IONBF, 0);
    return 0;
}

/* After a rename the directory entry itself must reach the disk. */
static int sync_directory_of(const char *path, struct error *error) {
    char copy[4096];
    strcpy(copy, path);
    const char *directory = dirname(copy);
    int descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0)
        return error_set_errno(error, "cannot open directory %s", directory);
    int failed = fsync(descriptor) != 0;
    close(descriptor);
    if (failed && errno != EINVAL) /* some file systems cannot sync a directory */
        return error_set_errno(error, "cannot sync directory %s", directory);
    return 0;
}

int file_writer_commit(struct file_writer *writer, struct error *error) {
    FILE *stream = writer->stream;
    int failed = ferror(stream) || fflush(stream) != 0 || fsync(fileno(stream)) != 0;
    if (failed)
        error_set_errno(error, "cannot write %s", writer->temporary);
    writer->stream = NULL;
    if (fclose(stream) != 0 && !failed) {
        failed = 1;
        error_set_errno(error, "cannot close %s", writer->temporary);
    }
    if (!failed && rename(writer->temporary, writer->path) != 0) {
        failed = 1;
        error_set_errno(error, "cannot rename %s to %s", writer->temporary, writer->path);
    }
    if (failed) {
        unlink(writer->temporary);
        return -1;
    }
    return sync_directory_of(writer->path, error);
}

void file_writer_abort(struct file_writer *writer) {
    if (writer->stream == NULL)
        return;
    fclose(writer->stream);
    writer->stream = NULL;
    unlink(writer->temporary);
}

int file_map_open(struct file_map *map, const char *path, struct error *error) {
    *map = (struct file_map){0};
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return error_set_errno(error, "cannot open %s", path);
    struct stat status;
    int result = 0;
    if (fstat(descriptor, &status) != 0) {
        result = error_set_errno(error, "cannot inspect %s", path);
    } else if (!S_ISREG(status.st_mode)) {
        result = error_set(error, "cannot map %s: not a regular file", path);
    } else if (status.st_size > 0) {
        void *data = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
        if (data == MAP_FAILED)
            result = error_set_errno(error, "cannot map %s", path);
        else
            *map = (struct file_map){data, (size_t)status.st_size};
    }
    close(descriptor);
    return result;
}

void file_map_close(struct file_map *map) {
    if (map->data != NULL)
        munmap((void *)map->data, map->bytes);
    *map = (struct file_map){0};
}

void file_map_release(const struct file_map *map) {
    if (map->data != NULL)
        madvise((void *)map->data, map->bytes, MADV_DONTNEED);
}

int file_read_all(const char *path, size_t limit, char **data, size_t *bytes, struct error *error) {
    int is_input = strcmp(path, "-") == 0;
    FILE *stream = is_input ? stdin : fopen(path, "rb");
    if (stream == NULL)
        return error_set_errno(error, "cannot open %s", path);
    size_t capacity = 1 << 16, length = 0;
    char *buffer = malloc(capacity);
    int result = buffer != NULL ? 0 : error_set(error, "out of memory reading %s", path);
    while (result == 0) {
        length += fread(buffer + length, 1, capacity - length - 1, stream);
        if (ferror(stream))
            result = error_set_errno(error, "cannot read %s", path);
        else if (length > limit)
            result = error_set(error, "%s is larger than %zu bytes", path, limit);
        if (result != 0 || length + 1 < capacity)
            break;
        char *grown = realloc(buffer, capacity *= 2);
        if (grown == NULL)
            result = error_set(error, "out of memory reading %s", path);
        else
            buffer = grown;
    }
    if (!is_input)
        fclose(stream);
    if (result != 0) {
        free(buffer);
        return result;
    }
    buffer[length] = '\0';
    *data = buffer;
    *bytes = length;
    return 0;
}

int file_make_directory(const char *path, struct error *error) {
    char copy[4096];
    if (strlen(path) >= sizeof copy)
        return error_set(error, "cannot make a directory: the path is too long");
    strcpy(copy, path);
    for (char *slash = copy + 1;; slash++) {
        if (*slash != '/' && *slash != '\0')
            continue;
        char kept = *slash;
        *slash = '\0';
        struct stat status;
        if (mkdir(copy, 0777) != 0 && errno != EEXIST)
            return error_set_errno(error, "cannot make directory %s", copy);
        if (stat(copy, &status) != 0 || !S_ISDIR(status.st_mode))
            return error_set(error, "cannot make directory %s: a file is in its place", copy);
        if (kept == '\0')
            return 0;
        *slash = kept;
    }
}
