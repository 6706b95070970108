#include <math.h>
#include <string.h>

#include "serve/chat.h"
#include "serve/chat_trace.h"

int chat_speaker_take(struct chat *chat) {
    struct problem *problem = &chat->request->problem;
    struct error error;
    size_t most = chat->request->service->resident->context;
    int is_good = chat->layer == RESIDENT_GOOD;
    if (is_good)
        chat->speaker.assistant = pool_take(chat->model->assistants, &error);
    else
        chat->speaker.replier = pool_take(chat->model->speakers, &error);
    if (chat->speaker.replier == NULL)
        return problem_internal(problem, "making a replier", &error);
    struct replier *replier = is_good ? chat->speaker.assistant->replier : chat->speaker.replier;
    if (replier_count(replier, chat->messages.items, chat->messages.count, &chat->options,
                      &chat->prompt_tokens, &error))
        return problem_content(problem, "messages", &error);
    if (chat->prompt_tokens > most || chat->options.tokens > most - chat->prompt_tokens)
        return problem_set(problem, 400, "context_length_exceeded", "messages",
                           "the messages have %zu tokens and %zu may be written; together there is "
                           "room for %zu",
                           chat->prompt_tokens, chat->options.tokens, most);
    return 0;
}

void chat_speaker_leave(struct chat *chat) {
    if (chat->layer == RESIDENT_GOOD)
        pool_give(chat->model->assistants, chat->speaker.assistant);
    else
        pool_give(chat->model->speakers, chat->speaker.replier);
    chat->speaker.replier = NULL;
}

static void count(const struct chat *chat, const struct writing *w, enum metrics_layer layer,
                  size_t written) {
    struct metrics *metrics = chat->request->service->metrics;
    metrics_count_tokens(metrics, layer, chat->prompt_tokens, written);
    if (w->first_seconds > 0)
        metrics_count_first_token(metrics, layer, w->first_seconds);
}

static int speak_as_model(struct chat *chat, struct writing *w, const struct reply_options *options,
                          const char **finish_reason) {
    struct error error;
    if (replier_reply(chat->speaker.replier, chat->messages.items, chat->messages.count, NULL,
                      options, writing_hear, w, &error))
        return problem_internal(&chat->request->problem, "replying", &error);
    count(chat, w, METRICS_DREAM, w->outcome.written);
    *finish_reason = writing_finish_reason(w);
    return 0;
}

/* By the first standard's judge, which others want as well. */
static int price_claims(void *context, struct claims *claims, struct error *error) {
    const struct chat *chat = context;
    struct judge_pool *judges = chat->request->service->resident->judges;
    const struct resident_standard *standard = resident_find_standard(chat->model, NULL);
    struct judge *judge = judge_pool_take(judges, &standard->judging, error);
    if (judge == NULL)
        return -1;
    int result = claims_price(claims, judge, error);
    judge_pool_give(judges, judge);
    return result;
}

/* Tokens of what was shown, some of which nobody chose: what the guard and the odds say. */
static size_t count_shown(const struct resident_assistant *assistant, const char *text) {
    struct error error;
    size_t tokens = 0;
    if (text == NULL || *text == '\0' ||
        writer_count(assistant->dreamer, &(struct write_options){.prompt = text}, &tokens, &error))
        return 0;
    uint32_t begin = tokenizer_end_of_text(assistant->assistant.dream->tokenizer);
    return tokens - (begin != UINT32_MAX);
}

static const char *reason_of(const struct writing *w, const struct assistant_trace *trace,
                             size_t candidates) {
    if (trace->outcome == ASSISTANT_DECLINED_REQUEST || trace->outcome == ASSISTANT_DECLINED_REPLY)
        return "content_filter";
    /* Of several candidates, or of what others wrote, it is not known whether they ended. */
    int is_known = trace->outcome != ASSISTANT_DREAMED && trace->outcome != ASSISTANT_JUDGED &&
                   (candidates <= 1 || isnan(trace->odds));
    return is_known ? writing_finish_reason(w) : "stop";
}

static int speak_as_good(struct chat *chat, struct writing *w, const struct reply_options *options,
                         json_t **why, const char **finish_reason) {
    struct error error;
    struct assistant_trace trace;
    struct resident_assistant *a = chat->speaker.assistant;
    a->assistant.pricer =
        chat->model->has_odds ? (struct claims_pricer){price_claims, chat} : claims_pricer_of(NULL);
    int result = assistant_answer(&a->assistant, chat->messages.items, chat->messages.count,
                                  options, writing_hear, w, &trace, &error);
    a->assistant.pricer = claims_pricer_of(NULL);
    if (result != 0) {
        result = problem_internal(&chat->request->problem, "answering", &error);
    } else {
        w->outcome.written = count_shown(a, trace.text);
        count(chat, w, METRICS_GOOD, w->outcome.written);
        *finish_reason = reason_of(w, &trace, odds_candidates(&chat->model->odds));
        *why = chat->wants_why ? chat_trace_to_json(&trace, &chat->model->principles,
                                                    chat->has_values ? &chat->grant : NULL)
                               : NULL;
    }
    assistant_trace_free(&trace);
    return result;
}

int chat_speak(struct chat *chat, struct writing *w, uint64_t seed, json_t **why,
               const char **finish_reason) {
    struct reply_options options = chat->options;
    options.seed = seed;
    options.watch = &w->watch;
    options.outcome = &w->outcome;
    *why = NULL;
    return chat->layer == RESIDENT_GOOD ? speak_as_good(chat, w, &options, why, finish_reason)
                                        : speak_as_model(chat, w, &options, finish_reason);
}
