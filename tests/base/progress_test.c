/* What a long job shows can be looked at by others. */
#include "cmocka_all.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/progress.h"

static char directory[] = "/tmp/trine-jobs-XXXXXX";

static size_t count_jobs(void) {
    struct error error;
    json_t *all = progress_jobs(directory, &error);
    assert_non_null(all);
    size_t count = json_array_size(json_object_get(all, "jobs"));
    json_decref(all);
    return count;
}

static void test_note(void **state) {
    (void)state;
    struct error error;
    struct progress progress;
    setenv(PROGRESS_JOBS, directory, 1);
    progress_set_name("train");
    assert_int_equal(count_jobs(), 0);
    progress_start(&progress, 0, 100);
    progress_show(&progress, 25, 1, "loss %.2f \"quoted\" %s", 1.25, "\xff");
    progress_show(&progress, 26, 1, "loss %.2f \"quoted\"", 1.5);
    json_t *all = progress_jobs(directory, &error);
    assert_non_null(all);
    const json_t *job = json_array_get(json_object_get(all, "jobs"), 0);
    assert_string_equal(json_string_value(json_object_get(job, "name")), "train");
    assert_string_equal(json_string_value(json_object_get(job, "text")), "loss 1.50 \"quoted\"");
    assert_int_equal(json_integer_value(json_object_get(job, "done")), 26);
    assert_int_equal(json_integer_value(json_object_get(job, "total")), 100);
    assert_int_equal(json_integer_value(json_object_get(job, "process")), getpid());
    assert_true(json_real_value(json_object_get(job, "seconds_left")) >= 0);
    json_decref(all);
    progress_finish(&progress);
    assert_int_equal(count_jobs(), 0);
}

/* A job that was killed, a file of somebody else's, one that is cut off: none of them is a job. */
static void test_others(void **state) {
    (void)state;
    char path[200];
    const char *good = "{\"name\":\"a\",\"done\":1,\"total\":2,\"text\":\"\",\"seconds_left\":0.5}";
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    waitpid(child, NULL, 0);
    const struct {
        long process;
        const char *suffix, *content;
        size_t count;
    } cases[] = {{getpid(), ".json", good, 1},
                 {child, ".json", good, 0},
                 {getpid(), ".txt", good, 0},
                 {getpid(), ".json", "{\"name\":\"a\",\"done\":1,", 0},
                 {getpid(), ".json", "[1]", 0},
                 {getpid(), ".json",
                  "{\"name\":7,\"done\":1,\"total\":2,\"text\":\"\",\"seconds_left\":0}", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(path, sizeof path, "%s/%ld%s", directory, cases[i].process, cases[i].suffix);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fputs(cases[i].content, file);
        fclose(file);
        assert_int_equal(count_jobs(), cases[i].count);
        unlink(path);
    }
    struct error error;
    assert_null(progress_jobs("/nowhere/at/all", &error));
    assert_non_null(strstr(error.message, "/nowhere/at/all"));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_note), cmocka_unit_test(test_others)};
    if (mkdtemp(directory) == NULL)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(directory);
    return failed;
}
