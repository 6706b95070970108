#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/chart.h"
#include "base/chart_canvas.h"
#include "base/chart_labels.h"
#include "base/chart_map.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"

static char directory[] = "/tmp/trine-chart-XXXXXX";
static char path[256];

static const char *path_of(const char *name) {
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

static int make_directory(void **state) {
    (void)state;
    return mkdtemp(directory) != NULL ? 0 : -1;
}

/* Fails when a test, or a failed picture, left a file behind. */
static int remove_directory(void **state) {
    (void)state;
    return rmdir(directory);
}

/* Checks that `name` begins with `magic`, and removes it. */
static void check_picture(const char *name, const char *magic) {
    struct error error;
    char *data;
    size_t bytes;
    assert_int_equal(file_read_all(path_of(name), 16 << 20, &data, &bytes, &error), 0);
    assert_true(bytes > 2000);
    assert_memory_equal(data, magic, strlen(magic));
    free(data);
    assert_int_equal(unlink(path_of(name)), 0);
}

static void place_crowd(struct chart_label *labels, size_t count, struct chart_box area) {
    struct random random;
    random_seed(&random, 7, count);
    for (size_t i = 0; i < count; i++)
        labels[i] = (struct chart_label){.x = 400 + 100 * random_normal(&random),
                                         .y = 300 + 70 * random_normal(&random),
                                         .width = 60 + 50 * random_uniform(&random),
                                         .height = 13};
    chart_labels_place(labels, count, area, 4);
}

/* 42 names in a crowd: all shown, none over another, none over a point, all on the page. */
static void test_labels(void **state) {
    (void)state;
    enum { COUNT = 42 };
    static struct chart_label labels[COUNT], again[COUNT];
    struct chart_box area = {0, 0, 800, 600};
    place_crowd(labels, COUNT, area);
    for (size_t i = 0; i < COUNT; i++) {
        struct chart_box box = labels[i].box;
        assert_false(labels[i].is_hidden);
        assert_true(box.left >= 0 && box.top >= 0 && box.right <= 800 && box.bottom <= 600);
        assert_true(fabs(box.right - box.left - labels[i].width) < 1e-9);
        for (size_t j = 0; j < COUNT; j++) {
            double x, y;
            chart_box_nearest(box, labels[j].x, labels[j].y, &x, &y);
            assert_true(hypot(x - labels[j].x, y - labels[j].y) > 4);
            assert_false(i != j && chart_boxes_overlap(box, labels[j].box));
        }
    }
    place_crowd(again, COUNT, area);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(labels[i].place, again[i].place);
}

/* More labels than there is room for: what is shown does not overlap. */
static void test_too_many_labels(void **state) {
    (void)state;
    enum { COUNT = 500 };
    static struct chart_label labels[COUNT];
    size_t hidden = 0;
    place_crowd(labels, COUNT, (struct chart_box){0, 0, 800, 600});
    for (size_t i = 0; i < COUNT; i++) {
        hidden += labels[i].is_hidden;
        for (size_t j = 0; j < i; j++) {
            struct chart_box a = labels[i].box, b = labels[j].box;
            double width = fmin(a.right, b.right) - fmax(a.left, b.left);
            double height = fmin(a.bottom, b.bottom) - fmax(a.top, b.top);
            if (!labels[i].is_hidden && !labels[j].is_hidden && width > 0 && height > 0)
                assert_true(width * height < 0.02 * 110 * 13);
        }
    }
    assert_true(hidden > 0 && hidden < COUNT);
    chart_labels_place(labels, 0, (struct chart_box){0}, 4);
}

static void check_ticks(double low, double high, bool is_log, size_t wanted, const char *expected) {
    struct chart_axis axis = {.low = low, .high = high, .is_log = is_log, .from = 0, .to = 1};
    struct chart_ticks ticks;
    char all[512] = "", text[32];
    chart_axis_settle(&axis, 0);
    chart_axis_ticks(&axis, wanted, &ticks);
    for (size_t i = 0; i < ticks.count; i++) {
        double at = chart_axis_map(&axis, ticks.values[i]);
        assert_true(at >= -1e-9 && at <= 1 + 1e-9);
        chart_tick_text(text, sizeof text, &ticks, i);
        strcat(strcat(all, i > 0 ? " " : ""), text);
    }
    assert_string_equal(all, expected);
}

static void test_ticks(void **state) {
    (void)state;
    check_ticks(0, 1, false, 5, "0.0 0.2 0.4 0.6 0.8 1.0");
    check_ticks(1790, 2020, false, 5, "1800 1850 1900 1950 2000");
    check_ticks(-3, 3, false, 6, "\u22123 \u22122 \u22121 0 1 2 3");
    check_ticks(0, 30000, false, 6, "0 5k 10k 15k 20k 25k 30k");
    check_ticks(0, 4e6, false, 4, "0 1M 2M 3M 4M");
    check_ticks(50000, 50003, false, 3, "50000 50001 50002 50003");
    check_ticks(16, 12000, true, 9, "20 50 100 200 500 1k 2k 5k 10k");
    check_ticks(0.001, 1e6, true, 9, "0.001 0.01 0.1 1 10 100 1k 10k 100k 1M");
    check_ticks(0, 0, false, 2, "\u22121 0 1");
    check_ticks(INFINITY, -INFINITY, false, 2, "0.0 0.5 1.0");
    check_ticks(0, 3e-7, false, 3, "0 1e-07 2e-07 3e-07");
}

/* Whatever the range, ticks come to an end, are few, and their texts fit. */
static void test_odd_ranges(void **state) {
    (void)state;
    static const double values[] = {-DBL_MAX, -1e300,       -1,   -1e-300, 0,      1e-300,
                                    1,        1.0000000001, 1e15, 1e300,   DBL_MAX};
    enum { COUNT = sizeof values / sizeof *values };
    for (size_t i = 0; i < COUNT; i++)
        for (size_t j = i; j < COUNT; j++)
            for (int is_log = 0; is_log <= (values[i] > 0); is_log++) {
                struct chart_axis axis = {
                    .low = values[i], .high = values[j], .is_log = is_log, .from = 0, .to = 1};
                struct chart_ticks ticks;
                char text[32];
                chart_axis_settle(&axis, 0.05);
                chart_axis_ticks(&axis, 6, &ticks);
                assert_true(ticks.count <= CHART_TICKS);
                for (size_t k = 0; k < ticks.count; k++) {
                    chart_tick_text(text, sizeof text, &ticks, k);
                    assert_true(isfinite(chart_axis_map(&axis, ticks.values[k])));
                }
            }
}

static void test_scatter(void **state) {
    (void)state;
    struct error error;
    const struct chart_point points[] = {
        {1, 2, 1850, "Ada <&> \"B\""}, {1, 2, 1860, "Bo"}, {1.5, 2.5, NAN, NULL},
        {NAN, 2, 3, "nowhere"},        {-4, 0, 1900, ""},  {2, INFINITY, 1900, "nowhere"},
    };
    struct chart_scatter chart = {.title = "Ünïcode – title",
                                  .x_title = "across",
                                  .y_title = "up",
                                  .colour_title = "year",
                                  .points = points,
                                  .point_count = 6};
    assert_int_equal(chart_scatter_write(path_of("a.png"), &chart, &error), 0);
    check_picture("a.png", "\x89PNG\r\n\x1a\n");
    chart.is_equal_scale = true;
    assert_int_equal(chart_scatter_write(path_of("a.SVG"), &chart, &error), 0);
    check_picture("a.SVG", "<?xml");
    assert_int_equal(chart_scatter_write(path_of("empty.svg"), &(struct chart_scatter){0}, &error),
                     0);
    check_picture("empty.svg", "<?xml");
}

static void test_lines(void **state) {
    (void)state;
    struct error error;
    const double x[] = {0, 1, 10, 100, 1000}, y[] = {1, 2, NAN, 3, 4};
    const double low[] = {0, 1, 2, NAN, 3}, high[] = {2, 3, 4, 5, INFINITY};
    struct chart_series series[12];
    for (size_t i = 0; i < 12; i++)
        series[i] = (struct chart_series){"a series with a rather long name", x, y, low, high, 5};
    series[1].low = NULL;
    series[2].count = 1;
    series[3].count = 0;
    struct chart_lines chart = {.series = series, .series_count = 12, .is_x_log = true};
    assert_int_equal(chart_lines_write(path_of("l.svg"), &chart, &error), 0);
    check_picture("l.svg", "<?xml");
    chart.is_x_log = false;
    chart.title = "lines";
    assert_int_equal(chart_lines_write(path_of("l.png"), &chart, &error), 0);
    check_picture("l.png", "\x89PNG");
    assert_int_equal(chart_lines_write(path_of("l.png"), &(struct chart_lines){0}, &error), 0);
    check_picture("l.png", "\x89PNG");
}

static void test_picture_refuses(void **state) {
    (void)state;
    struct error error;
    const struct chart_point bad[] = {{1, 2, 3, "\xff\xfe"}};
    struct chart_scatter chart = {.points = bad, .point_count = 1};
    assert_int_equal(chart_scatter_write(path_of("a.svg"), &chart, &error), -1);
    assert_non_null(strstr(error.message, "a.svg"));
    assert_int_equal(chart_scatter_write(path_of("a.png"), &chart, &error), -1);
    chart.point_count = 0;
    assert_int_equal(chart_scatter_write(path_of("a.jpg"), &chart, &error), -1);
    assert_non_null(strstr(error.message, ".svg or .png"));
    assert_int_equal(chart_scatter_write(path_of("none/a.svg"), &chart, &error), -1);
    chart.width = 1e9;
    assert_int_equal(chart_scatter_write(path_of("a.png"), &chart, &error), -1);
    chart.width = NAN;
    assert_int_equal(chart_scatter_write(path_of("a.png"), &chart, &error), -1);
    size_t in_use = memory_bytes_in_use();
    memory_fail_after(1);
    assert_int_equal(chart_scatter_write(path_of("a.png"), &chart, &error), -1);
    memory_fail_after(0);
    assert_int_equal(memory_bytes_in_use(), in_use);
}

static void check_plot(const struct chart_plot *plot, const char *expected) {
    struct error error;
    char *text = NULL;
    size_t bytes;
    FILE *stream = open_memstream(&text, &bytes);
    assert_non_null(stream);
    assert_int_equal(chart_plot_print(stream, plot, &error), 0);
    fclose(stream);
    assert_string_equal(text, expected);
    free(text);
}

static void test_plot(void **state) {
    (void)state;
    const double y[] = {0, 1, 2, 3}, low[] = {0, 0, 1, 3}, high[] = {2, 2, 3, 3};
    struct chart_plot plot = {.title = "t",
                              .x_title = "n",
                              .y = y,
                              .low = low,
                              .high = high,
                              .count = 4,
                              .width = 4,
                              .height = 2};
    check_plot(&plot, "   t\n"
                      "3 │░░▄▀\n"
                      "0 │▄▀░ \n"
                      "  └────\n"
                      "   0  n  3\n");
    /* Two points: the columns between them are filled in. */
    plot = (struct chart_plot){.y = y, .count = 2, .width = 8, .height = 2};
    check_plot(&plot, "1 │    ▄▄▀▀\n"
                      "0 │▄▄▀▀    \n"
                      "  └────────\n"
                      "   0      1\n");
    plot.count = 0;
    check_plot(&plot, "(nothing to plot)\n");
    const double odd[] = {NAN, 1e308, -1e308, INFINITY, 5};
    plot = (struct chart_plot){.y = odd, .x = odd, .count = 5, .width = 3, .height = 1};
    struct error error;
    FILE *stream = fopen("/dev/null", "w");
    assert_int_equal(chart_plot_print(stream, &plot, &error), 0);
    plot.width = SIZE_MAX;
    assert_int_equal(chart_plot_print(stream, &plot, &error), -1);
    plot.width = 3;
    for (size_t n = 1; n <= 3; n++) {
        size_t in_use = memory_bytes_in_use();
        memory_fail_after(n);
        assert_int_equal(chart_plot_print(stream, &plot, &error), -1);
        memory_fail_after(0);
        assert_int_equal(memory_bytes_in_use(), in_use);
    }
    fclose(stream);
}

static void check_sparkline(const double *values, size_t count, size_t width,
                            const char *expected) {
    struct error error;
    char *text = NULL;
    size_t bytes;
    FILE *stream = open_memstream(&text, &bytes);
    assert_non_null(stream);
    assert_int_equal(chart_sparkline_print(stream, values, count, width, &error), 0);
    fclose(stream);
    assert_string_equal(text, expected);
    free(text);
}

static void test_sparkline(void **state) {
    (void)state;
    const double values[] = {0, 1, 2, 3, 4, 5, 6, 7};
    check_sparkline(values, 8, 20, "▁▂▃▄▅▆▇█");
    check_sparkline(values, 8, 4, "▁▃▆█");
    check_sparkline(values, 1, 4, "▅");
    check_sparkline(values, 0, 4, "");
    check_sparkline((const double[]){NAN, 1, NAN, 0}, 4, 9, " █ ▁");
    check_sparkline((const double[]){NAN, NAN}, 2, 9, "  ");
}

/* Pacific, across the date line: a ring that jumps, a circle, points on both sides of it. */
static void test_map(void **state) {
    (void)state;
    double shares[6] = {0, 0.5, 1, NAN, 0.2, 2};
    const double longitudes[] = {170, -170, -170, 170}, latitudes[] = {-20, -20, -10, -10};
    const struct chart_map_line ring = {longitudes, latitudes, 4};
    const struct chart_point points[] = {{178, -18, NAN, "Suva"},
                                         {-171.8, -13.8, NAN, "Apia"},
                                         {0, 50, NAN, "not shown"},
                                         {NAN, NAN, NAN, "nowhere"}};
    struct chart_map map = {.title = "Pacific",
                            .west = 160,
                            .east = 200,
                            .south = -30,
                            .north = 0,
                            .shares = shares,
                            .rows = 2,
                            .columns = 3,
                            .coasts = &ring,
                            .coast_count = 1,
                            .circles = &ring,
                            .circle_count = 1,
                            .points = points,
                            .point_count = 4};
    struct error error;
    assert_int_equal(chart_map_write(path_of("map.png"), &map, &error), 0);
    check_picture("map.png", "\x89PNG");
    assert_int_equal(chart_map_write(path_of("map.svg"), &map, &error), 0);
    check_picture("map.svg", "<?xml");
    const struct chart_map windows[] = {{0},
                                        {.west = 5, .east = 5, .north = 1},
                                        {.east = 361, .north = 1},
                                        {.east = NAN, .north = 1},
                                        {.east = 1, .north = -1}};
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++)
        assert_int_equal(chart_map_write(path_of("map.svg"), &windows[i], &error), -1);
    map = (struct chart_map){.west = -180, .east = 180, .south = -90, .north = 90};
    assert_int_equal(chart_map_write(path_of("map.svg"), &map, &error), 0); /* an empty world */
    check_picture("map.svg", "<?xml");
    assert_int_equal(chart_map_write(path_of("map.txt"), &map, &error), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_labels),          cmocka_unit_test(test_too_many_labels),
        cmocka_unit_test(test_ticks),           cmocka_unit_test(test_odd_ranges),
        cmocka_unit_test(test_scatter),         cmocka_unit_test(test_lines),
        cmocka_unit_test(test_picture_refuses), cmocka_unit_test(test_plot),
        cmocka_unit_test(test_sparkline),       cmocka_unit_test(test_map),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
