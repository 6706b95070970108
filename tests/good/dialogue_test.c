#include "good/dialogue.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmocka_all.h"

/* Reads a text as a file; what it says when it is refused. */
static int read_text(struct dialogues *dialogues, const char *text, int are_requests,
                     struct error *error) {
    char path[] = "/tmp/trine-dialogue-XXXXXX";
    int descriptor = mkstemp(path);
    *dialogues = (struct dialogues){0};
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, text, strlen(text)), strlen(text));
    close(descriptor);
    int result = are_requests ? requests_read(dialogues, path, error)
                              : dialogues_read(dialogues, path, error);
    unlink(path);
    return result;
}

static void test_reads_all_forms(void **state) {
    (void)state;
    struct error error;
    struct dialogues d;
    assert_int_equal(
        read_text(&d,
                  "{\"prompt\": \"Hello?\", \"reply\": \"Hello.\", \"kind\": \"helpful\", "
                  "\"values\": {\"warm-cool\": -0.5}}\n\n"
                  "{\"prompt\": [{\"role\": \"user\", \"text\": \"a\"}, {\"role\": \"assistant\", "
                  "\"content\": \"b\"}, {\"role\": \"user\", \"text\": \"c\"}], \"chosen\": \"d\", "
                  "\"rejected\": \"e\", \"other\": 1}\n"
                  "{\"chosen\": \"\\n\\nHuman: f\\n\\nAssistant: g\\n\\nHuman: h\\n\\nAssistant: "
                  "i\", \"rejected\": \"\\n\\nHuman: f\\n\\nAssistant: g\\n\\nHuman: "
                  "h\\n\\nAssistant: j\"}",
                  0, &error),
        0);
    assert_int_equal(d.count, 3);
    assert_string_equal(d.items[0].messages[0].content, "Hello?");
    assert_string_equal(d.items[0].reply, "Hello.");
    assert_string_equal(d.items[0].kind, "helpful");
    assert_null(d.items[0].worse);
    assert_true(json_number_value(json_object_get(d.items[0].values, "warm-cool")) == -0.5);
    assert_null(d.items[1].values);
    assert_int_equal(d.items[1].count, 3);
    assert_int_equal(d.items[1].messages[1].role, CHAT_ASSISTANT);
    assert_string_equal(d.items[1].messages[1].content, "b");
    assert_string_equal(d.items[1].worse, "e");
    assert_int_equal(d.items[2].count, 3);
    assert_string_equal(d.items[2].messages[0].content, "f");
    assert_string_equal(d.items[2].messages[1].content, "g");
    assert_string_equal(d.items[2].messages[2].content, "h");
    assert_string_equal(d.items[2].reply, "i");
    assert_string_equal(d.items[2].worse, "j");
    dialogues_free(&d);
}

static void test_refuses(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } CASES[] = {
        {"", "no dialogue"},
        {"[1]", "a JSON object is wanted"},
        {"{\"prompt\": \"a\"", ":1:"},
        {"{\"prompt\": \"a\"}", "either \"reply\""},
        {"{\"prompt\": \"a\", \"reply\": \"\"}", "empty"},
        {"{\"prompt\": \"a\", \"chosen\": \"b\"}", "either \"reply\""},
        {"{\"prompt\": \"a\", \"reply\": \"b\", \"chosen\": \"b\", \"rejected\": \"c\"}",
         "either \"reply\""},
        {"{\"prompt\": \"a\", \"reply\": \"b\", \"values\": {\"x\": 2}}", "from -1 to 1"},
        {"{\"prompt\": \"a\", \"reply\": \"b\", \"values\": {\"x\": \"1\"}}", "from -1 to 1"},
        {"{\"prompt\": \"a\", \"reply\": \"b\", \"values\": {\"X y\": 1}}", "the name of one"},
        {"{\"prompt\": \"a\", \"reply\": \"b\", \"values\": {}}", "one at least"},
        {"{\"prompt\": \"a\", \"reply\": \"b\", \"values\": [1]}", "one at least"},
        {"{\"prompt\": \"a\", \"chosen\": \"b\", \"rejected\": \"c\", \"values\": {\"x\": 1}}",
         "belong to an example"},
        {"{\"prompt\": 3, \"reply\": \"b\"}", "\"prompt\" must be"},
        {"{\"prompt\": [], \"reply\": \"b\"}", "\"prompt\" must be"},
        {"{\"prompt\": [{\"role\": \"assistant\", \"text\": \"a\"}], \"reply\": \"b\"}",
         "must alternate"},
        {"{\"prompt\": [{\"role\": \"user\", \"text\": \"a\"}, {\"role\": \"assistant\", "
         "\"text\": \"a\"}], \"reply\": \"b\"}",
         "last turn"},
        {"{\"chosen\": \"hm\", \"rejected\": \"hm\"}", "transcripts"},
        {"{\"chosen\": \"\\n\\nHuman: a\\n\\nAssistant: b\", \"rejected\": \"\\n\\nHuman: "
         "x\\n\\nAssistant: b\"}",
         "differ"},
        {"{\"chosen\": \"\\n\\nAssistant: b\\n\\nAssistant: c\", \"rejected\": \"\\n\\nAssistant: "
         "b\\n\\nAssistant: d\"}",
         "take turns"},
    };
    struct error error;
    struct dialogues d;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        assert_int_equal(read_text(&d, CASES[i].text, 0, &error), -1);
        if (strstr(error.message, CASES[i].message) == NULL)
            fail_msg("%zu: '%s' lacks '%s'", i, error.message, CASES[i].message);
        dialogues_free(&d);
    }
}

static void test_requests(void **state) {
    (void)state;
    struct error error;
    struct dialogues d;
    assert_int_equal(
        read_text(&d, "{\"prompt\": \"a\", \"label\": \"unsafe\", \"id\": 3}", 1, &error), 0);
    assert_string_equal(d.items[0].kind, "unsafe");
    dialogues_free(&d);
    assert_int_equal(read_text(&d, "{\"prompt\": \"a\", \"label\": \"bad\"}", 1, &error), -1);
    assert_non_null(strstr(error.message, "\"safe\" or \"unsafe\""));
    dialogues_free(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_all_forms),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
