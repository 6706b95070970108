/* Trine: a language model with handles. The public C interface of its dream layer.
 *
 *     struct trine_error error;
 *     trine_model *model = trine_model_open("sotu.gguf", &error);
 *     trine_handle *handle = trine_handle_new(model, &error);
 *     trine_handle_tell(handle, "author", "Abraham Lincoln", &error);
 *     trine_write(handle, NULL, callback, context, &error);
 *
 * Errors: functions that can fail return NULL or -1 and fill `error`, which may be NULL. After a
 * failure the objects involved are as they were before. An object or a text that is NULL where one
 * is needed is such a failure. Nothing here prints or ends the program.
 * Ownership: what a function named ..._new or ..._open returns is the caller's, to be given to
 * ..._free or ..._close. A handle borrows its model and must be freed before it is closed.
 * Strings that come in are not kept.
 * Texts are UTF-8; other bytes are read as they are. One piece that a callback gets may end inside
 * a character, which the next piece completes, unless the writing ends there.
 * Threads: a model may be used by many threads at once; a handle by one at a time, though many may
 * write under it, or ask it, while none changes it. A callback runs on the calling thread. */
#ifndef TRINE_H
#define TRINE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define TRINE_PUBLIC __attribute__((visibility("default")))
#else
#define TRINE_PUBLIC
#endif

struct trine_error {
    char message[1024]; /* what was wrong, where, and what to do */
};

typedef struct trine_model trine_model;
typedef struct trine_handle trine_handle;

/* "0.1.0" */
TRINE_PUBLIC const char *trine_version(void);

/* Opens a model file (GGUF of architecture "trine"). */
TRINE_PUBLIC trine_model *trine_model_open(const char *path, struct trine_error *error);
TRINE_PUBLIC void trine_model_close(trine_model *model); /* NULL is fine */

/* The slots of a model: 0 for a plain one. The name lives as long as the model; NULL past the
 * last. A date or place slot has no labels: its count is 0. */
TRINE_PUBLIC size_t trine_slot_count(const trine_model *model);
TRINE_PUBLIC const char *trine_slot_name(const trine_model *model, size_t slot);
TRINE_PUBLIC size_t trine_slot_label_count(const trine_model *model, size_t slot);
TRINE_PUBLIC const char *trine_slot_label(const trine_model *model, size_t slot, size_t label);

/* A handle: what is known of every slot. A new one knows nothing: all slots are inferred. */
TRINE_PUBLIC trine_handle *trine_handle_new(const trine_model *model, struct trine_error *error);
TRINE_PUBLIC void trine_handle_free(trine_handle *handle); /* NULL is fine */

/* Tells a slot a label (or the only label that contains the text; of a place slot
 * "latitude,longitude"), a year (held the more loosely the farther it lies beyond the years of the
 * corpus), or a mixture such as "A:0.6,B:0.4". */
TRINE_PUBLIC int trine_handle_tell(trine_handle *handle, const char *slot, const char *label,
                                   struct trine_error *error);
TRINE_PUBLIC int trine_handle_tell_year(trine_handle *handle, const char *slot, double year,
                                        struct trine_error *error);
TRINE_PUBLIC int trine_handle_mix(trine_handle *handle, const char *slot, const char *mixture,
                                  struct trine_error *error);

/* Tells a slot a vector of its width. */
TRINE_PUBLIC int trine_handle_tell_vector(trine_handle *handle, const char *slot,
                                          const double *vector, size_t count,
                                          struct trine_error *error);

/* All slots <- what the model makes of a text of `length` bytes: who wrote it, and when. Nothing is
 * told: the slots go on being inferred from there. */
TRINE_PUBLIC int trine_handle_read(trine_handle *handle, const char *text, size_t length,
                                   struct trine_error *error);

/* The handle as a JSON file, and back. */
TRINE_PUBLIC int trine_handle_save(const trine_handle *handle, const char *path,
                                   struct trine_error *error);
TRINE_PUBLIC int trine_handle_load(trine_handle *handle, const char *path,
                                   struct trine_error *error);

/* What a handle says of a slot with labels: the `count` likeliest ones, likeliest first. Returns
 * how many were filled in, or -1. The labels live as long as the model. */
struct trine_guess {
    const char *label;
    double probability;
};
TRINE_PUBLIC int trine_handle_labels(const trine_handle *handle, const char *slot,
                                     struct trine_guess *guesses, size_t count,
                                     struct trine_error *error);

/* What a handle says of a date slot: the median year and the central 90 %. */
struct trine_years {
    double median, low, high;
};
TRINE_PUBLIC int trine_handle_years(const trine_handle *handle, const char *slot,
                                    struct trine_years *years, struct trine_error *error);

/* What a handle says of a place slot: the point from which the expected distance is least
 * (degrees), and the circles around it that hold half and 90 % of the belief (kilometres). */
struct trine_place {
    double latitude, longitude, kilometres_50, kilometres_90;
};
TRINE_PUBLIC int trine_handle_place(const trine_handle *handle, const char *slot,
                                    struct trine_place *place, struct trine_error *error);

/* How text is written. Start from trine_write_options_default(). */
struct trine_write_options {
    const char *prompt; /* NULL: the beginning of a document */
    size_t tokens;      /* at most so many */
    uint64_t seed;      /* the same seed writes the same text */
    double temperature; /* 0: always the likeliest token */
    double top_p;       /* keep the likeliest tokens that hold this share */
    double min_p;       /* drop tokens below this share of the likeliest one */
};
TRINE_PUBLIC struct trine_write_options trine_write_options_default(void);

/* Gets the text piece by piece (not NUL-terminated); a return other than 0 stops the writing. */
typedef int trine_write_callback(void *context, const char *text, size_t length);

/* Writes text under a handle; options may be NULL. */
TRINE_PUBLIC int trine_write(const trine_handle *handle, const struct trine_write_options *options,
                             trine_write_callback *callback, void *context,
                             struct trine_error *error);

#ifdef __cplusplus
}
#endif

#endif
