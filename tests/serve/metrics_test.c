/* What is counted comes out as Prometheus reads it, by a strict little reader, and adds up whoever
 * counts at the same time. */
#include "serve/metrics.h"

#include <ctype.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "cmocka_all.h"

enum { SAMPLES = 2048, FAMILIES = 64 };

struct sample {
    char name[128];
    char labels[256]; /* as they stand, without the braces */
    double value;
};

struct family {
    char name[128], type[16];
};

struct page {
    struct sample samples[SAMPLES];
    struct family families[FAMILIES];
    size_t sample_count, family_count;
};

/* The reader of text format 0.0.4 takes what a server may write, and no more. */
static const char *read_name(const char *at, char name[128]) {
    size_t length = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:");
    if (length == 0 || length > 127 || isdigit((unsigned char)*at))
        fail_msg("no name: %.80s", at);
    memcpy(name, at, length);
    name[length] = '\0';
    return at + length;
}

static const char *read_labels(const char *at, char labels[256]) {
    const char *start = at;
    char name[128];
    do {
        at = read_name(at, name);
        if (strchr(name, ':') != NULL || at[0] != '=' || at[1] != '"')
            fail_msg("no label: %.80s", start);
        for (at += 2; *at != '"'; at++) {
            if (*at == '\n' || *at == '\0')
                fail_msg("a label's value does not end: %.80s", start);
            if (*at == '\\' && strchr("\\\"n", *++at) == NULL)
                fail_msg("no such escape: %.80s", start);
        }
        at++;
    } while (*at == ',' && at++);
    if (*at != '}' || at - start > 255)
        fail_msg("labels do not end: %.80s", start);
    memcpy(labels, start, (size_t)(at - start));
    labels[at - start] = '\0';
    return at + 1;
}

/* The family that a sample belongs to by its name: a histogram's have endings. */
static int belongs(const struct sample *sample, const struct family *family) {
    size_t length = strlen(family->name);
    if (strncmp(sample->name, family->name, length) != 0)
        return 0;
    const char *rest = sample->name + length;
    if (strcmp(family->type, "histogram") == 0)
        return strcmp(rest, "_bucket") == 0 || strcmp(rest, "_sum") == 0 ||
               strcmp(rest, "_count") == 0;
    return *rest == '\0';
}

static const char *read_sample(struct page *page, const char *at) {
    struct sample *sample = &page->samples[page->sample_count];
    assert_true(page->sample_count < SAMPLES && page->family_count > 0);
    at = read_name(at, sample->name);
    sample->labels[0] = '\0';
    if (*at == '{')
        at = read_labels(at + 1, sample->labels);
    char *end;
    if (*at != ' ' || !(isdigit((unsigned char)at[1])))
        fail_msg("no value: %.80s", at);
    sample->value = strtod(at + 1, &end);
    if (*end != '\n' || !isfinite(sample->value))
        fail_msg("no value: %.80s", at);
    if (!belongs(sample, &page->families[page->family_count - 1]))
        fail_msg("%s does not stand with its family", sample->name);
    for (size_t i = 0; i < page->sample_count; i++)
        if (strcmp(page->samples[i].name, sample->name) == 0 &&
            strcmp(page->samples[i].labels, sample->labels) == 0)
            fail_msg("%s{%s} stands twice", sample->name, sample->labels);
    page->sample_count++;
    return end + 1;
}

static const char *read_family(struct page *page, const char *at) {
    struct family *family = &page->families[page->family_count];
    char again[128];
    assert_true(page->family_count < FAMILIES && strncmp(at, "# HELP ", 7) == 0);
    at = read_name(at + 7, family->name);
    const char *end = strchr(at, '\n');
    if (*at != ' ' || end == NULL || end - at < 5)
        fail_msg("no help of %s", family->name);
    for (size_t i = 0; i < page->family_count; i++)
        assert_string_not_equal(page->families[i].name, family->name);
    assert_true(strncmp(end + 1, "# TYPE ", 7) == 0);
    at = read_name(end + 8, again);
    assert_string_equal(again, family->name);
    assert_int_equal(sscanf(at, " %15[a-z]", family->type), 1);
    if (strcmp(family->type, "counter") != 0 && strcmp(family->type, "gauge") != 0 &&
        strcmp(family->type, "histogram") != 0)
        fail_msg("%s is of no type: %s", family->name, family->type);
    size_t length = strlen(family->name);
    if ((strcmp(family->type, "counter") == 0) !=
        (length > 6 && strcmp(family->name + length - 6, "_total") == 0))
        fail_msg("%s: counters end in _total, and only they", family->name);
    at += 1 + strlen(family->type);
    assert_int_equal(*at, '\n');
    page->family_count++;
    return at + 1;
}

static void read_page(struct page *page, const char *text, size_t bytes) {
    page->sample_count = page->family_count = 0;
    assert_int_equal(strlen(text), bytes);
    assert_true(bytes > 0 && text[bytes - 1] == '\n');
    for (const char *at = text; *at != '\0';)
        at = *at == '#' ? read_family(page, at) : read_sample(page, at);
}

static const double NOTHING = -1;

static double value_of(const struct page *page, const char *name, const char *labels) {
    for (size_t i = 0; i < page->sample_count; i++)
        if (strcmp(page->samples[i].name, name) == 0 &&
            strcmp(page->samples[i].labels, labels) == 0)
            return page->samples[i].value;
    return NOTHING;
}

/* Buckets follow each other, do not shrink, end in +Inf, and agree with the count. */
static void check_histograms(const struct page *page) {
    for (size_t i = 0; i < page->sample_count; i++) {
        const struct sample *sample = &page->samples[i];
        const char *ending = strstr(sample->name, "_bucket"), *le = strstr(sample->labels, "le=\"");
        if (ending == NULL)
            continue;
        assert_non_null(le);
        char labels[256], count[128];
        snprintf(labels, sizeof labels, "%.*s", (int)(le - sample->labels - 1), sample->labels);
        snprintf(count, sizeof count, "%.*s_count", (int)(ending - sample->name), sample->name);
        const struct sample *next = sample + 1; /* a bucket is never the last of all samples */
        if (strcmp(le, "le=\"+Inf\"") == 0) {
            assert_true(value_of(page, count, labels) == sample->value);
        } else {
            assert_string_equal(next->name, sample->name);
            assert_true(next->value >= sample->value);
            assert_true(strtod(strstr(next->labels, "le=\"") + 4, NULL) > strtod(le + 4, NULL));
        }
    }
}

static struct page page;

static void render(const struct metrics *metrics, const struct metrics_state *now) {
    char *text;
    size_t bytes;
    struct error error;
    if (metrics_render(metrics, now, &text, &bytes, &error))
        fail_msg("%s", error.message);
    read_page(&page, text, bytes);
    check_histograms(&page);
    free(text);
}

static const char *const ROUTES[] = {"/v1/models", "/v1/chat/completions", "/health"};

static struct metrics *make(const char *const *routes, size_t count) {
    struct metrics *metrics;
    struct error error;
    assert_int_equal(metrics_create(&metrics, routes, count, &error), 0);
    return metrics;
}

static void test_nothing_yet(void **state) {
    (void)state;
    const struct metrics_state now = {0};
    struct metrics *metrics = make(ROUTES, 3);
    render(metrics, &now);
    assert_true(value_of(&page, "trine_tokens_read_total", "layer=\"good\"") == 0);
    assert_true(value_of(&page, "trine_tokens_written_total", "layer=\"dream\"") == 0);
    assert_true(value_of(&page, "trine_jobs_waiting", "") == 0);
    double bytes = value_of(&page, "process_resident_memory_bytes", "");
    assert_true(bytes > 1 << 20 && bytes <= (double)memory_peak());
    double started = value_of(&page, "process_start_time_seconds", "");
    assert_true(fabs(started - (double)time(NULL)) < 60);
    metrics_destroy(metrics);
    metrics = make(NULL, 0);
    metrics_count_request(metrics, "/anything", 200, 0);
    render(metrics, &now);
    assert_true(value_of(&page, "trine_requests_total", "route=\"other\",status=\"200\"") == 1);
    metrics_destroy(metrics);
}

static void test_counting(void **state) {
    (void)state;
    const struct metrics_state now = {1, 2, 3, 4, 5, 6};
    struct metrics *metrics = make(ROUTES, 3);
    for (int i = 0; i < 3; i++)
        metrics_count_request(metrics, "/health", 200, 0.0001);
    metrics_count_request(metrics, "/v1/models", 401, 0.2);
    metrics_count_request(metrics, "/v1/models", 99, 0);
    metrics_count_request(metrics, "/v1/models", 600, 0);
    metrics_count_request(metrics, "/v1/models", 599, 0);
    metrics_count_request(metrics, "/v1/models\"} 9", 404, 0.2); /* a client's text */
    metrics_count_tokens(metrics, METRICS_GOOD, 100, 7);
    metrics_count_tokens(metrics, METRICS_GOOD, 1, 1);
    metrics_count_tokens(metrics, METRICS_TRUTH, 5, 0);
    render(metrics, &now);
    static const struct {
        const char *name, *labels;
        double value;
    } EXPECTED[] = {
        {"trine_requests_total", "route=\"/health\",status=\"200\"", 3},
        {"trine_requests_total", "route=\"/health\",status=\"401\"", -1},
        {"trine_requests_total", "route=\"/v1/models\",status=\"401\"", 1},
        {"trine_requests_total", "route=\"/v1/models\",status=\"500\"", 2},
        {"trine_requests_total", "route=\"/v1/models\",status=\"599\"", 1},
        {"trine_requests_total", "route=\"other\",status=\"404\"", 1},
        {"trine_request_seconds_count", "route=\"/health\"", 3},
        {"trine_request_seconds_sum", "route=\"/health\"", 0.0003},
        {"trine_tokens_read_total", "layer=\"good\"", 101},
        {"trine_tokens_written_total", "layer=\"good\"", 8},
        {"trine_tokens_read_total", "layer=\"truth\"", 5},
        {"trine_tokens_read_total", "layer=\"dream\"", 0},
        {"trine_refused_total", "", 1},
        {"trine_dropped_slow_total", "", 2},
        {"trine_dropped_gone_total", "", 3},
        {"trine_jobs_running", "", 4},
        {"trine_jobs_waiting", "", 5},
        {"trine_connections", "", 6},
    };
    for (size_t i = 0; i < sizeof EXPECTED / sizeof *EXPECTED; i++)
        if (value_of(&page, EXPECTED[i].name, EXPECTED[i].labels) != EXPECTED[i].value)
            fail_msg("%s{%s} is %g, not %g", EXPECTED[i].name, EXPECTED[i].labels,
                     value_of(&page, EXPECTED[i].name, EXPECTED[i].labels), EXPECTED[i].value);
    metrics_destroy(metrics);
}

static double bucket_of(const char *le) {
    char labels[64];
    snprintf(labels, sizeof labels, "layer=\"dream\",le=\"%s\"", le);
    return value_of(&page, "trine_first_token_seconds_bucket", labels);
}

static void test_buckets(void **state) {
    (void)state;
    const struct metrics_state now = {0};
    static const double SECONDS[] = {0,    -3,    NAN,   0.001, 0.0011,   0.5,
                                     0.51, 300.0, 301.0, 1e300, INFINITY, 2.25};
    struct metrics *metrics = make(ROUTES, 3);
    for (size_t i = 0; i < sizeof SECONDS / sizeof *SECONDS; i++)
        metrics_count_first_token(metrics, METRICS_DREAM, SECONDS[i]);
    render(metrics, &now);
    assert_true(bucket_of("0.001") == 4); /* a bound belongs to the bucket below it */
    assert_true(bucket_of("0.005") == 5);
    assert_true(bucket_of("0.25") == 5);
    assert_true(bucket_of("0.5") == 6);
    assert_true(bucket_of("1") == 7);
    assert_true(bucket_of("2.5") == 8);
    assert_true(bucket_of("300") == 9);
    assert_true(bucket_of("+Inf") == 12);
    const double year = 365.0 * 86400;
    double sum = value_of(&page, "trine_first_token_seconds_sum", "layer=\"dream\"");
    assert_true(fabs(sum - (2 * year + 604.2621)) < 1e-5);
    assert_true(value_of(&page, "trine_first_token_seconds_count", "layer=\"good\"") == NOTHING);
    metrics_destroy(metrics);
}

static void test_escaping(void **state) {
    (void)state;
    static const char *const STRANGE[] = {"a\"b", "c\\d", "e\nf", "\\n", "Bücherei", ""};
    static const char *const LABELS[] = {"route=\"a\\\"b\"",   "route=\"c\\\\d\"",
                                         "route=\"e\\nf\"",    "route=\"\\\\n\"",
                                         "route=\"Bücherei\"", "route=\"\""};
    const struct metrics_state now = {0};
    struct metrics *metrics = make(STRANGE, 6);
    for (size_t i = 0; i < 6; i++)
        for (size_t k = 0; k <= i; k++)
            metrics_count_request(metrics, STRANGE[i], 200, 0.01);
    render(metrics, &now);
    for (size_t i = 0; i < 6; i++)
        assert_true(value_of(&page, "trine_request_seconds_count", LABELS[i]) == (double)(i + 1));
    metrics_destroy(metrics);
}

enum { THREADS = 8, EACH = 20000 };

struct counting {
    struct metrics *metrics;
    size_t number;
    atomic_int *is_running;
};

static void *count_many(void *context) {
    struct counting *counting = context;
    for (size_t i = 0; i < EACH; i++) {
        metrics_count_request(counting->metrics, ROUTES[i % 3], i % 2 ? 200 : 429,
                              0.001 * (double)counting->number);
        metrics_count_tokens(counting->metrics, METRICS_GOOD, 3, 1);
        metrics_count_first_token(counting->metrics, METRICS_TRUTH, 0.25);
    }
    atomic_fetch_sub(counting->is_running, 1);
    return NULL;
}

static void test_threads(void **state) {
    (void)state;
    const struct metrics_state now = {0};
    struct metrics *metrics = make(ROUTES, 3);
    atomic_int is_running = THREADS;
    struct counting countings[THREADS];
    pthread_t threads[THREADS];
    double requests = 0, seconds = 0, before = 0;
    for (size_t i = 0; i < THREADS; i++) {
        countings[i] = (struct counting){metrics, i, &is_running};
        assert_int_equal(pthread_create(&threads[i], NULL, count_many, &countings[i]), 0);
    }
    while (atomic_load(&is_running) >
           0) { /* a page made meanwhile holds together, and only grows */
        render(metrics, &now);
        double written = value_of(&page, "trine_tokens_written_total", "layer=\"good\"");
        assert_true(written >= before);
        before = written;
    }
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    render(metrics, &now);
    for (size_t i = 0; i < page.sample_count; i++) {
        if (strcmp(page.samples[i].name, "trine_requests_total") == 0)
            requests += page.samples[i].value;
        if (strcmp(page.samples[i].name, "trine_request_seconds_sum") == 0)
            seconds += page.samples[i].value;
    }
    assert_true(requests == THREADS * EACH);
    assert_true(fabs(seconds - 0.001 * EACH * (THREADS * (THREADS - 1) / 2)) < 1e-6);
    assert_true(value_of(&page, "trine_tokens_read_total", "layer=\"good\"") ==
                3.0 * THREADS * EACH);
    assert_true(value_of(&page, "trine_tokens_written_total", "layer=\"good\"") == THREADS * EACH);
    assert_true(value_of(&page, "trine_first_token_seconds_count", "layer=\"truth\"") ==
                THREADS * EACH);
    assert_true(value_of(&page, "trine_first_token_seconds_sum", "layer=\"truth\"") ==
                0.25 * THREADS * EACH);
    metrics_destroy(metrics);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_yet), cmocka_unit_test(test_counting),
        cmocka_unit_test(test_buckets),     cmocka_unit_test(test_escaping),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
