/* One line of a corpus read as its manifest says: text, name, labels, or what is wrong with it. */
#ifndef TRINE_TEXT_RECORD_H
#define TRINE_TEXT_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "picture/raster.h"
#include "text/manifest.h"

/* What can be wrong with a line. */
enum record_fault {
    RECORD_FINE,
    RECORD_BLANK, /* no fault: white space only */
    RECORD_TOO_LONG,
    RECORD_NO_JSON,
    RECORD_NO_UTF8,
    RECORD_NO_TEXT,
    RECORD_BAD_NAME,
    RECORD_BAD_LABEL,
    RECORD_BAD_PICTURE,
    RECORD_FAULT_COUNT
};

enum { RECORD_NAME_LIMIT = 1024, RECORD_LABEL_LIMIT = 1024 };

struct record_label {
    int is_given;
    double number[2];
    const char *text; /* categorical; lives as long as the record is not read again */
    char digits[32];
};

/* Starts as zeros; record_free gives back what it holds. Reading again frees the last line. */
struct record {
    enum record_fault fault;
    char message[240]; /* of a fault */
    json_t *root;
    const char *text; /* may hold NUL bytes; "" only where there is a picture */
    size_t text_bytes;
    struct raster picture; /* no pixels: none */
    char name[RECORD_NAME_LIMIT + 1];
    uint64_t hash[2]; /* of the text, and of the picture if there is one */
    int is_held_out;
    size_t held_out_index; /* into the manifest's list of documents, or SIZE_MAX */
    struct record_label labels[MANIFEST_SLOT_LIMIT];
};

/* `place` ("file:line") is the name of a record whose manifest tells no other; pictures lie beside
 * `file`, or under the working directory if it is "-", and nowhere else. */
void record_read(struct record *record, const struct manifest *manifest, const char *line,
                 size_t bytes, const char *place, const char *file);
void record_free(struct record *record);

/* "malformed JSON", …: for reports, in the singular. */
const char *record_fault_name(enum record_fault fault);

#endif
