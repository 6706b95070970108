#include "base/progress.h"

#include <dirent.h>
#include <jansson.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"

static volatile sig_atomic_t stop_wanted;
static const char *job_name = "trine";

void progress_set_name(const char *name) {
    job_name = name;
}

static void note_signal(int number) {
    stop_wanted = number;
}

void progress_catch_signals(void) {
    struct sigaction action = {.sa_handler = note_signal, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

int progress_stop_wanted(void) {
    return stop_wanted != 0;
}

double progress_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* NULL: nobody looks on. */
static const char *job_directory(void) {
    const char *directory = getenv(PROGRESS_JOBS);
    return directory != NULL && *directory != '\0' ? directory : NULL;
}

static int job_path(char *path, size_t size, const char *directory, long process) {
    return directory == NULL ||
           (size_t)snprintf(path, size, "%s/%ld.json", directory, process) >= size;
}

/* Looking on is a convenience: a job does not fail for it. */
static void note_job(struct progress *p, size_t done, const char *text, double left, double time) {
    char path[4096];
    struct error error;
    struct file_writer writer;
    json_t *clean = json_string(text), *note;
    p->noted = time;
    note = json_pack("{s:s, s:I, s:I, s:o, s:f}", "name", job_name, "done", (json_int_t)done,
                     "total", (json_int_t)p->total, "text", clean != NULL ? clean : json_string(""),
                     "seconds_left", left);
    if (note != NULL && job_path(path, sizeof path, job_directory(), getpid()) == 0 &&
        file_writer_open(&writer, path, &error) == 0) {
        if (json_dumpf(note, writer.stream, JSON_COMPACT) == 0)
            (void)file_writer_commit(&writer, &error);
        else
            file_writer_abort(&writer);
    }
    json_decref(note);
}

/* What the file of a process that still runs says, checked; else NULL. */
static json_t *read_job(const char *directory, const char *name) {
    enum { JOB_LIMIT = 4096 };
    char path[4096], *end, *data;
    size_t bytes;
    struct stat status;
    struct error error;
    json_int_t done, total;
    double left;
    const char *what, *text;
    long process = strtol(name, &end, 10);
    if (process <= 0 || strcmp(end, ".json") != 0 || kill((pid_t)process, 0) != 0 ||
        job_path(path, sizeof path, directory, process) || stat(path, &status) != 0 ||
        file_read_all(path, JOB_LIMIT, &data, &bytes, &error))
        return NULL;
    json_t *job = NULL, *note = json_loadb(data, bytes, JSON_REJECT_DUPLICATES, NULL);
    free(data);
    if (note != NULL && json_unpack(note, "{s:s, s:I, s:I, s:s, s:F}", "name", &what, "done", &done,
                                    "total", &total, "text", &text, "seconds_left", &left) == 0)
        job = json_pack("{s:s, s:I, s:I, s:I, s:s, s:f, s:f}", "name", what, "process",
                        (json_int_t)process, "done", done, "total", total, "text", text,
                        "seconds_left", left, "seconds_ago", difftime(time(NULL), status.st_mtime));
    json_decref(note);
    return job;
}

json_t *progress_jobs(const char *directory, struct error *error) {
    DIR *stream = opendir(directory);
    json_t *jobs = json_array(), *all = json_object();
    if (stream == NULL)
        error_set_errno(error, "cannot read the directory of jobs %s", directory);
    else if (jobs == NULL || all == NULL)
        error_set(error, "out of memory");
    for (struct dirent *entry;
         stream != NULL && jobs != NULL && (entry = readdir(stream)) != NULL;) {
        json_t *job = read_job(directory, entry->d_name);
        if (job != NULL)
            json_array_append_new(jobs, job);
    }
    int failed = stream == NULL || jobs == NULL || all == NULL;
    if (failed)
        json_decref(jobs);
    else
        failed = json_object_set_new(all, "jobs", jobs);
    if (failed) {
        json_decref(all);
        all = NULL;
    }
    if (stream != NULL)
        closedir(stream);
    return all;
}

void progress_start(struct progress *p, size_t first, size_t total) {
    *p = (struct progress){.started = progress_clock(),
                           .is_terminal = isatty(STDERR_FILENO),
                           .first = first,
                           .total = total};
}

void progress_show(struct progress *p, size_t done, int now, const char *format, ...) {
    double time = progress_clock(), pause = p->is_terminal ? 0.2 : 10;
    int is_noted = job_directory() != NULL && (now || time - p->noted >= 1);
    int is_printed = now || time - p->printed >= pause;
    if (!is_noted && !is_printed)
        return;
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    double rate = (double)(done - p->first) / (time - p->started + 1e-9);
    double left = done > p->first ? (double)(p->total - done) / rate : 0;
    if (is_noted)
        note_job(p, done, text, left, time);
    if (!is_printed)
        return;
    p->printed = time;
    fprintf(stderr, "%s%zu/%zu  %s", p->is_terminal ? "\r\033[K" : "", done, p->total, text);
    fprintf(stderr, "  %d:%02d left%s", (int)left / 60, (int)left % 60, p->is_terminal ? "" : "\n");
    fflush(stderr);
    p->is_open = p->is_terminal;
}

void progress_finish(struct progress *p) {
    char path[4096];
    if (p->noted > 0 && job_path(path, sizeof path, job_directory(), getpid()) == 0)
        unlink(path);
    p->noted = 0;
    if (p->is_open)
        fputc('\n', stderr);
    p->is_open = 0;
}
