#include "serve/metrics.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { FIRST_STATUS = 100, STATUSES = 500, BOUNDS = 15, MICROSECONDS = 1000000 };

/* From a static page to a long reply on two slow cores. */
static const struct {
    double seconds;
    const char *text;
} BOUND[BOUNDS] = {{0.001, "0.001"}, {0.005, "0.005"}, {0.01, "0.01"}, {0.025, "0.025"},
                   {0.05, "0.05"},   {0.1, "0.1"},     {0.25, "0.25"}, {0.5, "0.5"},
                   {1, "1"},         {2.5, "2.5"},     {5, "5"},       {10, "10"},
                   {30, "30"},       {60, "60"},       {300, "300"}};

/* Sums are kept in whole microseconds: there is no atomic addition of doubles. */
struct histogram {
    _Atomic uint64_t counts[BOUNDS + 1]; /* of one bucket each, not of all below */
    _Atomic uint64_t microseconds;
};

struct route {
    char *name;
    _Atomic uint64_t statuses[STATUSES];
    struct histogram seconds;
};

struct metrics {
    struct route *routes; /* the last one is for all others */
    size_t count;
    _Atomic uint64_t tokens_read[METRICS_LAYERS], tokens_written[METRICS_LAYERS];
    struct histogram first_token[METRICS_LAYERS];
    int64_t started; /* unix seconds */
};

static const char *const LAYERS[METRICS_LAYERS] = {"dream", "truth", "good"};

int metrics_create(struct metrics **out, const char *const *routes, size_t count,
                   struct error *error) {
    *out = NULL;
    struct metrics *metrics = calloc(1, sizeof *metrics);
    if (metrics == NULL)
        return error_set(error, "out of memory");
    metrics->started = time(NULL);
    metrics->routes = calloc(count + 1, sizeof *metrics->routes);
    int result = metrics->routes != NULL ? 0 : -1;
    for (size_t i = 0; result == 0 && i <= count; i++) {
        metrics->routes[i].name = strdup(i < count ? routes[i] : "other");
        metrics->count = i + 1;
        result = metrics->routes[i].name != NULL ? 0 : -1;
    }
    if (result != 0) {
        metrics_destroy(metrics);
        return error_set(error, "out of memory");
    }
    *out = metrics;
    return 0;
}

void metrics_destroy(struct metrics *metrics) {
    if (metrics == NULL)
        return;
    for (size_t i = 0; i < metrics->count; i++)
        free(metrics->routes[i].name);
    free(metrics->routes);
    free(metrics);
}

static void add(_Atomic uint64_t *counter, uint64_t amount) {
    atomic_fetch_add_explicit(counter, amount, memory_order_relaxed);
}

static uint64_t look(const _Atomic uint64_t *counter) {
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* What is no time counts as none, and a year is the longest. */
static void observe(struct histogram *histogram, double seconds) {
    const double year = 365.0 * 86400;
    double time = seconds > 0 ? seconds < year ? seconds : year : 0;
    size_t bucket = 0;
    while (bucket < BOUNDS && time > BOUND[bucket].seconds)
        bucket++;
    add(&histogram->counts[bucket], 1);
    add(&histogram->microseconds, (uint64_t)(time * MICROSECONDS + 0.5));
}

void metrics_count_request(struct metrics *metrics, const char *route, int status, double seconds) {
    size_t i = 0;
    while (i + 1 < metrics->count && strcmp(metrics->routes[i].name, route) != 0)
        i++;
    int known = status >= FIRST_STATUS && status < FIRST_STATUS + STATUSES ? status : 500;
    add(&metrics->routes[i].statuses[known - FIRST_STATUS], 1);
    observe(&metrics->routes[i].seconds, seconds);
}

void metrics_count_tokens(struct metrics *metrics, enum metrics_layer layer, uint64_t read,
                          uint64_t written) {
    add(&metrics->tokens_read[layer], read);
    add(&metrics->tokens_written[layer], written);
}

void metrics_count_first_token(struct metrics *metrics, enum metrics_layer layer, double seconds) {
    observe(&metrics->first_token[layer], seconds);
}

static void begin(FILE *stream, const char *name, const char *type, const char *help) {
    fprintf(stream, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void number(FILE *stream, const char *name, const char *type, const char *help,
                   uint64_t value) {
    begin(stream, name, type, help);
    fprintf(stream, "%s %" PRIu64 "\n", name, value);
}

/* name="value", the value as the format wants it. */
static void label(FILE *stream, const char *name, const char *value) {
    fprintf(stream, "%s=\"", name);
    for (const char *at = value; *at != '\0'; at++)
        if (*at == '\n')
            fputs("\\n", stream);
        else if (*at == '"' || *at == '\\')
            fprintf(stream, "\\%c", *at);
        else
            putc(*at, stream);
    putc('"', stream);
}

/* The count is that of the buckets as they were read, so that the two agree whatever is counted
 * meanwhile. Nothing is shown of what never happened. */
static void render_histogram(FILE *stream, const char *name, const char *label_name,
                             const char *value, const struct histogram *histogram) {
    uint64_t counts[BOUNDS + 1], total = 0, sum = look(&histogram->microseconds);
    for (size_t i = 0; i <= BOUNDS; i++)
        total += counts[i] = look(&histogram->counts[i]);
    if (total == 0)
        return;
    uint64_t below = 0;
    for (size_t i = 0; i <= BOUNDS; i++) {
        below += counts[i];
        fprintf(stream, "%s_bucket{", name);
        label(stream, label_name, value);
        fprintf(stream, ",le=\"%s\"} %" PRIu64 "\n", i < BOUNDS ? BOUND[i].text : "+Inf", below);
    }
    fprintf(stream, "%s_sum{", name);
    label(stream, label_name, value);
    fprintf(stream, "} %" PRIu64 ".%06" PRIu64 "\n%s_count{", sum / MICROSECONDS,
            sum % MICROSECONDS, name);
    label(stream, label_name, value);
    fprintf(stream, "} %" PRIu64 "\n", total);
}

static void render_requests(FILE *stream, const struct metrics *metrics) {
    begin(stream, "trine_requests_total", "counter", "Requests answered, by route and status.");
    for (size_t i = 0; i < metrics->count; i++)
        for (int status = 0; status < STATUSES; status++) {
            uint64_t count = look(&metrics->routes[i].statuses[status]);
            if (count == 0)
                continue;
            fputs("trine_requests_total{", stream);
            label(stream, "route", metrics->routes[i].name);
            fprintf(stream, ",status=\"%d\"} %" PRIu64 "\n", FIRST_STATUS + status, count);
        }
    begin(stream, "trine_request_seconds", "histogram",
          "Seconds from a request's headers to the end of its reply.");
    for (size_t i = 0; i < metrics->count; i++)
        render_histogram(stream, "trine_request_seconds", "route", metrics->routes[i].name,
                         &metrics->routes[i].seconds);
}

static void render_by_layer(FILE *stream, const char *name, const char *help,
                            const _Atomic uint64_t counters[METRICS_LAYERS]) {
    begin(stream, name, "counter", help);
    for (size_t i = 0; i < METRICS_LAYERS; i++)
        fprintf(stream, "%s{layer=\"%s\"} %" PRIu64 "\n", name, LAYERS[i], look(&counters[i]));
}

static void render_tokens(FILE *stream, const struct metrics *metrics) {
    render_by_layer(stream, "trine_tokens_read_total", "Tokens of prompts, by layer.",
                    metrics->tokens_read);
    render_by_layer(stream, "trine_tokens_written_total", "Tokens written, by layer.",
                    metrics->tokens_written);
    begin(stream, "trine_first_token_seconds", "histogram",
          "Seconds from a request to the first that was written for it.");
    for (size_t i = 0; i < METRICS_LAYERS; i++)
        render_histogram(stream, "trine_first_token_seconds", "layer", LAYERS[i],
                         &metrics->first_token[i]);
}

static void render_state(FILE *stream, const struct metrics_state *state) {
    number(stream, "trine_jobs_running", "gauge", "Requests that are worked on.", state->running);
    number(stream, "trine_jobs_waiting", "gauge", "Requests in the queue.", state->waiting);
    number(stream, "trine_connections", "gauge", "Open connections.", state->connections);
    number(stream, "trine_refused_total", "counter", "Requests refused as the queue was full.",
           state->refused_full);
    number(stream, "trine_dropped_slow_total", "counter",
           "Replies given up as the client did not take them.", state->dropped_slow);
    number(stream, "trine_dropped_gone_total", "counter", "Replies given up as the client left.",
           state->dropped_gone);
}

/* Where the system does not say, nothing is said. */
static void render_memory(FILE *stream) {
    uint64_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL)
        return;
    if (fscanf(file, "%*u %" SCNu64, &pages) == 1)
        number(stream, "process_resident_memory_bytes", "gauge", "Resident memory in bytes.",
               pages * (uint64_t)sysconf(_SC_PAGESIZE));
    fclose(file);
}

int metrics_render(const struct metrics *metrics, const struct metrics_state *state, char **text,
                   size_t *bytes, struct error *error) {
    *text = NULL;
    FILE *stream = open_memstream(text, bytes);
    if (stream == NULL)
        return error_set(error, "out of memory");
    render_requests(stream, metrics);
    render_tokens(stream, metrics);
    render_state(stream, state);
    render_memory(stream);
    number(stream, "process_start_time_seconds", "gauge", "When the server began, in unix seconds.",
           (uint64_t)metrics->started);
    int is_broken = ferror(stream);
    if (fclose(stream) == 0 && !is_broken)
        return 0;
    free(*text);
    *text = NULL;
    return error_set(error, "out of memory");
}
