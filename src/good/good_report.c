#include "good/good_report.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/progress.h"
#include "good/good_train.h"

static double tokens_of(const struct lesson *lesson) {
    return (double)(lesson->count - lesson->reply);
}

/* ahead: by author[], of which the model's share is taken when it is given, per token or not. */
static struct share share_ahead(const double *author, const double *model,
                                const struct lesson *lessons, size_t pairs, int is_per_token) {
    size_t ahead = 0;
    for (size_t i = 0; i < pairs; i++) {
        double side[2];
        for (size_t k = 0; k < 2; k++) {
            side[k] = author[2 * i + k] - (model != NULL ? model[2 * i + k] : 0);
            side[k] /= is_per_token ? tokens_of(&lessons[2 * i + k]) : 1;
        }
        ahead += side[0] > side[1];
    }
    return share_of(ahead, pairs);
}

static double loss_of(const double *log_probabilities, const struct lesson *lessons, size_t pairs) {
    double sum = 0, tokens = 0;
    for (size_t i = 0; i < 2 * pairs; i += 2) {
        sum -= log_probabilities[i];
        tokens += tokens_of(&lessons[i]);
    }
    return sum / tokens;
}

int pairs_evaluate(struct pairs_report *r, const struct model *model, const struct layer *layer,
                   const real *offset, const struct lesson *lessons, size_t pairs, size_t threads,
                   struct error *error) {
    double *author = memory_allocate(4 * pairs, sizeof *author, error);
    if (author == NULL)
        return -1;
    double *plain = author + 2 * pairs;
    int result =
        good_log_probabilities(author, model, layer, offset, lessons, 2 * pairs, threads, error) ||
        good_log_probabilities(plain, model, NULL, NULL, lessons, 2 * pairs, threads, error);
    if (result == 0)
        *r = (struct pairs_report){.count = pairs,
                                   .by_sum = share_ahead(author, NULL, lessons, pairs, 0),
                                   .by_token = share_ahead(author, NULL, lessons, pairs, 1),
                                   .by_gain = share_ahead(author, plain, lessons, pairs, 1),
                                   .better_loss = loss_of(author, lessons, pairs),
                                   .model_better_loss = loss_of(plain, lessons, pairs)};
    memory_free(author);
    return result ? -1 : 0;
}

static int write_reply(FILE *replies, const struct dialogue *request, const char *text,
                       int declines, struct error *error) {
    json_t *line =
        json_pack("{s:s, s:s, s:b, s:s}", "prompt", request->messages[request->count - 1].content,
                  "label", request->kind, "declined", declines, "reply", text);
    if (line == NULL) /* a reply that was cut within a character */
        line = json_pack("{s:s, s:s, s:b}", "prompt", request->messages[request->count - 1].content,
                         "label", request->kind, "declined", declines);
    int failed =
        line == NULL || json_dumpf(line, replies, JSON_COMPACT) || fputc('\n', replies) < 0;
    json_decref(line);
    return failed ? error_set(error, "a reply could not be written") : 0;
}

int requests_evaluate(struct requests_report *r, struct assistant *assistant, const char *path,
                      size_t tokens, const real *offset, FILE *replies, requests_callback *callback,
                      void *context, struct error *error) {
    struct dialogues requests = {0};
    size_t declined[2] = {0}, counts[2] = {0};
    double start = progress_clock(), guard_seconds = 0;
    const struct reply_options options = {.tokens = tokens, .offset = offset};
    int result = requests_read(&requests, path, error);
    for (size_t i = 0; result == 0 && i < requests.count; i++) {
        const struct dialogue *d = &requests.items[i];
        size_t is_unsafe = strcmp(d->kind, "unsafe") == 0;
        struct assistant_trace trace;
        result =
            assistant_answer(assistant, d->messages, d->count, &options, NULL, NULL, &trace, error);
        if (result == 0) {
            int declines = assistant_trace_declines(&trace);
            counts[is_unsafe]++;
            declined[is_unsafe] += (size_t)declines;
            guard_seconds += trace.guard_seconds;
            if (replies != NULL)
                result = write_reply(replies, d, trace.text, declines, error);
        }
        assistant_trace_free(&trace);
        if (callback != NULL)
            callback(context, i + 1, requests.count);
    }
    dialogues_free(&requests);
    *r = (struct requests_report){.safe = counts[0],
                                  .unsafe = counts[1],
                                  .safe_declined = share_of(declined[0], counts[0]),
                                  .unsafe_declined = share_of(declined[1], counts[1]),
                                  .seconds = progress_clock() - start,
                                  .guard_seconds = guard_seconds};
    return result;
}

void pairs_report_print(FILE *stream, const struct pairs_report *r) {
    fprintf(stream, "%zu pairs; shares whose better reply is ahead, with 95 %% intervals\n",
            r->count);
    share_print(stream, "in log-probability", &r->by_sum);
    share_print(stream, "in log-probability per token", &r->by_token);
    share_print(stream, "in what the author gained per token", &r->by_gain);
    fprintf(stream,
            "  better replies, nats per token: %.3f; by the model without the author %.3f\n",
            r->better_loss, r->model_better_loss);
}

void requests_report_print(FILE *stream, const struct requests_report *r) {
    fprintf(
        stream,
        "%zu requests in %.0f s, of which the guard %.0f; shares that were declined, with 95 %% "
        "intervals\n",
        r->safe + r->unsafe, r->seconds, r->guard_seconds);
    if (r->unsafe > 0)
        share_print(stream, "of the unsafe ones", &r->unsafe_declined);
    if (r->safe > 0)
        share_print(stream, "of the safe ones", &r->safe_declined);
}

json_t *pairs_report_to_json(const struct pairs_report *r) {
    return json_pack("{s:I, s:o, s:o, s:o, s:f, s:f}", "pairs", (json_int_t)r->count, "by_sum",
                     share_to_json(&r->by_sum), "by_token", share_to_json(&r->by_token), "by_gain",
                     share_to_json(&r->by_gain), "better_loss", r->better_loss, "model_better_loss",
                     r->model_better_loss);
}

json_t *requests_report_to_json(const struct requests_report *r) {
    json_t *json =
        json_pack("{s:I, s:I, s:f, s:f}", "safe", (json_int_t)r->safe, "unsafe",
                  (json_int_t)r->unsafe, "seconds", r->seconds, "guard_seconds", r->guard_seconds);
    if (json != NULL && r->safe > 0)
        json_object_set_new(json, "safe_declined", share_to_json(&r->safe_declined));
    if (json != NULL && r->unsafe > 0)
        json_object_set_new(json, "unsafe_declined", share_to_json(&r->unsafe_declined));
    return json;
}
