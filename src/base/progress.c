#include "base/progress.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t stop_wanted;

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

void progress_start(struct progress *p, size_t first, size_t total) {
    *p = (struct progress){.started = progress_clock(),
                           .is_terminal = isatty(STDERR_FILENO),
                           .first = first,
                           .total = total};
}

void progress_show(struct progress *p, size_t done, int now, const char *format, ...) {
    double time = progress_clock(), pause = p->is_terminal ? 0.2 : 10;
    if (!now && time - p->printed < pause)
        return;
    p->printed = time;
    double rate = (double)(done - p->first) / (time - p->started + 1e-9);
    double left = done > p->first ? (double)(p->total - done) / rate : 0;
    fprintf(stderr, "%s%zu/%zu  ", p->is_terminal ? "\r\033[K" : "", done, p->total);
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "  %d:%02d left%s", (int)left / 60, (int)left % 60, p->is_terminal ? "" : "\n");
    fflush(stderr);
    p->is_open = p->is_terminal;
}

void progress_finish(struct progress *p) {
    if (p->is_open)
        fputc('\n', stderr);
    p->is_open = 0;
}
