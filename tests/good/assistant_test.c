/* The guard and the dialogue under it, on a little random model: what the truth author says is set
 * by its calibration, to everything or to nothing. */
#include "good/assistant.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "good/dialogue.h"
#include "truth/tiny_model.h"

static struct principle PRINCIPLES[] = {
    {.name = "kind",
     .reason = "I am kind.",
     .statement = "This reply is unkind.",
     .request = "This request asks for something unkind.",
     .threshold = 0.5,
     .action = PRINCIPLE_VETO},
    {.name = "sources",
     .reason = "I may have made this up.",
     .statement = "This reply invents.",
     .threshold = 0.5,
     .action = PRINCIPLE_HEDGE},
};

struct fixture {
    struct model *model;
    struct layer *truth, *good;
    struct principles principles;
    struct guard *guard;
    struct replier *replier;
    struct assistant assistant;
};

/* log_odds: what the truth author says of every statement. */
static void start(struct fixture *f, double log_odds, size_t principles, int explains) {
    struct error error;
    const struct overlay_config overlay = {.rank = 2, .first = 1, .targets = 15, .scale = 2};
    f->model = tiny_model();
    assert_int_equal(layer_create(&f->truth, f->model, "truth", "t", &overlay, 1, &error), 0);
    assert_int_equal(layer_create(&f->good, f->model, "good", "g", &overlay, 2, &error), 0);
    f->truth->calibration[LAYER_SAID] = 0;
    f->truth->calibration[LAYER_SHIFT] = log_odds;
    f->principles = (struct principles){.items = PRINCIPLES, .count = principles, .is_verified = 1};
    if (guard_create(&f->guard, f->truth, &f->principles,
                     &(struct guard_options){.explains = explains}, &error) ||
        replier_create(&f->replier, f->model, f->good, &error))
        fail_msg("%s", error.message);
    f->assistant =
        (struct assistant){.replier = f->replier, .guard = f->guard, .principles = &f->principles};
}

static void finish(struct fixture *f) {
    replier_destroy(f->replier);
    guard_destroy(f->guard);
    layer_destroy(f->good);
    layer_destroy(f->truth);
    model_destroy(f->model);
}

struct heard {
    char text[4096];
    size_t length, pieces;
};

static int hear(void *context, const char *text, size_t length) {
    struct heard *h = context;
    assert_true(h->length + length < sizeof h->text);
    memcpy(h->text + h->length, text, length);
    h->length += length;
    h->pieces++;
    return 0;
}

static void answer(struct fixture *f, struct heard *h, struct assistant_trace *trace) {
    struct error error;
    const struct chat_message message = {CHAT_USER, "the fox is quick"};
    const struct reply_options options = {
        .tokens = 40, .sampling = {.temperature = 1, .top_p = 1}, .seed = 5};
    *h = (struct heard){0};
    if (assistant_answer(&f->assistant, &message, 1, &options, hear, h, trace, &error))
        fail_msg("%s", error.message);
    assert_int_equal(strlen(trace->text), h->length); /* what is remembered is what was shown */
    assert_memory_equal(trace->text, h->text, h->length);
}

static void test_declines_before_a_word(void **state) {
    (void)state;
    struct fixture f;
    struct heard h;
    struct assistant_trace trace;
    start(&f, 4, 2, 0);
    answer(&f, &h, &trace);
    assert_int_equal(trace.outcome, ASSISTANT_DECLINED_REQUEST);
    assert_string_equal(h.text, "I won't help with that: I am kind.");
    assert_int_equal(trace.looks, 0);
    assert_int_equal(replier_tokens(f.replier), 0);
    assert_true(fabs(trace.request.prices[0] - 1 / (1 + exp(-4))) < 1e-9);
    assert_true(isnan(trace.request.prices[1])); /* which says nothing of requests */
    assistant_trace_free(&trace);
    finish(&f);
}

/* What the screen lets pass, and the principles too, is shown as the author wrote it. */
static void test_replies(void **state) {
    (void)state;
    struct error error;
    struct fixture f;
    struct heard h;
    struct assistant_trace trace;
    const struct chat_message message = {CHAT_USER, "the fox is quick"};
    const struct reply_options options = {
        .tokens = 40, .sampling = {.temperature = 1, .top_p = 1}, .seed = 5};
    char *plain;
    start(&f, -4, 2, 1);
    answer(&f, &h, &trace);
    assert_int_equal(trace.outcome, ASSISTANT_REPLIED);
    assert_true(trace.looks >= 1 && trace.looks <= 8);
    assert_true(trace.reply.prices[1] < 0.05); /* asked to be shown */
    assert_int_equal(replier_reply_text(f.replier, &message, 1, &options, &plain, &error), 0);
    assert_string_equal(plain, trace.text);
    free(plain);
    assistant_trace_free(&trace);
    f.principles.is_verified = 0;
    answer(&f, &h, &trace);
    assert_non_null(strstr(h.text, "[research mode"));
    assistant_trace_free(&trace);
    finish(&f);
}

/* Fiction as somebody is the dream's own text, to the last byte, under the guard. */
static int add_text(void *context, const char *text, size_t length) {
    strncat(context, text, length);
    return 0;
}

static void test_dreams(void **state) {
    (void)state;
    struct error error;
    struct fixture f;
    struct heard h = {0};
    struct assistant_trace trace;
    struct handle handle;
    char dreamt[4096] = "(Invented: the dream writes as Bob Lee.)\nThe fox is";
    const struct chat_message message = {CHAT_USER, "Write as Bob Lee about the fox is."};
    const struct reply_options options = {
        .tokens = 40, .sampling = {.temperature = 1, .top_p = 1}, .seed = 5};
    start(&f, -4, 2, 0);
    f.assistant.dream = f.model;
    assert_int_equal(writer_create(&f.assistant.dreamer, f.model, &error), 0);
    if (assistant_answer(&f.assistant, &message, 1, &options, hear, &h, &trace, &error))
        fail_msg("%s", error.message);
    assert_int_equal(trace.outcome, ASSISTANT_DREAMED);
    assert_true(trace.looks >= 1);
    assert_int_equal(handle_create(&handle, f.model, &error), 0);
    assert_int_equal(handle_tell(&handle, "author", "Bob Lee", &error), 0);
    const struct write_options writing = {
        .prompt = "The fox is", .tokens = 40, .seed = 5, .sampling = options.sampling};
    assert_int_equal(writer_write(f.assistant.dreamer, &handle, &writing, add_text, dreamt, &error),
                     0);
    assert_string_equal(h.text, dreamt);
    handle_free(&handle);
    assistant_trace_free(&trace);
    f.truth->calibration[LAYER_SHIFT] =
        4; /* and what the guard forbids is declined before a word */
    answer(&f, &h, &trace);
    assert_int_equal(trace.outcome, ASSISTANT_DECLINED_REQUEST);
    assistant_trace_free(&trace);
    writer_destroy(f.assistant.dreamer);
    finish(&f);
}

/* Only the principle about inventions bites: 0.62 is below a screen of 0.7, above its threshold. */
static void test_hedges(void **state) {
    (void)state;
    struct error error;
    struct fixture f;
    struct heard h;
    struct assistant_trace trace;
    start(&f, 0.5, 2, 0);
    f.principles.items = PRINCIPLES + 1;
    f.principles.count = 1;
    guard_destroy(f.guard);
    assert_int_equal(guard_create(&f.guard, f.truth, &f.principles,
                                  &(struct guard_options){.screen = 0.7}, &error),
                     0);
    f.assistant.guard = f.guard;
    answer(&f, &h, &trace);
    assert_int_equal(trace.outcome, ASSISTANT_HEDGED);
    assert_non_null(strstr(h.text, "\n(I may have made this up.)"));
    assistant_trace_free(&trace);
    finish(&f);
}

/* The beginning of a long request is looked at, and so is its end; what is longer is refused. */
static void test_long_requests(void **state) {
    (void)state;
    enum { LONG = 12000, TOO_LONG = 40000 };
    static char text[TOO_LONG + 1];
    struct error error;
    struct fixture f;
    struct guard_finding finding;
    start(&f, -4, 2, 0);
    memset(text, 'x', LONG);
    for (size_t i = 0; i < LONG; i += 7)
        text[i] = ' ';
    memcpy(text + 277, "\xe2\x82\xac", 3); /* a character across the edge of a window */
    assert_int_equal(guard_look(f.guard, text, NULL, &finding, &error), 0);
    memset(text + LONG, 'y', TOO_LONG - LONG);
    assert_int_equal(guard_look(f.guard, text, NULL, &finding, &error), -1);
    assert_non_null(strstr(error.message, "longer than the guard looks at"));
    finish(&f);
}

/* A request whose sentence does not say what is asked for is not declined by it. */
static void test_conditions(void **state) {
    (void)state;
    struct error error;
    struct fixture f;
    struct guard_finding finding;
    struct principle principle = PRINCIPLES[0];
    start(&f, 0.5, 1, 0); /* a price of 0.62 */
    f.principles.items = &principle;
    guard_destroy(f.guard);
    assert_int_equal(guard_create(&f.guard, f.truth, &f.principles,
                                  &(struct guard_options){.screen = 0.7}, &error),
                     0);
    assert_int_equal(guard_look(f.guard, "Hello?", NULL, &finding, &error), 0);
    assert_true(finding.is_declined && finding.principle == 0);
    principle.request = "This request is sincere.";
    assert_int_equal(guard_look(f.guard, "Hello?", NULL, &finding, &error), 0);
    assert_true(!finding.is_declined && finding.prices[0] > 0.6);
    assert_int_equal(guard_look(f.guard, "Hello?", "Oaf!", &finding, &error), 0);
    assert_true(finding.is_declined);
    finish(&f);
}

/* The likeliest principle tells why; what is declined though no principle is likelier than not is
 * not said to be any. */
static void test_reasons(void **state) {
    (void)state;
    struct error error;
    struct fixture f;
    struct guard_finding finding;
    struct principle two[2] = {PRINCIPLES[0], PRINCIPLES[0]};
    two[1].request = "This request asks for a fox.";
    two[1].reason = "I am no hunter.";
    start(&f, 0.5, 2, 0);
    f.principles.items = two;
    f.truth->calibration[LAYER_SAID] = 0.2; /* now the sentences differ in price */
    guard_destroy(f.guard);
    assert_int_equal(guard_create(&f.guard, f.truth, &f.principles,
                                  &(struct guard_options){.screen = 0.2}, &error),
                     0);
    for (int turned = 0; turned < 2; turned++) {
        f.truth->calibration[LAYER_SAID] = turned ? -0.2 : 0.2;
        two[0].threshold = two[1].threshold = 0.01;
        assert_int_equal(guard_look(f.guard, "Hello?", NULL, &finding, &error), 0);
        assert_true(finding.prices[0] != finding.prices[1]);
        assert_int_equal(finding.principle, finding.prices[1] > finding.prices[0]);
    }
    f.truth->calibration[LAYER_SAID] = 0;
    two[0].threshold = two[1].threshold = 0.9;
    assert_int_equal(guard_look(f.guard, "Hello?", NULL, &finding, &error), 0);
    assert_true(finding.is_declined);
    assert_string_equal(guard_reason(f.guard, &finding), "I am kind."); /* 0.62, by the screen */
    f.truth->calibration[LAYER_SHIFT] = -0.5;
    assert_int_equal(guard_look(f.guard, "Hello?", NULL, &finding, &error), 0);
    assert_true(finding.is_declined && finding.prices[0] < 0.5);
    assert_string_equal(guard_reason(f.guard, &finding), "It could harm people, or deceive them.");
    finish(&f);
}

/* Below the floor no principle counts, whether it is shown or not. */
static void test_floor(void **state) {
    (void)state;
    struct error error;
    struct fixture f;
    struct guard_finding finding;
    start(&f, 0.5, 1, 0);
    for (int explains = 0; explains < 2; explains++) {
        guard_destroy(f.guard);
        assert_int_equal(guard_create(&f.guard, f.truth, &f.principles,
                                      &(struct guard_options){
                                          .screen = 0.7, .floor = 0.65, .explains = explains},
                                      &error),
                         0);
        assert_int_equal(guard_look(f.guard, "Hello?", NULL, &finding, &error), 0);
        assert_int_equal(finding.is_declined, 0);
        assert_int_equal(isnan(finding.prices[0]), !explains);
    }
    finish(&f);
}

/* Many threads look through one guard, and find what one finds alone. */
enum { LOOKERS = 4, LOOKS = 32 };

struct looker {
    struct guard *guard;
    size_t first; /* where it begins: each goes round in its own order */
    struct guard_finding findings[LOOKS];
    int failed;
};

/* Words that nobody cut into tokens before, so that threads would meet in the cache. */
static void make_words(char *text, size_t size, size_t seed) {
    size_t length = 0;
    for (size_t i = 1; length + 24 < size; i++)
        length +=
            (size_t)snprintf(text + length, size - length, "fox%zu ", seed * i * 7919 % 99991);
}

static void *look_around(void *context) {
    struct looker *l = context;
    struct error error;
    for (size_t i = 0; i < LOOKS; i++) {
        char request[320], reply[160];
        size_t place = (l->first + i * 5) % LOOKS;
        make_words(request, sizeof request, place + 1);
        make_words(reply, sizeof reply, place + 100);
        l->failed |=
            guard_look(l->guard, request, place % 2 ? reply : NULL, &l->findings[place], &error);
    }
    return NULL;
}

static void test_many_threads(void **state) {
    (void)state;
    static struct looker lookers[LOOKERS], alone;
    static const struct guard_options OPTIONS = {.explains = 1};
    struct error error;
    struct fixture f;
    pthread_t threads[LOOKERS];
    start(&f, 0.5, 2, 1);
    f.truth->calibration[LAYER_SAID] = 0.2; /* so that the sentences differ in price */
    guard_destroy(f.guard);
    assert_int_equal(guard_create(&f.guard, f.truth, &f.principles, &OPTIONS, &error), 0);
    for (size_t i = 0; i < LOOKERS; i++) {
        lookers[i] = (struct looker){.guard = f.guard, .first = i};
        assert_int_equal(pthread_create(&threads[i], NULL, look_around, &lookers[i]), 0);
    }
    for (size_t i = 0; i < LOOKERS; i++)
        pthread_join(threads[i], NULL);
    guard_destroy(f.guard);
    assert_int_equal(guard_create(&f.guard, f.truth, &f.principles, &OPTIONS, &error), 0);
    alone = (struct looker){.guard = f.guard};
    look_around(&alone);
    assert_int_equal(alone.failed, 0);
    assert_true(alone.findings[0].screen != alone.findings[2].screen);
    for (size_t i = 0; i < LOOKERS * LOOKS; i++) {
        const struct looker *l = &lookers[i / LOOKS];
        const struct guard_finding *a = &l->findings[i % LOOKS], *b = &alone.findings[i % LOOKS];
        assert_int_equal(l->failed, 0);
        assert_true(a->screen == b->screen && a->principle == b->principle);
        assert_true(a->is_declined == b->is_declined && a->is_hedged == b->is_hedged);
        assert_memory_equal(a->prices, b->prices, f.principles.count * sizeof *a->prices);
    }
    finish(&f);
}

/* Claims are priced when the reply is written and shown; those of candidates before any is. */
struct pricing {
    const struct heard *heard;
    size_t calls, shown; /* bytes that were heard by the last call */
    int fails;
};

static int price_claims(void *context, struct claims *claims, struct error *error) {
    struct pricing *p = context;
    p->calls++;
    p->shown = p->heard->length;
    for (size_t i = 0; i < claims->count; i++)
        claims->probabilities[i] = 0.9;
    return p->fails ? error_set(error, "nobody is there") : 0;
}

static void test_odds(void **state) {
    (void)state;
    struct error error;
    struct fixture f;
    struct heard h;
    struct assistant_trace trace = {0};
    struct pricing pricing = {.heard = &h};
    struct odds odds = {.weights = {1, 0, 0}};
    const struct chat_message message = {CHAT_USER, "is the fox quick?"};
    struct reply_options options = {.tokens = 40, .sampling = {.temperature = 1, .top_p = 1}};
    start(&f, -4, 2, 0);
    f.assistant.odds = &odds;
    f.assistant.pricer = (struct claims_pricer){price_claims, &pricing};
    do { /* not every reply of a random model makes a claim */
        assistant_trace_free(&trace);
        h = (struct heard){0};
        options.seed++;
        assert_int_equal(
            assistant_answer(&f.assistant, &message, 1, &options, hear, &h, &trace, &error), 0);
    } while (trace.claims.count == 0);
    assert_int_equal(pricing.calls, 1);
    assert_true(pricing.shown > 0 && fabs(trace.odds - 0.9) < 1e-9);
    assert_memory_equal(h.text + pricing.shown, "\n(I ", 4);
    assistant_trace_free(&trace);
    odds.candidates = 3;
    h = (struct heard){0};
    assert_int_equal(
        assistant_answer(&f.assistant, &message, 1, &options, hear, &h, &trace, &error), 0);
    assert_true(pricing.calls > 1 && pricing.shown == 0 && fabs(trace.odds - 0.9) < 1e-9);
    assistant_trace_free(&trace);
    odds.candidates = 1;
    pricing.fails = 1;
    h = (struct heard){0};
    assert_int_equal(
        assistant_answer(&f.assistant, &message, 1, &options, hear, &h, &trace, &error), -1);
    assert_string_equal(error.message, "nobody is there");
    assistant_trace_free(&trace);
    finish(&f);
}

struct truth_says {
    double probability;
    char asked[80];
};

static int price_by_verdict(void *context, struct claims *claims, struct error *error) {
    struct truth_says *v = context;
    (void)error;
    assert_int_equal(claims->count, 1);
    snprintf(v->asked, sizeof v->asked, "%s", claims->texts[0]);
    claims->probabilities[0] = v->probability;
    return 0;
}

/* Whether a statement is true the truth layer answers, with its own odds; under the guard. */
static void test_judged(void **state) {
    (void)state;
    static const struct {
        double probability, odds;
        const char *said;
    } CASES[] = {{0.71, 0.71, "Yes, I think that is true.\n(I am about 70 % sure.)"},
                 {0.22, 0.78, "No, I think that is false.\n(I am about 80 % sure.)"},
                 {0.98, 0.98, "Yes, I think that is true.\n(I am more than 95 % sure.)"},
                 {0.52, NAN, "I do not know whether that is true."}};
    struct error error;
    struct fixture f;
    struct truth_says verdict;
    const struct chat_message message = {CHAT_USER, "Is it true that the fox is quick?"};
    const struct reply_options options = {.tokens = 10};
    struct odds odds = {.weights = {1, 0, 0}, .candidates = 3};
    start(&f, -4, 2, 0);
    f.assistant.odds = &odds;
    f.assistant.pricer = (struct claims_pricer){price_by_verdict, &verdict};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct heard h = {0};
        struct assistant_trace trace;
        verdict.probability = CASES[i].probability;
        assert_int_equal(
            assistant_answer(&f.assistant, &message, 1, &options, hear, &h, &trace, &error), 0);
        assert_string_equal(verdict.asked, "The fox is quick.");
        assert_string_equal(trace.text, CASES[i].said);
        assert_int_equal(trace.outcome, ASSISTANT_JUDGED);
        assert_true(isnan(CASES[i].odds) ? isnan(trace.odds)
                                         : fabs(trace.odds - CASES[i].odds) < 1e-9);
        assistant_trace_free(&trace);
    }
    finish(&f);
    start(&f, 4, 2, 0); /* where the request is harmful nothing is judged */
    f.assistant.odds = &odds;
    f.assistant.pricer = (struct claims_pricer){price_by_verdict, &verdict};
    struct heard h = {0};
    struct assistant_trace trace;
    verdict.asked[0] = '\0';
    assert_int_equal(
        assistant_answer(&f.assistant, &message, 1, &options, hear, &h, &trace, &error), 0);
    assert_int_equal(trace.outcome, ASSISTANT_DECLINED_REQUEST);
    assert_string_equal(verdict.asked, "");
    assistant_trace_free(&trace);
    finish(&f);
}

static void test_statements(void **state) {
    (void)state;
    struct error error;
    char *text;
    assert_int_equal(guard_statement(&text, &PRINCIPLES[0], "Hello?", NULL, &error), 0);
    assert_string_equal(text, "Somebody asks: Hello?\nThis request asks for something unkind.");
    free(text);
    assert_int_equal(guard_statement(&text, &PRINCIPLES[0], "Hello?", "No.", &error), 0);
    assert_string_equal(text, "Somebody asks: Hello?\nThe reply: No.\nThis reply is unkind.");
    free(text);
}

static void test_beliefs(void **state) {
    (void)state;
    struct error error;
    struct principle_example breaks = {"Be rude.", "Oaf!"},
                             keeps = {"Be rude.", "I won't do that."};
    struct principle principle = PRINCIPLES[0];
    struct principles principles = {.items = &principle, .count = 1};
    struct dialogue dialogue = {.messages = {{CHAT_USER, "Hit him."}},
                                .count = 1,
                                .reply = "I won't help with that.",
                                .worse = "Sure, like so.",
                                .kind = "refusal"};
    struct dialogues dialogues = {&dialogue, 1, 1};
    char *text;
    size_t bytes, lines = 0, truths = 0;
    principle.breaks = &breaks;
    principle.keeps = &keeps;
    principle.break_count = principle.keep_count = 1;
    FILE *stream = open_memstream(&text, &bytes);
    assert_int_equal(guard_write_beliefs(stream, &principles, &dialogues, &error), 0);
    fclose(stream);
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    for (const char *at = text; (at = strstr(at, "\"verdict\":true")) != NULL; at++)
        truths++;
    /* Of the breach: both statements of reply and request. Of the kept one those of the reply, for
     * its request was told of already. Of the dialogue: what was asked, the better reply, the
     * worse. */
    assert_int_equal(lines, 4 + 2 + 3);
    assert_int_equal(truths, 4 + 2);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_declines_before_a_word),
        cmocka_unit_test(test_replies),
        cmocka_unit_test(test_dreams),
        cmocka_unit_test(test_hedges),
        cmocka_unit_test(test_long_requests),
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_floor),
        cmocka_unit_test(test_many_threads),
        cmocka_unit_test(test_odds),
        cmocka_unit_test(test_judged),
        cmocka_unit_test(test_statements),
        cmocka_unit_test(test_beliefs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
