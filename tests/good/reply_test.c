/* Replies to messages as they are, under a handle, and what is told of them while they are written.
 */
#include "good/reply.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dream/write.h"
#include "truth/tiny_model.h"

struct fixture {
    struct model *model;
    struct replier *replier;
    struct handle handle;
};

static void start(struct fixture *f) {
    struct error error;
    f->model = tiny_model();
    assert_int_equal(handle_create(&f->handle, f->model, &error), 0);
    assert_int_equal(handle_tell(&f->handle, "author", "Cyd", &error), 0);
    assert_int_equal(replier_create(&f->replier, f->model, NULL, &error), 0);
}

static void finish(struct fixture *f) {
    replier_destroy(f->replier);
    handle_free(&f->handle);
    model_destroy(f->model);
}

static char *reply(struct fixture *f, const struct chat_message *messages, size_t count,
                   const struct reply_options *options) {
    struct error error;
    char *text;
    if (replier_reply_text(f->replier, messages, count, options, &text, &error))
        fail_msg("%s", error.message);
    return text;
}

static int add_text(void *context, const char *text, size_t length) {
    strncat(context, text, length);
    return 0;
}

/* A model that knows no template is asked plainly: what a writer writes after the same words. */
static void test_plain_messages_under_a_handle(void **state) {
    (void)state;
    struct fixture f;
    struct error error;
    struct writer *writer;
    char written[4096] = "";
    const struct chat_message messages[] = {{CHAT_SYSTEM, "the fox"}, {CHAT_USER, "is quick"}};
    struct reply_options options = {
        .tokens = 40, .sampling = {.temperature = 0}, .handle = &f.handle, .is_plain = 1};
    size_t tokens, of_prompt;
    start(&f);
    char *text = reply(&f, messages, 2, &options);
    const struct write_options writing = {.prompt = "the fox\nUser: is quick\nAssistant: ",
                                          .tokens = 40};
    assert_int_equal(writer_create(&writer, f.model, &error), 0);
    assert_int_equal(writer_write(writer, &f.handle, &writing, add_text, written, &error), 0);
    assert_string_equal(text, written);
    assert_int_equal(replier_count(f.replier, messages, 2, &options, &tokens, &error), 0);
    assert_int_equal(writer_count(writer, &writing, &of_prompt, &error), 0);
    assert_int_equal(tokens, of_prompt);
    free(text);

    /* Without the handle it replies otherwise, and as if there had never been one. */
    struct replier *fresh;
    char *after, *alone;
    options.handle = NULL;
    after = reply(&f, messages, 2, &options);
    assert_int_equal(replier_create(&fresh, f.model, NULL, &error), 0);
    assert_int_equal(replier_reply_text(fresh, messages, 2, &options, &alone, &error), 0);
    assert_string_equal(after, alone);
    assert_string_not_equal(after, written);
    free(after);
    free(alone);
    replier_destroy(fresh);
    writer_destroy(writer);
    finish(&f);
}

/* As lessons are laid out there is one more message, and a second system's is refused. */
static void test_whose_message_is_first(void **state) {
    (void)state;
    struct fixture f;
    struct error error;
    const struct chat_message messages[] = {{CHAT_SYSTEM, "the fox"}, {CHAT_USER, "is quick"}};
    size_t plain, lesson;
    start(&f);
    assert_int_equal(replier_count(f.replier, messages + 1, 1,
                                   &(struct reply_options){.is_plain = 1}, &plain, &error),
                     0);
    assert_int_equal(
        replier_count(f.replier, messages + 1, 1, &(struct reply_options){0}, &lesson, &error), 0);
    assert_true(lesson > plain);
    assert_int_equal(
        replier_count(f.replier, messages, 2, &(struct reply_options){0}, &lesson, &error), -1);
    assert_non_null(strstr(error.message, "the user's turn it is"));
    finish(&f);
}

struct seen {
    double log_probability;
    size_t count, stop_after;
    char text[4096];
};

static int visit(void *context, const struct token_report *report) {
    struct seen *s = context;
    s->log_probability += report->log_probability;
    strncat(s->text, report->bytes.data, report->bytes.length);
    return ++s->count == s->stop_after;
}

static void test_watch(void **state) {
    (void)state;
    struct fixture f;
    const struct chat_message message = {CHAT_USER, "is quick"};
    struct seen seen = {.count = 0};
    struct token_watch watch = {.visit = visit, .context = &seen, .has_log_probabilities = 1};
    struct token_outcome outcome;
    struct reply_options options = {
        .tokens = 12, .sampling = {.temperature = 1, .top_p = 1}, .seed = 4};
    start(&f);
    char *unwatched = reply(&f, &message, 1, &options);
    size_t read = replier_tokens(f.replier);
    double certainty = replier_certainty(f.replier);
    options.watch = &watch;
    options.outcome = &outcome;
    char *text = reply(&f, &message, 1, &options);
    assert_string_equal(text, unwatched);
    assert_string_equal(text, seen.text);
    assert_int_equal(outcome.end, TOKENS_FULL);
    assert_int_equal(outcome.written, 12);
    assert_int_equal(outcome.prompt + outcome.written, read);
    assert_true(fabs(seen.log_probability / 12 - certainty) < 1e-6);
    free(text);
    seen = (struct seen){.stop_after = 3};
    text = reply(&f, &message, 1, &options);
    assert_int_equal(outcome.end, TOKENS_STOPPED);
    assert_int_equal(outcome.written, 3);
    assert_true(strlen(text) < strlen(seen.text)); /* the third was seen, not heard */
    free(text);
    free(unwatched);
    finish(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_messages_under_a_handle),
        cmocka_unit_test(test_whose_message_is_first),
        cmocka_unit_test(test_watch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
