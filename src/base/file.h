/* Files: whole reads, read-only maps, and writes that are either complete or absent. */
#ifndef TRINE_BASE_FILE_H
#define TRINE_BASE_FILE_H

#include <stddef.h>
#include <stdio.h>

#include "base/error.h"

/* A file being written under a temporary name in the directory of its final path. */
struct file_writer {
    FILE *stream; /* write here with stdio */
    char path[4096];
    char temporary[4200];
};

/* Opens the temporary file. On failure nothing is left behind. */
int file_writer_open(struct file_writer *writer, const char *path, struct error *error);

/* The same for what is secret: from the first moment only its owner may read it. Nothing stays in a
 * buffer of stdio; write it in one piece. */
int file_writer_open_private(struct file_writer *writer, const char *path, struct error *error);

/* Flushes, syncs, renames to the final path, syncs the directory. On failure the temporary
 * file is removed and the old file, if any, is untouched. */
int file_writer_commit(struct file_writer *writer, struct error *error);

/* Gives up: closes and removes the temporary file. Harmless after commit. */
void file_writer_abort(struct file_writer *writer);

/* A whole file mapped read-only. */
struct file_map {
    const unsigned char *data; /* NULL when the file is empty */
    size_t bytes;
};

int file_map_open(struct file_map *map, const char *path, struct error *error);
void file_map_close(struct file_map *map);

/* Gives the memory of its pages back; those that are looked at again are read again. */
void file_map_release(const struct file_map *map);

/* Reads a whole file, or standard input when the path is "-", of at most `limit` bytes. The
 * caller frees *data (plain free); a NUL that is not counted follows the last byte. */
int file_read_all(const char *path, size_t limit, char **data, size_t *bytes, struct error *error);

/* Creates the directory and its parents; an existing directory is fine. */
int file_make_directory(const char *path, struct error *error);

#endif
