#include "serve/writing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/progress.h"
#include "serve/beliefs.h"

enum { READING_TOP = 5 };

static int visit(void *context, const struct token_report *report);

void writing_start(struct writing *w, struct request *request, const struct resident_model *model,
                   const struct writing_wish *wish) {
    *w = (struct writing){.request = request, .model = model, .wish = wish};
    w->watch = (struct token_watch){.visit = visit,
                                    .context = w,
                                    .has_log_probabilities = wish->has_log_probabilities,
                                    .top = wish->top};
    text_filter_start(&w->filter, wish->stops, wish->stop_count);
    text_filter_start(&w->counted, NULL, 0);
    w->tokens = wish->has_log_probabilities ? json_array() : NULL;
}

void writing_free(struct writing *w) {
    text_filter_free(&w->filter);
    text_filter_free(&w->counted);
    json_decref(w->tokens);
    json_decref(w->reading);
    free(w->text);
    w->tokens = w->reading = NULL;
    w->text = NULL;
}

static json_t *bytes_of(struct token_bytes bytes) {
    json_t *list = json_array();
    for (size_t i = 0; i < bytes.length; i++)
        json_array_append_new(list, json_integer((unsigned char)bytes.data[i]));
    return list;
}

static json_t *probability_of(double log_probability) {
    return isfinite(log_probability) ? json_real(log_probability) : json_null();
}

static json_t *entry_of(const struct writing *w, const struct token_report *report) {
    const struct tokenizer *tokenizer = w->model->model->tokenizer;
    json_t *top = json_array();
    for (size_t i = 0; i < report->top_count; i++) {
        struct token_bytes bytes = tokenizer_token(tokenizer, report->top_ids[i]);
        json_array_append_new(top, json_pack("{s:o, s:o, s:o}", "token",
                                             text_to_json(bytes.data, bytes.length), "bytes",
                                             bytes_of(bytes), "logprob",
                                             probability_of(report->top_log_probabilities[i])));
    }
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:I, s:I}", "token",
        text_to_json(report->bytes.data, report->bytes.length), "bytes", bytes_of(report->bytes),
        "logprob", probability_of(report->log_probability), "top", top, "offset",
        (json_int_t)(w->characters + (w->counted.held_bytes > 0)), "start", (json_int_t)w->bytes);
}

/* Of each slot that nobody told. */
static json_t *reading_of(const struct writing *w, const struct token_report *report) {
    const struct slots *slots = &w->model->model->slots;
    size_t before = w->handle != NULL ? w->handle->tokens : 0;
    json_t *json = json_object();
    for (size_t s = 0; s < slots->count; s++)
        if (w->handle == NULL || !w->handle->is_told[s])
            json_object_set_new(json, slots->slots[s].name,
                                slot_belief_to_json(w->model, s, report->mean, report->precision,
                                                    before + report->tokens, READING_TOP, NULL));
    json_object_set_new(json, "tokens", json_integer((json_int_t)(before + report->tokens)));
    return json;
}

static void note_first(struct writing *w) {
    if (w->first_seconds == 0)
        w->first_seconds = progress_clock() - w->request->started;
}

int writing_is_over(struct writing *w) {
    w->is_gone = w->is_gone || http_is_gone(w->request->exchange);
    return w->is_gone || w->failed;
}

/* What is no character is shown as one, so bytes alone do not tell where a token begins. Half a
 * character counts as one: it becomes one, or is shown as one. */
static void count(struct writing *w, struct token_bytes bytes) {
    w->bytes += bytes.length;
    if (text_filter_add(&w->counted, bytes.data, bytes.length, &w->error)) {
        w->failed = 1;
        return;
    }
    for (size_t i = 0; i < w->counted.ready_bytes; i++)
        w->characters += ((unsigned char)w->counted.ready[i] & 0xc0) != 0x80;
}

static int visit(void *context, const struct token_report *report) {
    struct writing *w = context;
    if (w->tokens != NULL) {
        json_array_append_new(w->tokens, entry_of(w, report));
        w->prompt_tokens += (size_t)report->is_prompt;
        count(w, report->bytes);
    }
    if (report->is_prompt)
        return 0;
    if (w->wish->has_reading && report->mean != NULL && w->model->model->slots.count > 0) {
        json_decref(w->reading);
        w->reading = reading_of(w, report);
    }
    return writing_is_over(w);
}

static int keep(struct writing *w, const char *text, size_t bytes) {
    if (memory_grow(&w->text, &w->text_capacity, w->text_bytes + bytes + 1, 1, &w->error)) {
        w->failed = 1;
        return -1;
    }
    memcpy(w->text + w->text_bytes, text, bytes);
    w->text_bytes += bytes;
    w->text[w->text_bytes] = '\0';
    return 0;
}

/* Delivers a piece with the first `count` of the tokens, which are then gone. */
static int deliver(struct writing *w, const char *text, size_t bytes, size_t count) {
    if (keep(w, text, bytes) || w->deliver == NULL)
        return w->failed;
    json_t *tokens = w->tokens != NULL ? json_array() : NULL;
    for (size_t i = 0; i < count; i++) {
        json_array_append(tokens, json_array_get(w->tokens, 0));
        json_array_remove(w->tokens, 0);
    }
    struct writing_piece piece = {text, bytes, tokens, w->reading};
    w->is_gone = w->is_gone || w->deliver(w->context, &piece) != 0;
    json_decref(tokens);
    json_decref(w->reading);
    w->reading = NULL;
    return w->is_gone;
}

/* The prompt, if it is wanted, before anything else. */
static int show_echo(struct writing *w) {
    if (w->was_echoed)
        return 0;
    w->was_echoed = 1;
    size_t tokens = w->prompt_tokens;
    if (w->deliver != NULL)
        w->prompt_tokens = 0;
    return w->echo != NULL ? deliver(w, w->echo, strlen(w->echo), tokens) : 0;
}

/* How many of the tokens that are kept begin before what was shown ends; `base` is where the
 * text's own bytes begin. */
static size_t count_shown(const struct writing *w, size_t base) {
    size_t count = 0;
    for (; count < json_array_size(w->tokens); count++) {
        json_t *start = json_object_get(json_array_get(w->tokens, count), "start");
        if (json_integer_value(start) >= (json_int_t)(base + w->filter.shown))
            break;
    }
    return count;
}

/* Bytes of the prompt's tokens, after which the text's own begin. */
static size_t base_of(const struct writing *w, size_t written) {
    return w->bytes - written;
}

static int show_ready(struct writing *w, size_t written) {
    const struct text_filter *f = &w->filter;
    if (f->ready_bytes == 0)
        return 0;
    size_t shown = w->tokens != NULL ? count_shown(w, base_of(w, written)) : 0;
    return deliver(w, f->ready, f->ready_bytes, shown);
}

int writing_hear(void *context, const char *text, size_t length) {
    struct writing *w = context;
    note_first(w);
    if (show_echo(w) || writing_is_over(w))
        return 1;
    if (text_filter_add(&w->filter, text, length, &w->error)) {
        w->failed = 1;
        return 1;
    }
    w->written += length;
    return show_ready(w, w->written) || w->filter.is_stopped;
}

int writing_finish(struct writing *w) {
    if (!w->is_gone && !w->failed && show_echo(w) == 0) {
        w->failed = text_filter_end(&w->filter, &w->error) != 0;
        if (!w->failed)
            show_ready(w, w->written);
    }
    /* What a string that ends the text cut off has no tokens to show, either. */
    if (w->tokens != NULL && !w->failed)
        for (size_t shown = count_shown(w, base_of(w, w->written));
             json_array_size(w->tokens) > shown;)
            json_array_remove(w->tokens, shown);
    return w->failed ? problem_internal(&w->request->problem, "writing", &w->error) : 0;
}

const char *writing_finish_reason(const struct writing *w) {
    return w->outcome.end == TOKENS_FULL && !w->filter.is_stopped ? "length" : "stop";
}
