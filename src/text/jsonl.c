#include "text/jsonl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>
#include <zstd.h>

#include "base/memory.h"

enum { CHUNK_BYTES = 1 << 18 };

enum encoding { ENCODING_PLAIN, ENCODING_GZIP, ENCODING_ZSTD };

struct jsonl_reader {
    const struct jsonl_source *sources;
    size_t source_count, source, line_number, line_limit, bytes_read;
    int descriptor; /* -1: the next source is not open yet */
    enum encoding encoding;
    int is_at_end;        /* of the file's bytes */
    int is_inside_member; /* compressed data is not complete here */
    z_stream gzip;
    int has_gzip;
    ZSTD_DStream *zstd;
    unsigned char *input; /* CHUNK_BYTES of the file as it is */
    size_t input_at, input_end;
    char *text; /* what was decoded and not yet handed out */
    size_t text_at, text_end, text_capacity;
    size_t searched; /* no newline in text[text_at, searched) */
    int is_passing_over;
};

int jsonl_open(struct jsonl_reader **out, const struct jsonl_source *sources, size_t count,
               size_t line_limit, struct error *error) {
    *out = NULL;
    struct jsonl_reader *r = memory_allocate(1, sizeof *r, error);
    if (r == NULL)
        return -1;
    r->sources = sources;
    r->source_count = count;
    r->line_limit = line_limit > 0 ? line_limit : JSONL_LINE_LIMIT;
    r->descriptor = -1;
    r->input = memory_allocate(CHUNK_BYTES, 1, error);
    r->zstd = ZSTD_createDStream();
    if (r->input == NULL || r->zstd == NULL) {
        if (r->input != NULL)
            error_set(error, "out of memory preparing to read Zstandard files");
        jsonl_close(r);
        return -1;
    }
    *out = r;
    return 0;
}

static void close_source(struct jsonl_reader *r) {
    if (r->has_gzip)
        inflateEnd(&r->gzip);
    r->has_gzip = 0;
    if (r->descriptor >= 0 && r->sources[r->source].descriptor < 0)
        close(r->descriptor);
    r->descriptor = -1;
}

void jsonl_close(struct jsonl_reader *r) {
    if (r == NULL)
        return;
    close_source(r);
    ZSTD_freeDStream(r->zstd);
    memory_free(r->input);
    free(r->text);
    memory_free(r);
}

static const char *source_name(const struct jsonl_reader *r) {
    const char *name = r->sources[r->source].name;
    return strcmp(name, "-") == 0 ? "standard input" : name;
}

/* Adds to the input until `wanted` bytes are there or the file ends. */
static int fill_input(struct jsonl_reader *r, size_t wanted, struct error *error) {
    if (r->input_at > 0) {
        memmove(r->input, r->input + r->input_at, r->input_end - r->input_at);
        r->input_end -= r->input_at;
        r->input_at = 0;
    }
    while (r->input_end < wanted && !r->is_at_end) {
        ssize_t got = read(r->descriptor, r->input + r->input_end, CHUNK_BYTES - r->input_end);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_errno(error, "cannot read %s", source_name(r));
        r->is_at_end = got == 0;
        r->input_end += (size_t)got;
        r->bytes_read += (size_t)got;
    }
    return 0;
}

/* Also the skippable frames with which some tools begin a Zstandard file. */
static enum encoding guess_encoding(const unsigned char *magic, size_t bytes) {
    if (bytes >= 2 && magic[0] == 0x1f && magic[1] == 0x8b)
        return ENCODING_GZIP;
    if (bytes >= 4 && (memcmp(magic, "\x28\xb5\x2f\xfd", 4) == 0 ||
                       ((magic[0] & 0xf0) == 0x50 && memcmp(magic + 1, "\x2a\x4d\x18", 3) == 0)))
        return ENCODING_ZSTD;
    return ENCODING_PLAIN;
}

static int open_source(struct jsonl_reader *r, struct error *error) {
    const struct jsonl_source *source = &r->sources[r->source];
    if (source->descriptor >= 0) {
        r->descriptor = source->descriptor;
        if (lseek(r->descriptor, 0, SEEK_SET) != 0)
            return error_set_errno(error, "cannot read %s from its beginning", source_name(r));
    } else {
        int is_input = strcmp(source->name, "-") == 0;
        r->descriptor = is_input ? dup(STDIN_FILENO) : open(source->name, O_RDONLY | O_CLOEXEC);
        if (r->descriptor < 0)
            return error_set_errno(error, "cannot open %s", source_name(r));
    }
    r->is_at_end = 0;
    r->input_at = r->input_end = r->line_number = 0;
    if (fill_input(r, 4, error))
        return -1;
    r->encoding = guess_encoding(r->input, r->input_end);
    r->is_inside_member = 0;
    if (r->encoding == ENCODING_ZSTD)
        ZSTD_initDStream(r->zstd);
    return 0;
}

/* The decoders put at most `room` bytes at `to` and return how many; -1 with the error filled.
 * None: there is no more. */
static long decode_plain(struct jsonl_reader *r, char *to, size_t room, struct error *error) {
    if (r->input_at == r->input_end && fill_input(r, 1, error))
        return -1;
    size_t count = r->input_end - r->input_at < room ? r->input_end - r->input_at : room;
    memcpy(to, r->input + r->input_at, count);
    r->input_at += count;
    return (long)count;
}

/* Compressed files may be several members, one after the other. */
static int start_gzip_member(struct jsonl_reader *r, struct error *error) {
    if (r->has_gzip)
        inflateEnd(&r->gzip);
    memset(&r->gzip, 0, sizeof r->gzip);
    r->has_gzip = inflateInit2(&r->gzip, 15 + 16) == Z_OK;
    r->is_inside_member = 1;
    return r->has_gzip ? 0 : error_set(error, "out of memory reading %s", source_name(r));
}

static int broken(const struct jsonl_reader *r, const char *what, struct error *error) {
    return error_set(error, "%s: broken compressed data near byte %zu: %s", source_name(r),
                     r->bytes_read - (r->input_end - r->input_at), what);
}

static long decode_gzip(struct jsonl_reader *r, char *to, size_t room, struct error *error) {
    for (;;) {
        if (r->input_at == r->input_end && fill_input(r, 1, error))
            return -1;
        if (r->input_at == r->input_end)
            return r->is_inside_member ? broken(r, "it ends too early", error) : 0;
        if (!r->is_inside_member && start_gzip_member(r, error))
            return -1;
        r->gzip.next_in = r->input + r->input_at;
        r->gzip.avail_in = (uInt)(r->input_end - r->input_at);
        r->gzip.next_out = (Bytef *)to;
        r->gzip.avail_out = (uInt)room;
        int code = inflate(&r->gzip, Z_NO_FLUSH);
        r->input_at = r->input_end - r->gzip.avail_in;
        if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
            return broken(r, r->gzip.msg != NULL ? r->gzip.msg : "no gzip", error);
        if (code == Z_STREAM_END)
            r->is_inside_member = 0;
        if (r->gzip.avail_out < room)
            return (long)(room - r->gzip.avail_out);
    }
}

static long decode_zstd(struct jsonl_reader *r, char *to, size_t room, struct error *error) {
    for (;;) {
        if (r->input_at == r->input_end && fill_input(r, 1, error))
            return -1;
        int has_input = r->input_at < r->input_end;
        if (!has_input && !r->is_inside_member)
            return 0;
        ZSTD_inBuffer in = {r->input + r->input_at, r->input_end - r->input_at, 0};
        ZSTD_outBuffer put = {to, room, 0};
        size_t code = ZSTD_decompressStream(r->zstd, &put, &in);
        if (ZSTD_isError(code))
            return broken(r, ZSTD_getErrorName(code), error);
        r->input_at += in.pos;
        r->is_inside_member = code != 0;
        if (put.pos > 0)
            return (long)put.pos;
        if (!has_input && r->is_inside_member)
            return broken(r, "it ends too early", error);
    }
}

/* Decodes some more text; *count is 0 at the end of the source. */
static int fill_text(struct jsonl_reader *r, size_t *count, struct error *error) {
    if (r->text_at > 0) {
        memmove(r->text, r->text + r->text_at, r->text_end - r->text_at);
        r->text_end -= r->text_at;
        r->searched -= r->text_at;
        r->text_at = 0;
    }
    if (memory_grow(&r->text, &r->text_capacity, r->text_end + CHUNK_BYTES, 1, error))
        return -1;
    char *to = r->text + r->text_end;
    long got = r->encoding == ENCODING_GZIP   ? decode_gzip(r, to, CHUNK_BYTES, error)
               : r->encoding == ENCODING_ZSTD ? decode_zstd(r, to, CHUNK_BYTES, error)
                                              : decode_plain(r, to, CHUNK_BYTES, error);
    if (got < 0)
        return -1;
    *count = (size_t)got;
    r->text_end += (size_t)got;
    return 0;
}

/* Hands out text[text_at, end). */
static void give(struct jsonl_reader *r, struct jsonl_line *line, size_t end) {
    r->line_number++;
    size_t at = r->text_at, bytes = end - at;
    if (r->line_number == 1 && bytes >= 3 && memcmp(r->text + at, "\xef\xbb\xbf", 3) == 0) {
        at += 3;
        bytes -= 3;
    }
    int is_too_long = r->is_passing_over || bytes > r->line_limit;
    *line = (struct jsonl_line){r->text + at, is_too_long ? 0 : bytes, r->source, r->line_number,
                                is_too_long};
    r->is_passing_over = 0;
    r->text_at = r->searched = end < r->text_end ? end + 1 : end;
}

int jsonl_next(struct jsonl_reader *r, struct jsonl_line *line, struct error *error) {
    *line = (struct jsonl_line){0};
    while (r->source < r->source_count) {
        if (r->descriptor < 0 && open_source(r, error))
            return -1;
        char *newline = r->searched < r->text_end
                            ? memchr(r->text + r->searched, '\n', r->text_end - r->searched)
                            : NULL;
        if (newline != NULL) {
            give(r, line, (size_t)(newline - r->text));
            return 0;
        }
        r->searched = r->text_end;
        if (r->text_end - r->text_at > r->line_limit) {
            r->is_passing_over = 1;
            r->text_at = r->text_end;
        }
        size_t count;
        if (fill_text(r, &count, error))
            return -1;
        if (count > 0)
            continue;
        int has_rest = r->text_end > r->text_at || r->is_passing_over;
        if (has_rest)
            give(r, line, r->text_end);
        close_source(r);
        if (has_rest) {
            r->source++;
            return 0;
        }
        r->source++;
    }
    return 0;
}

size_t jsonl_bytes_read(const struct jsonl_reader *r) {
    return r->bytes_read;
}
