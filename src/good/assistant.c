#include "good/assistant.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/progress.h"
#include "good/candidates.h"
#include "good/fiction.h"
#include "good/refusal.h"
#include "good/statement_question.h"

/* Without chance the dream repeats itself. */
static const double DREAMING_TEMPERATURE = 0.8;
static const size_t DREAMT_TOKENS = 160;

static const char RESEARCH[] = "[research mode: these principles are not verified] ";

struct turn {
    struct assistant *assistant;
    char *request;                          /* all that the user said, and what is asked now */
    char *written;                          /* by the author so far, NUL-terminated */
    size_t length, capacity, shown, looked; /* looked: bytes the guard has seen */
    FILE *text;                             /* what was shown */
    reply_callback *callback;
    void *context;
    int is_over; /* the callback wants no more */
    struct assistant_trace *trace;
    double started;
    struct error *error;
    int result;
};

static void show(struct turn *t, const char *text, size_t length) {
    if (length == 0 || t->is_over)
        return;
    if (t->trace->first_seconds == 0)
        t->trace->first_seconds = progress_clock() - t->started;
    fwrite(text, 1, length, t->text);
    t->is_over = t->callback != NULL && t->callback(t->context, text, length) != 0;
}

static void show_line(struct turn *t, const char *text) {
    show(t, text, strlen(text));
}

/* Looks at the reply so far; shows what is new of it, or ends it. Not 0: no more. */
static int look_and_show(struct turn *t) {
    struct guard *guard = t->assistant->guard;
    if (guard != NULL && t->length > t->looked) {
        struct guard_finding *finding = &t->trace->reply;
        t->result = guard_look(guard, t->request, t->written, finding, t->error);
        if (t->result != 0)
            return 1;
        t->trace->looks++;
        t->trace->guard_seconds += finding->seconds;
        t->looked = t->length;
        if (finding->is_declined) {
            t->trace->outcome = ASSISTANT_DECLINED_REPLY;
            show_line(t, t->shown > 0 ? "\nI stop here: " : "I will not say what I was about to: ");
            show_line(t, guard_reason(guard, finding));
            return 1;
        }
    }
    show(t, t->written + t->shown, t->length - t->shown);
    t->shown = t->length;
    return t->is_over;
}

/* A sentence ends where one of these is followed by a space, or a line ends. */
static int ends_sentence(const struct turn *t) {
    if (t->length < 2)
        return 0;
    char last = t->written[t->length - 1], before = t->written[t->length - 2];
    return last == '\n' || (last == ' ' && strchr(".!?\"", before) != NULL);
}

static int take(void *context, const char *text, size_t length) {
    struct turn *t = context;
    if (memory_grow(&t->written, &t->capacity, t->length + length + 1, 1, t->error)) {
        t->result = -1;
        return 1;
    }
    /* Tokens often begin with a space: the sentence before it ends there. */
    for (size_t i = 0; i < length; i++) {
        t->written[t->length++] = text[i];
        t->written[t->length] = '\0';
        int is_due = t->looked == 0 || t->length >= 2 * t->looked || t->assistant->guard == NULL;
        if (ends_sentence(t) && is_due && look_and_show(t))
            return 1;
    }
    return 0;
}

/* What the user said in all turns: a request may be split over them. */
static int join_request(char **out, const struct chat_message *messages, size_t count,
                        struct error *error) {
    size_t bytes;
    FILE *stream = open_memstream(out, &bytes);
    if (stream == NULL)
        return error_set(error, "out of memory");
    for (size_t i = 0; i < count; i++)
        if (messages[i].role == CHAT_USER)
            fprintf(stream, "%s%s", messages[i].content, i + 1 < count ? "\n" : "");
    if (fclose(stream) != 0) {
        free(*out);
        return error_set(error, "out of memory");
    }
    return 0;
}

static void decline_request(struct turn *t) {
    t->trace->outcome = ASSISTANT_DECLINED_REQUEST;
    show_line(t, "I won't help with that: ");
    show_line(t, guard_reason(t->assistant->guard, &t->trace->request));
}

/* And who says so, where a library was read. */
static void say_odds(struct turn *t, double probability) {
    char line[80];
    t->trace->odds = probability;
    odds_say(probability, line, sizeof line);
    show_line(t, "\n");
    show_line(t, line);
    const struct claims *claims = &t->trace->claims;
    for (size_t i = 0; i < claims->count; i++)
        if (claims->sources[i] != NULL) {
            show_line(t, "\n(Source: ");
            show_line(t, claims->sources[i]);
            show_line(t, ".)");
        }
}

/* How sure the author is of what it replied to a question. */
static void weigh_reply(struct turn *t, const char *question) {
    struct assistant *a = t->assistant;
    struct claims *claims = &t->trace->claims;
    t->result = claims_find(claims, question, t->written, t->error);
    if (t->result == 0 && claims->count > 0)
        t->result = a->pricer.price(a->pricer.context, claims, t->error);
    if (t->result != 0 || claims->count == 0)
        return;
    struct odds_evidence evidence = odds_evidence_of(claims, replier_certainty(a->replier));
    say_odds(t, odds_probability(a->odds, &evidence));
}

/* Shows what is left of the reply, and its reservation. 0: it was shown whole. */
static int end_reply(struct turn *t) {
    if (t->result != 0 || t->trace->outcome == ASSISTANT_DECLINED_REPLY || t->is_over ||
        look_and_show(t))
        return 1;
    if (t->trace->reply.is_hedged && t->assistant->guard != NULL) {
        t->trace->outcome = ASSISTANT_HEDGED;
        show_line(t, "\n(");
        show_line(t, guard_reason(t->assistant->guard, &t->trace->reply));
        show_line(t, ")");
    }
    return 0;
}

/* Takes over the statement. */
static void answer_by_truth(struct turn *t, char *statement) {
    struct assistant *a = t->assistant;
    struct claims *claims = &t->trace->claims;
    *claims = (struct claims){.texts = {statement}, .probabilities = {NAN}, .count = 1};
    t->result = a->pricer.price(a->pricer.context, claims, t->error);
    if (t->result != 0)
        return;
    t->trace->outcome = ASSISTANT_JUDGED;
    double probability = claims->probabilities[0];
    const char *answer = statement_answer(probability);
    const char *text = answer != NULL ? answer : "I do not know whether that is true.";
    if (take(t, text, strlen(text)) != 0 || end_reply(t) != 0 || answer == NULL)
        return;
    say_odds(t, fmax(probability, 1 - probability));
}

/* One of several candidates, shown like any reply. */
static void choose_reply(struct turn *t, const struct chat_message *messages, size_t count,
                         const struct reply_options *options) {
    struct assistant *a = t->assistant;
    struct reply_chosen chosen;
    t->result = candidates_reply(&chosen, a->replier, &a->pricer, messages, count, options,
                                 odds_candidates(a->odds), t->error);
    if (t->result != 0)
        return;
    t->trace->chosen = chosen.place;
    if (take(t, chosen.text, strlen(chosen.text)) == 0 && end_reply(t) == 0) {
        t->trace->claims = chosen.claims;
        chosen.claims.count = 0;
        if (t->trace->claims.count > 0)
            say_odds(t, odds_probability(a->odds, &chosen.evidence));
    }
    reply_chosen_free(&chosen);
}

/* The fiction that was wished for: its topic, and how the dream goes on. */
static void dream(struct turn *t, const struct fiction_wish *wish,
                  const struct reply_options *options) {
    struct handle handle;
    struct write_options writing = {.prompt = wish->topic,
                                    .tokens = options->tokens > 0 ? options->tokens : DREAMT_TOKENS,
                                    .seed = options->seed,
                                    .sampling = options->sampling};
    char line[FICTION_LINE];
    if (writing.sampling.temperature == 0)
        writing.sampling = (struct sampling){.temperature = DREAMING_TEMPERATURE, .top_p = 0.95};
    t->result = fiction_handle(&handle, wish, t->assistant->dream, t->error);
    if (t->result != 0)
        return;
    t->trace->outcome = ASSISTANT_DREAMED;
    fiction_announce(line, wish);
    show_line(t, line);
    if (take(t, wish->topic, strlen(wish->topic)) == 0)
        t->result = writer_write(t->assistant->dreamer, &handle, &writing, take, t, t->error);
    handle_free(&handle);
    if (t->result == 0 && t->trace->outcome == ASSISTANT_DREAMED && !t->is_over)
        look_and_show(t);
}

/* Whether a statement is true the author does not answer out of its head: the truth layer's
 * verdict and odds are the answer. 0: something else is asked. */
static int asks_truth(struct turn *t, const char *question) {
    char *statement;
    if (t->assistant->pricer.price == NULL)
        return 0;
    int found = statement_question(&statement, question, t->error);
    if (found > 0)
        answer_by_truth(t, statement);
    else
        t->result = found;
    return found != 0;
}

static void write_reply(struct turn *t, const struct chat_message *messages, size_t count,
                        const struct reply_options *options) {
    struct assistant *a = t->assistant;
    const char *question = messages[count - 1].content;
    if (asks_truth(t, question))
        return;
    int has_odds = a->pricer.price != NULL && odds_are_wanted(question);
    if (has_odds && odds_candidates(a->odds) > 1) {
        choose_reply(t, messages, count, options);
        return;
    }
    t->result = replier_reply(a->replier, messages, count, NULL, options, take, t, t->error);
    if (end_reply(t) == 0 && has_odds && t->written != NULL && !reply_declines(t->written))
        weigh_reply(t, question);
}

/* What the guard let through. */
static void respond(struct turn *t, const struct chat_message *messages, size_t count,
                    const struct reply_options *options) {
    const struct assistant *a = t->assistant;
    struct fiction_wish wish;
    char line[FICTION_LINE];
    if (fiction_is_doubted(line, messages, count))
        show_line(t, line);
    else if (a->dreamer != NULL && fiction_find(&wish, a->dream, messages[count - 1].content))
        dream(t, &wish, options);
    else
        write_reply(t, messages, count, options);
}

int assistant_answer(struct assistant *a, const struct chat_message *messages, size_t count,
                     const struct reply_options *options, reply_callback *callback, void *context,
                     struct assistant_trace *trace, struct error *error) {
    size_t bytes;
    struct turn t = {.assistant = a,
                     .callback = callback,
                     .context = context,
                     .trace = trace,
                     .started = progress_clock(),
                     .error = error};
    *trace = (struct assistant_trace){
        .request = {.principle = -1}, .reply = {.principle = -1}, .odds = NAN};
    if (join_request(&t.request, messages, count, error))
        return -1;
    t.text = open_memstream(&trace->text, &bytes);
    if (t.text == NULL) {
        free(t.request);
        return error_set(error, "out of memory");
    }
    if (a->principles != NULL && !a->principles->is_verified)
        show_line(&t, RESEARCH);
    if (a->guard != NULL)
        t.result = guard_look(a->guard, t.request, NULL, &trace->request, error);
    trace->guard_seconds = trace->request.seconds;
    if (t.result == 0 && trace->request.is_declined)
        decline_request(&t);
    else if (t.result == 0)
        respond(&t, messages, count, options);
    trace->seconds = progress_clock() - t.started;
    fclose(t.text);
    free(t.request);
    free(t.written);
    return t.result;
}

void assistant_trace_free(struct assistant_trace *trace) {
    claims_free(&trace->claims);
    free(trace->text);
    trace->text = NULL;
}

int assistant_trace_declines(const struct assistant_trace *trace) {
    return trace->outcome == ASSISTANT_DECLINED_REQUEST ||
           trace->outcome == ASSISTANT_DECLINED_REPLY || reply_declines(trace->text);
}

static void print_finding(FILE *stream, const struct assistant *a, const char *of,
                          const struct guard_finding *f) {
    fprintf(stream, "  %s: %.3f harmful", of, f->screen);
    for (size_t i = 0; a->principles != NULL && i < a->principles->count; i++)
        if (!isnan(f->prices[i]) && f->prices[i] > 0)
            fprintf(stream, ", %s %.3f", a->principles->items[i].name, f->prices[i]);
    fprintf(stream, "\n");
}

void assistant_trace_print(FILE *stream, const struct assistant *a,
                           const struct assistant_trace *trace) {
    static const char *const OUTCOMES[] = {"replied",
                                           "replied with a reservation",
                                           "opened the dream",
                                           "asked the truth layer",
                                           "declined the request",
                                           "declined what was written"};
    fprintf(stream, "why: %s; %.2f s, of which the guard %.2f; first words after %.2f s\n",
            OUTCOMES[trace->outcome], trace->seconds, trace->guard_seconds, trace->first_seconds);
    for (size_t i = 0; i < trace->claims.count; i++)
        fprintf(stream, "  a claim, %.2f: %s\n", trace->claims.probabilities[i],
                trace->claims.texts[i]);
    if (trace->chosen > 0)
        fprintf(stream, "  chosen: candidate %zu of %zu\n", trace->chosen + 1,
                odds_candidates(a->odds));
    if (!isnan(trace->odds))
        fprintf(stream, "  the reply is right: %.2f\n", trace->odds);
    if (a->guard == NULL)
        return;
    print_finding(stream, a, "the request", &trace->request);
    if (trace->looks > 0)
        print_finding(stream, a, "the reply", &trace->reply);
}
