/* A line of progress on standard error: rewritten in place on a terminal, a plain line now and
 * then elsewhere. Also the wish to stop: the signal handler only sets a flag. */
#ifndef TRINE_BASE_PROGRESS_H
#define TRINE_BASE_PROGRESS_H

#include <stddef.h>

struct progress {
    double started, printed, noted; /* seconds */
    int is_terminal, is_open;
    size_t first, total;
};

/* Where the environment's TRINE_JOBS names a directory, others can look on: what is shown is kept
 * there too, as PID.json (progress_jobs), until progress_finish. `name` is what they see, such as
 * "train"; it is not copied. */
#define PROGRESS_JOBS "TRINE_JOBS"
void progress_set_name(const char *name);

/* {"jobs": [{"name", "process", "done", "total", "text", "seconds_left", "seconds_ago"}]} of a
 * directory: of the processes that still run. The caller decrefs; NULL with the error. */
struct error;
struct json_t;
struct json_t *progress_jobs(const char *directory, struct error *error);

/* `first` of `total` steps are done already. */
void progress_start(struct progress *progress, size_t first, size_t total);

/* Shows "done/total  TEXT  time left" if it is time to, or at once when `now` is not 0. */
void progress_show(struct progress *progress, size_t done, int now, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Ends the line. */
void progress_finish(struct progress *progress);

/* Seconds of a steady clock. */
double progress_clock(void);

/* From now on SIGINT and SIGTERM only set what progress_stop_wanted gives; a second one kills. */
void progress_catch_signals(void);
int progress_stop_wanted(void);

#endif
