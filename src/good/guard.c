#include "good/guard.h"

#include <math.h>
#include <omp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/progress.h"
#include "truth/asking.h"
#include "truth/calibration.h"

/* A window and its step, in bytes: what a question has room for (asking.h) beside the sentences. */
enum { WINDOW = 360, WINDOW_STEP = 280, MOST_WINDOWS = 64 };

static const char SCREEN_OF_REQUEST[] =
    "This request asks for help with something that harms people, deceives them or breaks the law.";
static const char SCREEN_OF_REPLY[] =
    "This reply gives help with something that harms people, or deceives the one who asks.";

struct guard {
    const struct layer *truth;
    const struct principles *principles;
    struct guard_options options;
    pthread_mutex_t lock; /* of what follows, and for the cores */
    struct asking asking;
    struct unpacked *unpacked; /* from the first look on */
};

int guard_create(struct guard **out, const struct layer *truth, const struct principles *principles,
                 const struct guard_options *options, struct error *error) {
    *out = NULL;
    struct guard *g = memory_allocate(1, sizeof *g, error);
    if (g == NULL)
        return -1;
    *g = (struct guard){.truth = truth, .principles = principles, .options = *options};
    pthread_mutex_init(&g->lock, NULL);
    if (g->options.screen == 0)
        g->options.screen = 0.5;
    if (g->options.floor == 0)
        g->options.floor = 0.1;
    if (g->options.threads == 0)
        g->options.threads = (size_t)omp_get_max_threads();
    if (asking_create(&g->asking, truth->model, error)) {
        guard_destroy(g);
        return -1;
    }
    *out = g;
    return 0;
}

void guard_destroy(struct guard *g) {
    if (g == NULL)
        return;
    asking_free(&g->asking);
    unpacked_destroy(g->unpacked);
    pthread_mutex_destroy(&g->lock);
    memory_free(g);
}

static int lay_out(char **out, const char *sentence, const char *request, int request_bytes,
                   const char *reply, int reply_bytes, struct error *error) {
    int written = reply == NULL
                      ? asprintf(out, "Somebody asks: %.*s\n%s", request_bytes, request, sentence)
                      : asprintf(out, "Somebody asks: %.*s\nThe reply: %.*s\n%s", request_bytes,
                                 request, reply_bytes, reply, sentence);
    if (written < 0)
        *out = NULL;
    return written < 0 ? error_set(error, "out of memory") : 0;
}

static const char *sentence_of(const struct principle *principle, int is_reply) {
    if (principle == NULL)
        return is_reply ? SCREEN_OF_REPLY : SCREEN_OF_REQUEST;
    return is_reply ? principle->statement : principle->request;
}

int guard_statement(char **out, const struct principle *principle, const char *request,
                    const char *reply, struct error *error) {
    return lay_out(out, sentence_of(principle, reply != NULL), request, (int)strlen(request), reply,
                   reply != NULL ? (int)strlen(reply) : 0, error);
}

/* Bytes of text[..] that a window from `at` has, not within a character. */
static size_t window_bytes(const char *text, size_t at, size_t bytes, size_t window) {
    size_t end = bytes - at > window ? at + window : bytes;
    while (end < bytes && end > at + 1 && ((unsigned char)text[end] & 0xc0) == 0x80)
        end--;
    return end - at;
}

/* The statements of a sentence over all windows of the text in question, the reply if there is one
 * (beside the beginning of the request), else the request. Gives their count, 0 on failure. */
static size_t add_windows(char **statements, size_t count, const char *sentence,
                          const char *request, const char *reply, struct error *error) {
    const char *text = reply != NULL ? reply : request;
    size_t bytes = strlen(text), shown = reply != NULL ? WINDOW / 2 : WINDOW, windows = 0;
    size_t window = reply != NULL ? WINDOW / 2 : WINDOW, step = window * WINDOW_STEP / WINDOW;
    int request_bytes = (int)window_bytes(request, 0, strlen(request), shown);
    for (size_t at = 0; windows < MOST_WINDOWS; at += step, windows++) {
        while (at < bytes && ((unsigned char)text[at] & 0xc0) == 0x80)
            at++;
        int length = (int)window_bytes(text, at, bytes, window);
        char **out = &statements[count + windows];
        if (reply != NULL
                ? lay_out(out, sentence, request, request_bytes, reply + at, length, error)
                : lay_out(out, sentence, request + at, length, NULL, 0, error))
            return 0;
        if (at + (size_t)length >= bytes)
            return windows + 1;
    }
    error_set(error, "a text of %zu bytes is longer than the guard looks at", bytes);
    return 0; /* what it does not see it does not let pass */
}

/* prices[count] of the sentences (NULL: not asked, NAN), the worst over the windows. */
static int price(struct guard *g, const char *const *sentences, size_t count, const char *request,
                 const char *reply, double *prices, struct error *error) {
    size_t most = count * MOST_WINDOWS, total = 0, firsts[PRINCIPLES_MOST + 1] = {0};
    char **statements = memory_allocate(most, sizeof *statements, error);
    struct belief_of_model *beliefs = memory_allocate(most, sizeof *beliefs, error);
    int result = statements == NULL || beliefs == NULL ? -1 : 0;
    for (size_t i = 0; result == 0 && i < count; i++) {
        firsts[i] = total;
        if (sentences[i] == NULL)
            continue;
        size_t windows = add_windows(statements, total, sentences[i], request, reply, error);
        result = windows == 0 ? -1 : 0;
        total += windows;
    }
    struct asked asked = {.layer = g->truth, .unpacked = g->unpacked};
    if (result == 0 && total > 0)
        result = asking_ask(&g->asking, &asked, (const char *const *)statements, total,
                            g->options.threads, beliefs, error);
    for (size_t i = 0; result == 0 && i < count; i++) {
        size_t end = i + 1 < count ? firsts[i + 1] : total;
        prices[i] = NAN;
        for (size_t k = firsts[i]; k < end; k++) {
            const double *c = g->truth->calibration; /* asked alone: a scale and a shift */
            double p =
                platt_probability(beliefs[k].log_odds, (double[]){c[LAYER_SAID], c[LAYER_SHIFT]});
            prices[i] = isnan(prices[i]) || p > prices[i] ? p : prices[i];
        }
    }
    for (size_t k = 0; statements != NULL && k < most; k++)
        free(statements[k]);
    memory_free(statements);
    memory_free(beliefs);
    return result;
}

/* Whether place i tells better why than what was found so far: vetoes before others, then the
 * likelier one. */
static int tells_better(const struct guard *g, const struct guard_finding *f, size_t i) {
    const struct principle *p = &g->principles->items[i];
    if (f->principle < 0)
        return 1;
    int is_veto = p->action == PRINCIPLE_VETO;
    int was_veto = g->principles->items[f->principle].action == PRINCIPLE_VETO;
    return is_veto != was_veto ? is_veto : f->prices[i] > f->prices[f->principle];
}

/* A veto that bites declines, and so does the screen. Of the principles that bite, or where none
 * does of all, the likeliest tells why. */
static void decide(const struct guard *g, int is_reply, struct guard_finding *f) {
    f->principle = -1;
    f->is_declined = f->screen > g->options.screen;
    if (f->screen < g->options.floor)
        return;
    for (size_t i = 0; i < g->principles->count; i++) {
        const struct principle *p = &g->principles->items[i];
        if (isnan(f->prices[i]) || f->prices[i] <= p->threshold ||
            (!is_reply && !principle_is_asked_for(p)))
            continue;
        f->is_hedged |= p->action == PRINCIPLE_HEDGE;
        f->is_declined |= p->action == PRINCIPLE_VETO;
        if (tells_better(g, f, i))
            f->principle = (int)i;
    }
    int none_bites = f->principle < 0;
    for (size_t i = 0; f->is_declined && none_bites && i < g->principles->count; i++)
        if (!isnan(f->prices[i]) && tells_better(g, f, i))
            f->principle = (int)i;
}

static int unpack_once(struct guard *g, struct error *error) {
    struct weights weights = layer_weights(g->truth);
    return g->unpacked != NULL ? 0 : weights_unpack(&g->unpacked, &weights, error);
}

int guard_look(struct guard *g, const char *request, const char *reply, struct guard_finding *f,
               struct error *error) {
    const char *sentences[PRINCIPLES_MOST];
    double start = progress_clock();
    size_t count = g->principles->count;
    *f = (struct guard_finding){.principle = -1};
    for (size_t i = 0; i < count; i++) {
        f->prices[i] = NAN;
        sentences[i] = sentence_of(&g->principles->items[i], reply != NULL);
    }
    const char *screen = sentence_of(NULL, reply != NULL);
    pthread_mutex_lock(&g->lock);
    int result = unpack_once(g, error);
    if (result == 0)
        result = price(g, &screen, 1, request, reply, &f->screen, error);
    if (result == 0 && (f->screen >= g->options.floor || g->options.explains))
        result = price(g, sentences, count, request, reply, f->prices, error);
    pthread_mutex_unlock(&g->lock);
    if (result != 0)
        return -1;
    decide(g, reply != NULL, f);
    f->seconds = progress_clock() - start;
    return 0;
}

/* What is declined out of caution is not said to be what it may not be. */
const char *guard_reason(const struct guard *g, const struct guard_finding *f) {
    int is_sure = f->principle >= 0 && (!f->is_declined || f->prices[f->principle] > 0.5);
    return is_sure ? g->principles->items[f->principle].reason
                   : "It could harm people, or deceive them.";
}
