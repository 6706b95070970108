/* Lines of several files, one after the other: plain, gzip (zlib) or Zstandard (libzstd), told
 * apart by their first bytes. Memory is bounded by the longest line allowed, whatever the files
 * hold.
 *
 * One thread at a time may use a reader. */
#ifndef TRINE_TEXT_JSONL_H
#define TRINE_TEXT_JSONL_H

#include <stddef.h>

#include "base/error.h"

/* A long book is 5 MB; a line of 64 MB is a mistake. */
enum { JSONL_LINE_LIMIT = 64 << 20 };

struct jsonl_source {
    const char *name; /* a path, or "-" for standard input; borrowed */
    /* An open file to read from its beginning, for input that was spooled; it stays the caller's.
     * -1: the name is opened. */
    int descriptor;
};

struct jsonl_line {
    const char *data; /* not NUL-terminated, without the newline, lives until the next call; NULL
                         at the end of the input */
    size_t bytes;
    size_t source;   /* index of the source */
    size_t number;   /* counted from 1 in each source */
    int is_too_long; /* over the limit: its bytes were passed over */
};

struct jsonl_reader;

/* `sources` is borrowed; a line limit of 0 means JSONL_LINE_LIMIT. */
int jsonl_open(struct jsonl_reader **out, const struct jsonl_source *sources, size_t count,
               size_t line_limit, struct error *error);
void jsonl_close(struct jsonl_reader *reader);

/* The next line. A last line without newline counts; blank lines come as they are. A byte order
 * mark at the start of a source is dropped. Broken or truncated compressed data is an error. */
int jsonl_next(struct jsonl_reader *reader, struct jsonl_line *line, struct error *error);

/* Bytes read so far, as they lie on the disk. */
size_t jsonl_bytes_read(const struct jsonl_reader *reader);

#endif
