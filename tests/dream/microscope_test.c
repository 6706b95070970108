/* What the microscope sees of a little model and a corpus full of hostile names, and its page. */
#include "dream/microscope.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cancellation.h"
#include "dream/microscope_page.h"
#include "dream/microscope_private.h"
#include "text/corpus_build.h"
#include "truth/tiny_model.h"

#define HOSTILE "</script></style><img src=x onerror=alert(1)>"

struct fixture {
    char directory[64], path[3][128]; /* manifest, documents, corpus */
    struct model *model;
    struct corpus *corpus;
};

static void write_documents(const char *path) {
    static const char *const NAMES[] = {"Ann Lee", HOSTILE, "Cyd"};
    FILE *stream = fopen(path, "w");
    assert_non_null(stream);
    for (int i = 0; i < 18; i++) {
        fprintf(stream, "{\"id\":\"d%d <b onclick='x'>\",\"who\":\"%s\",\"year\":%d,\"text\":\"", i,
                NAMES[i % 3], 1800 + 5 * i);
        for (int j = 0; j < 5; j++)
            fprintf(stream, "the fox is quick %d true false ", i * j % (5 + i % 3));
        fprintf(stream, "\"}\n");
    }
    fclose(stream);
}

/* The second author gets the hostile name, and all stand far apart, so that it matters where on a
 * component one writes. */
static void start(struct fixture *f) {
    struct error error;
    struct corpus_build_summary summary;
    f->model = tiny_model();
    struct slot *authors = &f->model->slots.slots[0];
    free(authors->labels[1]);
    authors->labels[1] = strdup(HOSTILE);
    real *table = f->model->values + (model_slot_parameters(f->model) - f->model->values) +
                  authors->parameters + authors->width;
    for (size_t i = 0; i < authors->point_count * authors->width; i++)
        table[i] *= 40;
    model_refresh_operands(f->model);
    strcpy(f->directory, "/tmp/trine-microscope-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    static const char *const FILES[] = {"manifest.json", "documents.jsonl", "corpus"};
    for (int i = 0; i < 3; i++) {
        strcpy(f->path[i], f->directory);
        strcat(strcat(f->path[i], "/"), FILES[i]);
    }
    FILE *stream = fopen(f->path[0], "w");
    fputs(
        "{\"name\":\"a <corpus>\",\"text\":\"text\",\"id\":[\"id\"],\"vocabulary\":300,\"slots\":{"
        "\"author\":{\"kind\":\"categorical\",\"field\":\"who\"},"
        "\"date\":{\"kind\":\"date\",\"field\":\"year\"}},"
        "\"held_out\":{\"documents\":[\"d0 <b onclick='x'>\",\"d1 <b onclick='x'>\","
        "\"d2 <b onclick='x'>\",\"d9 <b onclick='x'>\"]}}",
        stream);
    fclose(stream);
    write_documents(f->path[1]);
    const char *files[] = {f->path[1]};
    struct corpus_build_options options = {.manifest_path = f->path[0],
                                           .out_directory = f->path[2],
                                           .files = files,
                                           .file_count = 1,
                                           .tokenizer = f->model->tokenizer};
    if (corpus_build(&options, &summary, &error) || corpus_open(&f->corpus, f->path[2], &error))
        fail_msg("%s", error.message);
}

static void finish(struct fixture *f) {
    char command[128];
    corpus_close(f->corpus);
    model_destroy(f->model);
    snprintf(command, sizeof command, "rm -rf '%s'", f->directory);
    assert_int_equal(system(command), 0);
}

static struct microscope_options options_of(const struct fixture *f, uint64_t seed) {
    return (struct microscope_options){.slot = &f->model->slots.slots[0],
                                       .command = "trine atlas --prompt '<i>'",
                                       .components = 5,
                                       .samples = 1,
                                       .tokens = 16,
                                       .seed = seed,
                                       .disputed = 5,
                                       .threads = 2};
}

static json_t *look(const struct fixture *f, uint64_t seed) {
    struct error error;
    struct microscope_options options = options_of(f, seed);
    json_t *content;
    if (microscope_create(&content, f->model, f->corpus, &options, &error))
        fail_msg("%s", error.message);
    return content;
}

static const char *text_at(const json_t *component, size_t index) {
    return json_string_value(
        json_object_get(json_array_get(json_object_get(component, "texts"), index), "text"));
}

static void test_components(void **state) {
    (void)state;
    struct fixture f;
    start(&f);
    json_t *content = look(&f, 3), *other = look(&f, 4), *component;
    json_t *components = json_object_get(content, "components");
    size_t index, changed = 0;
    assert_int_equal(json_array_size(components), 2); /* three points span a plane */
    json_array_foreach(components, index, component) {
        assert_string_not_equal(text_at(component, 0), text_at(component, 2));
        assert_true(json_array_size(json_object_get(component, "low_words")) > 0);
        changed +=
            strcmp(text_at(component, 0),
                   text_at(json_array_get(json_object_get(other, "components"), index), 0)) != 0;
    }
    /* The mean is one point, whichever component one stands on. */
    assert_string_equal(text_at(json_array_get(components, 0), 1),
                        text_at(json_array_get(components, 1), 1));
    assert_true(changed > 0); /* the seed matters, so that equal means are no accident */
    json_decref(content);
    json_decref(other);
    finish(&f);
}

/* Against the points themselves. */
static void test_neighbours(void **state) {
    (void)state;
    struct fixture f;
    start(&f);
    json_t *content = look(&f, 3), *neighbours = json_object_get(content, "neighbours");
    const struct slot *slot = &f.model->slots.slots[0];
    const real *log_sigma = model_slot_parameters(f.model) + slot->parameters;
    const real *points = log_sigma + slot->width;
    double least = INFINITY;
    for (size_t a = 0; a < 3; a++)
        for (size_t b = 0; b < a; b++) {
            double sum = 0;
            for (size_t d = 0; d < slot->width; d++)
                sum += pow((double)(points[a * slot->width + d] - points[b * slot->width + d]) /
                               exp((double)log_sigma[d]),
                           2);
            least = fmin(least, sqrt(sum));
        }
    json_t *closest = json_array_get(json_object_get(neighbours, "pairs"), 0);
    assert_true(fabs(json_number_value(json_array_get(closest, 2)) - least) < 1e-3 * least);
    assert_int_equal(json_array_size(json_object_get(neighbours, "tree")), 2);
    json_t *near = json_array_get(json_object_get(neighbours, "nearest"), 1);
    assert_int_equal(json_array_size(near), 2); /* of three labels, two are others */
    json_decref(content);
    finish(&f);
}

static void test_dates_and_disputed(void **state) {
    (void)state;
    struct fixture f;
    start(&f);
    json_t *content = look(&f, 3);
    json_t *curve = json_array_get(json_object_get(content, "dates"), 0);
    assert_true(fabs(json_number_value(json_object_get(curve, "first")) - 1800) < 1e-9);
    assert_true(fabs(json_number_value(json_object_get(curve, "last")) - 1885) < 1e-9);
    assert_true(json_array_size(json_object_get(curve, "points")) > 100);
    static const int EXPECTED[2] = {4, 5}; /* held out, and as many training documents as wanted */
    for (size_t k = 0; k < 2; k++) {
        json_t *split =
            json_array_get(json_object_get(json_object_get(content, "disputed"), "labels"), k);
        json_t *cases = json_object_get(split, "cases"), *item;
        size_t index;
        assert_int_equal(json_integer_value(json_object_get(split, "labelled")), EXPECTED[k]);
        assert_int_equal(json_integer_value(json_object_get(split, "agreeing")) +
                             (json_int_t)json_array_size(cases),
                         EXPECTED[k]);
        json_array_foreach(cases, index, item) {
            json_t *first = json_array_get(json_object_get(item, "said"), 0);
            assert_string_not_equal(json_string_value(json_object_get(item, "label")),
                                    json_string_value(json_array_get(first, 0)));
        }
    }
    json_decref(content);
    finish(&f);
}

static char *page_of(const json_t *content) {
    struct error error;
    char *page;
    size_t size;
    FILE *stream = open_memstream(&page, &size);
    if (microscope_page_write(stream, content, &error))
        fail_msg("%s", error.message);
    fclose(stream);
    assert_int_equal(strlen(page), size); /* no byte of value 0 */
    return page;
}

static size_t count(const char *text, const char *part) {
    size_t found = 0;
    for (; (text = strstr(text, part)) != NULL; text += strlen(part))
        found++;
    return found;
}

static void test_page(void **state) {
    (void)state;
    struct fixture f;
    start(&f);
    json_t *content = look(&f, 3), *again = look(&f, 3), *other = look(&f, 4);
    char *page = page_of(content), *same = page_of(again), *differs = page_of(other);
    assert_string_equal(page, same);
    assert_string_not_equal(page, differs);
    assert_true(strstr(page, "&lt;/script&gt;&lt;/style&gt;&lt;img src=x onerror=alert(1)&gt;") !=
                NULL);
    assert_int_equal(count(page, "<img"), 0);
    assert_int_equal(count(page, "<b onclick"), 0);
    assert_int_equal(count(page, "<script"), 1);
    assert_int_equal(count(page, "</script"), 1);
    assert_int_equal(count(page, "</style"), 1);
    assert_true(strstr(page, "default-src 'none'") != NULL);
    static const char *const NETWORK[] = {"http:", "https:", "url(", "@import", "src=\"", "<link"};
    for (size_t i = 0; i < sizeof NETWORK / sizeof *NETWORK; i++)
        assert_int_equal(count(page, NETWORK[i]), 0);
    assert_int_equal(count(page, "<section"), 5);
    assert_true(strstr(page, "a &lt;corpus&gt;") != NULL);
    free(page);
    free(same);
    free(differs);
    json_decref(content);
    json_decref(again);
    json_decref(other);
    finish(&f);
}

static void test_nothing_to_show(void **state) {
    (void)state;
    struct error error;
    json_t *empty = json_object();
    FILE *stream = fopen("/dev/null", "w");
    assert_int_equal(microscope_page_write(stream, empty, &error), -1);
    fclose(stream);
    json_decref(empty);
}

static void test_legible(void **state) {
    (void)state;
    static const char BYTES[] = "a\xff\x1b[31m\n\xe2\x80\xae"
                                "b\0c\xc3";
    json_t *text = microscope_text(BYTES, sizeof BYTES - 1);
    assert_string_equal(json_string_value(text), "a\xef\xbf\xbd\xef\xbf\xbd[31m\n\xef\xbf\xbd"
                                                 "b\xef\xbf\xbd"
                                                 "c\xef\xbf\xbd");
    json_decref(text);
}

static int leave_after(void *context) {
    return --*(int *)context < 0;
}

/* Given up at any point, it leaves nothing behind: the leak sanitizer looks. */
static void test_given_up(void **state) {
    (void)state;
    struct fixture f;
    struct error error;
    json_t *content;
    start(&f);
    struct microscope_options options = options_of(&f, 3);
    int questions;
    for (int left = 0; left < 64; left += 1 + left) {
        questions = left;
        cancellation_set(leave_after, &questions);
        int result = microscope_create(&content, f.model, f.corpus, &options, &error);
        cancellation_set(NULL, NULL);
        if (result == 0) {
            json_decref(content);
            assert_true(left > 5);
            finish(&f);
            return;
        }
        assert_null(content);
    }
    fail_msg("it asks more often than this test thinks");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_components),
                                       cmocka_unit_test(test_neighbours),
                                       cmocka_unit_test(test_dates_and_disputed),
                                       cmocka_unit_test(test_page),
                                       cmocka_unit_test(test_nothing_to_show),
                                       cmocka_unit_test(test_legible),
                                       cmocka_unit_test(test_given_up)};
    omp_set_num_threads(1); /* so little is not worth two, which wait for each other */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
