/* Which requests ask for fiction in somebody's voice, and as whom, when and about what. */
#include "good/fiction.h"

#include <math.h>
#include <string.h>

#include "cmocka_all.h"
#include "truth/tiny_model.h"

static void test_finds(void **state) {
    (void)state;
    static const struct {
        const char *request, *author; /* NULL: it is no such request */
        double year;
        const char *topic;
    } CASES[] = {
        {"Write as Ann Lee about the railroad.", "Ann Lee", NAN, "The railroad"},
        {"write this as bob lee: the sea is wide", "Bob Lee", NAN, "The sea is wide"},
        {"Write a speech about ships, as Cyd would have in 1862.", "Cyd", 1862, "Ships"},
        {"Write, as Ann Lee would have in 1862, a letter about bread!", "Ann Lee", 1862, "Bread"},
        {"Compose a poem about the old oak in the style of Ann Lee", "Ann Lee", NAN, "The old oak"},
        {"Imagine you were Bob Lee. Write about it.", "Bob Lee", NAN, ""},
        {"Write as Ann Lee.", "Ann Lee", NAN, ""},
        {"Who was Ann Lee?", NULL, 0, NULL},
        {"Write about Ann Lee.", NULL, 0, NULL},
        {"Write as Ann Leery about bread.", NULL, 0, NULL},
        {"Write as Lee about bread.", NULL, 0, NULL}, /* of two authors */
        {"Describe Bob Lee as a boy.", NULL, 0, NULL},
        {"", NULL, 0, NULL},
    };
    struct model *model = tiny_model();
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct fiction_wish wish;
        int found = fiction_find(&wish, model, CASES[i].request);
        if (found != (CASES[i].author != NULL))
            fail_msg("%s: %d", CASES[i].request, found);
        if (!found)
            continue;
        assert_string_equal(wish.author, CASES[i].author);
        assert_string_equal(wish.topic, CASES[i].topic);
        assert_true(isnan(CASES[i].year) ? isnan(wish.year) : wish.year == CASES[i].year);
    }
    model_destroy(model);
}

/* A request of any length is cut, not overrun. */
static void test_long(void **state) {
    (void)state;
    struct model *model = tiny_model();
    struct fiction_wish wish;
    char request[4096] = "Write as Ann Lee about ";
    size_t length = strlen(request);
    memset(request + length, 'x', sizeof request - length - 1);
    request[sizeof request - 1] = '\0';
    assert_true(fiction_find(&wish, model, request));
    assert_int_equal(strlen(wish.topic), FICTION_TOPIC - 1);
    model_destroy(model);
}

static void test_handle(void **state) {
    (void)state;
    struct error error;
    struct model *model = tiny_model();
    struct handle handle;
    struct fiction_wish wish = {.author = "Cyd", .year = 1850};
    assert_int_equal(fiction_handle(&handle, &wish, model, &error), 0);
    assert_true(handle.is_told[0] && handle.is_told[1]);
    handle_free(&handle);
    wish.year = NAN;
    assert_int_equal(fiction_handle(&handle, &wish, model, &error), 0);
    assert_true(handle.is_told[0] && !handle.is_told[1]);
    handle_free(&handle);
    model_destroy(model);
}

static void test_doubts(void **state) {
    (void)state;
    char announced[FICTION_LINE + 32], line[FICTION_LINE];
    const struct fiction_wish wish = {.author = "Ann Lee"};
    fiction_announce(announced, &wish);
    strcat(announced, "Bread is dear.");
    struct chat_message messages[] = {{CHAT_USER, "Write as Ann Lee."},
                                      {CHAT_ASSISTANT, announced},
                                      {CHAT_USER, "Did she really say that?"}};
    assert_true(fiction_is_doubted(line, messages, 3));
    assert_non_null(strstr(line, "invented"));
    assert_non_null(strstr(line, "Ann Lee's words"));
    messages[2].content = "Write more of it.";
    assert_false(fiction_is_doubted(line, messages, 3));
    messages[2].content = "Is this real?";
    messages[1].content = "Bread is dear.";
    assert_false(fiction_is_doubted(line, messages, 3));
    assert_false(fiction_is_doubted(line, messages, 1));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds),
        cmocka_unit_test(test_long),
        cmocka_unit_test(test_handle),
        cmocka_unit_test(test_doubts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
