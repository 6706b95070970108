/* trine read: who wrote a text and when, and how that became clear. */
#include <getopt.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/chart.h"
#include "base/memory.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/place_map.h"
#include "cli/show.h"
#include "dream/decide.h"
#include "dream/evaluate.h"
#include "dream/place_belief.h"
#include "dream/read.h"

enum { DRAWN_LABELS = 5, DRAWN_TOKENS = 400 };

/* What is kept of each token's belief: for a date its median and interval; for a place its middle
 * and circles; for labels their entropy, the likeliest one and its probability. */
struct trace_point {
    double median, low, high;
    struct place_summary place;
    double entropy, probability;
    size_t label;
};

struct run {
    const char *model_path, *base_path, *text_path, *caption, *json_path, *svg_path, *svg_slot,
        *map_path, *gazetteer_path;
    int by_token;
    size_t top, candidates;
    struct decision decision; /* the writer's, on the first slot with labels */
    size_t decided;           /* that slot */
    struct model *model;
    struct gazetteer *gazetteer;
    struct slot_state *states;
    struct handle handle;
    size_t tokens;
    struct trace_point *trace; /* [tokens][slots] */
    size_t trace_capacity;
    char *text; /* the bytes of all tokens, and where each ends */
    size_t text_capacity;
    size_t *ends, ends_capacity;
    double *log_odds; /* [the most points of any slot] */
    double *history;  /* [tokens][points of the drawn slot], when labels are drawn */
    size_t history_capacity;
    struct error *error;
    int failed;
};

static const char HELP[] =
    "usage: trine read --model MODEL.gguf FILE|- [OPTIONS]\n\n"
    "Reads a text, or a picture (a PNG file), token by token and tells who made it and when, with\n"
    "how sure it is, and how that sharpened on the way.\n\n"
    "  --caption TEXT      the text that stands before the picture\n"
    "  --by-token          one line for each token: what it did to the belief\n"
    "  --top N             so many labels of each slot (5)\n"
    "  --decide N          let the writer decide among the reader's N likeliest authors: slower,\n"
    "                      and a little surer\n"
    "  --svg FILE          draws how the belief sharpened (.svg or .png)\n"
    "  --slot NAME         the slot to draw (the date, if there is one)\n"
    "  --map FILE          draws where the text may come from (.svg or .png)\n"
    "  --json [FILE]       the belief as JSON; with --by-token also the trace\n" BASE_HELP
        GAZETTEER_HELP "\n"
    "example: trine read --model demo/sotu.gguf speech.txt --svg speech.svg";

static int parse(struct run *run, int argc, char **argv, struct error *error) {
    static const struct option OPTIONS[] = {
        {"model", required_argument, NULL, 'm'}, {"base", required_argument, NULL, 'B'},
        {"by-token", no_argument, NULL, 'b'},    {"caption", required_argument, NULL, 'c'},
        {"top", required_argument, NULL, 't'},   {"decide", required_argument, NULL, 'd'},
        {"svg", required_argument, NULL, 's'},   {"slot", required_argument, NULL, 'l'},
        {"map", required_argument, NULL, 'M'},   {"gazetteer", required_argument, NULL, 'G'},
        {"json", optional_argument, NULL, 'j'},  {0}};
    int option;
    while ((option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1) {
        if (option == 'm')
            run->model_path = optarg;
        else if (option == 'B')
            run->base_path = optarg;
        else if (option == 'b')
            run->by_token = 1;
        else if (option == 'c')
            run->caption = optarg;
        else if (option == 's')
            run->svg_path = optarg;
        else if (option == 'l')
            run->svg_slot = optarg;
        else if (option == 'M')
            run->map_path = optarg;
        else if (option == 'G')
            run->gazetteer_path = optarg;
        else if (option == 'j')
            run->json_path = option_optional_file(argc, argv);
        else if (option != 't' && option != 'd')
            return error_set(error, "see trine read --help");
        else if (option == 't'
                     ? option_count(&run->top, "--top", 1, 1000, error)
                     : option_count(&run->candidates, "--decide", 2, MAXIMUM_CANDIDATES, error))
            return -1;
    }
    if (run->model_path == NULL || optind + 1 != argc)
        return error_set(
            error, "--model and one text or picture (a file, or - for standard input) are needed");
    run->text_path = argv[optind];
    return 0;
}

/* The slot to draw: the one asked for, or the first date, or the first slot. */
static const struct slot *drawn_slot(const struct run *run) {
    const struct slots *slots = &run->model->slots;
    if (run->svg_slot != NULL)
        return slots_find(slots, run->svg_slot);
    for (size_t s = 0; s < slots->count; s++)
        if (slots->slots[s].kind == LATENT_DATE)
            return &slots->slots[s];
    return &slots->slots[0];
}

static int keep_token(struct run *run, const struct read_state *state) {
    size_t slot_count = run->model->slots.count,
           end = run->tokens == 0 ? 0 : run->ends[run->tokens - 1];
    if (memory_grow(&run->trace, &run->trace_capacity, (run->tokens + 1) * slot_count,
                    sizeof *run->trace, run->error) ||
        memory_grow(&run->text, &run->text_capacity, end + state->text_bytes, 1, run->error) ||
        memory_grow(&run->ends, &run->ends_capacity, run->tokens + 1, sizeof *run->ends,
                    run->error))
        return -1;
    memcpy(run->text + end, state->text, state->text_bytes);
    run->ends[run->tokens] = end + state->text_bytes;
    return 0;
}

static int keep_history(struct run *run, const struct slot *slot) {
    size_t count = slot->point_count;
    if (memory_grow(&run->history, &run->history_capacity, (run->tokens + 1) * count,
                    sizeof *run->history, run->error))
        return -1;
    for (size_t i = 0; i < count; i++)
        run->history[run->tokens * count + i] = exp(run->log_odds[i]);
    return 0;
}

static void summarise(struct trace_point *point, const struct slot *slot, const double *log_odds) {
    *point = (struct trace_point){0};
    for (size_t i = 0; i < slot->point_count; i++) {
        double p = exp(log_odds[i]);
        point->entropy -= p * log_odds[i];
        if (p > point->probability) {
            point->probability = p;
            point->label = i;
        }
    }
    if (slot->kind == LATENT_PLACE)
        point->place = place_summarise(slot, log_odds);
    if (slot->kind == LATENT_DATE) {
        struct date_summary date = date_summarise(slot, log_odds);
        point->median = date.median;
        point->low = date.low;
        point->high = date.high;
    }
}

static int receive(void *context, const struct read_state *state) {
    struct run *run = context;
    const struct slots *slots = &run->model->slots;
    const struct slot *drawn = run->svg_path != NULL ? drawn_slot(run) : NULL;
    run->failed = keep_token(run, state);
    for (size_t s = 0; s < slots->count && !run->failed; s++) {
        const struct slot *slot = &slots->slots[s];
        read_belief(run->model, s, state->mean, state->precision, state->tokens, run->states,
                    run->log_odds);
        summarise(&run->trace[run->tokens * slots->count + s], slot, run->log_odds);
        if (slot == drawn && slot->kind == LATENT_CATEGORICAL)
            run->failed = keep_history(run, slot);
    }
    run->tokens++;
    return run->failed;
}

/* log_odds <- the belief after the whole text. */
static void final_belief(struct run *run, size_t s) {
    read_belief(run->model, s, run->handle.mean, run->handle.precision, run->tokens, run->states,
                run->log_odds);
    if (s == run->decided)
        decision_apply(&run->decision, &run->model->slots.slots[s], run->log_odds);
}

/* Lets the writer decide, if that was asked for and there is a slot with labels. */
static int decide(struct run *run, const struct token_list *list, struct error *error) {
    const struct slots *slots = &run->model->slots;
    while (run->decided < slots->count && slots->slots[run->decided].kind != LATENT_CATEGORICAL)
        run->decided++;
    if (run->candidates == 0 || run->decided == slots->count)
        return 0;
    return decision_of_document(&run->decision, run->model, list, run->decided, run->candidates,
                                (size_t)omp_get_max_threads(), error);
}

static double *column(const struct run *run, size_t s, size_t offset, struct error *error) {
    double *values = memory_allocate(run->tokens, sizeof *values, error);
    for (size_t t = 0; values != NULL && t < run->tokens; t++)
        values[t] = *(const double *)(const void *)((const char *)&run
                                                        ->trace[t * run->model->slots.count + s] +
                                                    offset);
    return values;
}

static int plot_date(const struct run *run, size_t s, struct error *error) {
    double *y = column(run, s, offsetof(struct trace_point, median), error);
    double *low = column(run, s, offsetof(struct trace_point, low), error);
    double *high = column(run, s, offsetof(struct trace_point, high), error);
    struct chart_plot plot = {.title = run->model->slots.slots[s].name,
                              .x_title = "tokens read",
                              .y = y,
                              .low = low,
                              .high = high,
                              .count = run->tokens};
    int result = !y || !low || !high ? -1 : chart_plot_print(stdout, &plot, error);
    memory_free(y);
    memory_free(low);
    memory_free(high);
    return result;
}

static int print_uncertainty(const struct run *run, size_t s, struct error *error) {
    double *entropy = column(run, s, offsetof(struct trace_point, entropy), error);
    if (entropy == NULL)
        return -1;
    printf("  uncertainty as it was read  ");
    int result = chart_sparkline_print(stdout, entropy, run->tokens, 48, error);
    printf("  %.2f to %.2f nats\n", entropy[0], entropy[run->tokens - 1]);
    memory_free(entropy);
    return result;
}

static int print_belief(struct run *run, struct error *error) {
    const struct slots *slots = &run->model->slots;
    printf("%zu tokens read\n", run->tokens);
    for (size_t s = 0; s < slots->count; s++) {
        const struct slot *slot = &slots->slots[s];
        final_belief(run, s);
        if (show_belief(stdout, slot, run->log_odds, run->top, run->gazetteer, error) ||
            (slot->kind == LATENT_DATE ? plot_date(run, s, error)
                                       : print_uncertainty(run, s, error)))
            return -1;
    }
    return 0;
}

/* A token's bytes with control characters made visible. */
static void print_token(const char *text, size_t length) {
    putchar('"');
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\')
            printf("\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            printf("\\x%02x", c);
        else
            putchar(c);
    }
    putchar('"');
}

static void print_trace(const struct run *run) {
    const struct slots *slots = &run->model->slots;
    printf("token\ttext");
    static const char *const HEADS[] = {"\t%s\tprobability", "\t%s\tlow\thigh", "\t%s\twithin km"};
    for (size_t s = 0; s < slots->count; s++)
        printf(HEADS[slots->slots[s].kind], slots->slots[s].name);
    printf("\n");
    for (size_t t = 0; t < run->tokens; t++) {
        size_t start = t == 0 ? 0 : run->ends[t - 1];
        printf("%zu\t", t + 1);
        print_token(run->text + start, run->ends[t] - start);
        for (size_t s = 0; s < slots->count; s++) {
            const struct slot *slot = &slots->slots[s];
            const struct trace_point *point = &run->trace[t * slots->count + s];
            if (slot->kind == LATENT_DATE)
                printf("\t%.1f\t%.1f\t%.1f", point->median, point->low, point->high);
            else if (slot->kind == LATENT_PLACE)
                printf("\t%.1f,%.1f\t%.0f", point->place.middle.latitude,
                       point->place.middle.longitude, point->place.radius_90);
            else
                printf("\t%s\t%.4f", slot->labels[point->label], point->probability);
        }
        printf("\n");
    }
}

static json_t *trace_point_to_json(const struct slot *slot, const struct trace_point *p) {
    if (slot->kind == LATENT_DATE)
        return json_pack("{s:f, s:f, s:f}", "median", p->median, "low", p->low, "high", p->high);
    if (slot->kind == LATENT_PLACE)
        return json_pack("{s:f, s:f, s:f, s:f}", "latitude", p->place.middle.latitude, "longitude",
                         p->place.middle.longitude, "kilometres_50", p->place.radius_50,
                         "kilometres_90", p->place.radius_90);
    return json_pack("{s:s, s:f, s:f}", "label", slot->labels[p->label], "probability",
                     p->probability, "entropy", p->entropy);
}

static json_t *trace_to_json(const struct run *run) {
    const struct slots *slots = &run->model->slots;
    json_t *trace = json_array();
    for (size_t t = 0; t < run->tokens; t++) {
        json_t *point = json_object();
        json_object_set_new(point, "end_byte", json_integer((json_int_t)run->ends[t]));
        for (size_t s = 0; s < slots->count; s++) {
            const struct slot *slot = &slots->slots[s];
            const struct trace_point *p = &run->trace[t * slots->count + s];
            json_object_set_new(point, slot->name, trace_point_to_json(slot, p));
        }
        json_array_append_new(trace, point);
    }
    return trace;
}

static int print_json(struct run *run, struct error *error) {
    const struct slots *slots = &run->model->slots;
    json_t *beliefs = json_object();
    for (size_t s = 0; s < slots->count; s++) {
        final_belief(run, s);
        json_object_set_new(
            beliefs, slots->slots[s].name,
            belief_to_json(&slots->slots[s], run->log_odds, run->top, run->gazetteer));
    }
    json_t *json = json_pack("{s:I, s:o, s:o}", "tokens", (json_int_t)run->tokens, "slots", beliefs,
                             "handle", handle_to_json(&run->handle));
    if (json != NULL && run->by_token)
        json_object_set_new(json, "trace", trace_to_json(run));
    int result = json == NULL ? error_set(error, "out of memory")
                              : option_write_json(json, run->json_path, error);
    json_decref(json);
    return result;
}

/* x[tokens] <- the tokens to draw, counted from 1: as many as a logarithmic axis can show. Returns
 * how many. */
static size_t choose_tokens(double *x, size_t tokens) {
    double step = log((double)tokens) / DRAWN_TOKENS;
    size_t count = 0;
    for (size_t t = 1; t <= tokens; t++)
        if (count == 0 || t == tokens || log((double)t) - log(x[count - 1]) >= step)
            x[count++] = (double)t;
    return count;
}

/* values[tokens] -> those of the chosen tokens, in place. */
static void keep_chosen(double *values, const double *x, size_t count) {
    for (size_t i = 0; values != NULL && i < count; i++)
        values[i] = values[(size_t)x[i] - 1];
}

static int draw_labels(struct run *run, const struct slot *slot, const double *x, size_t points,
                       struct chart_lines *chart, struct error *error) {
    struct chart_series series[DRAWN_LABELS] = {0};
    size_t count = slot->point_count, drawn = count < DRAWN_LABELS ? count : DRAWN_LABELS;
    size_t *order = memory_allocate(count, sizeof *order, error);
    double *y = memory_allocate(drawn * points, sizeof *y, error);
    int result = order == NULL || y == NULL ? -1 : 0;
    if (result == 0) {
        final_belief(run, (size_t)(slot - run->model->slots.slots));
        belief_order(order, run->log_odds, count);
        for (size_t i = 0; i < drawn; i++) {
            for (size_t t = 0; t < points; t++)
                y[i * points + t] = run->history[((size_t)x[t] - 1) * count + order[i]];
            series[i] = (struct chart_series){
                .name = slot->labels[order[i]], .x = x, .y = y + i * points, .count = points};
        }
        chart->series = series;
        chart->series_count = drawn;
        chart->y_title = "probability";
        result = chart_lines_write(run->svg_path, chart, error);
    }
    memory_free(order);
    memory_free(y);
    return result;
}

/* How small the circles became that hold the belief. */
static int draw_circles(const struct run *run, size_t s, const double *x, size_t points,
                        struct chart_lines *chart, struct error *error) {
    size_t offset = offsetof(struct trace_point, place);
    double *half = column(run, s, offset + offsetof(struct place_summary, radius_50), error);
    double *most = column(run, s, offset + offsetof(struct place_summary, radius_90), error);
    keep_chosen(half, x, points);
    keep_chosen(most, x, points);
    struct chart_series series[2] = {{.name = "90 %", .x = x, .y = most, .count = points},
                                     {.name = "50 %", .x = x, .y = half, .count = points}};
    chart->series = series;
    chart->series_count = 2;
    chart->y_title = "kilometres around the middle";
    int result = half == NULL || most == NULL ? -1 : chart_lines_write(run->svg_path, chart, error);
    memory_free(half);
    memory_free(most);
    return result;
}

static int draw(struct run *run, struct error *error) {
    const struct slot *slot = drawn_slot(run);
    size_t s = (size_t)(slot - run->model->slots.slots);
    double *x = memory_allocate(run->tokens, sizeof *x, error);
    if (x == NULL)
        return -1;
    size_t count = choose_tokens(x, run->tokens);
    struct chart_lines chart = {
        .title = "As the text is read", .x_title = "tokens read", .is_x_log = true};
    int result;
    if (slot->kind == LATENT_CATEGORICAL) {
        result = draw_labels(run, slot, x, count, &chart, error);
    } else if (slot->kind == LATENT_PLACE) {
        result = draw_circles(run, s, x, count, &chart, error);
    } else {
        double *y = column(run, s, offsetof(struct trace_point, median), error);
        double *low = column(run, s, offsetof(struct trace_point, low), error);
        double *high = column(run, s, offsetof(struct trace_point, high), error);
        keep_chosen(y, x, count);
        keep_chosen(low, x, count);
        keep_chosen(high, x, count);
        struct chart_series series = {"median, and 90 % interval", x, y, low, high, count};
        chart.series = &series;
        chart.series_count = 1;
        chart.y_title = slot->name;
        result = !y || !low || !high ? -1 : chart_lines_write(run->svg_path, &chart, error);
        memory_free(y);
        memory_free(low);
        memory_free(high);
    }
    memory_free(x);
    return result;
}

static int draw_map(struct run *run, struct error *error) {
    const struct slot *slot = slots_place(&run->model->slots);
    final_belief(run, (size_t)(slot - run->model->slots.slots));
    return place_map_write(run->map_path, slot, run->log_odds, run->top, run->gazetteer,
                           option_gazetteer_path(run->gazetteer_path), error);
}

static int execute(struct run *run, struct error *error) {
    struct token_list list = {0};
    size_t points = 1;
    run->error = error;
    if (model_load_on(&run->model, run->model_path, run->base_path, PRECISION_BF16, error) ||
        option_gazetteer(&run->gazetteer, run->model, run->gazetteer_path, error))
        return -1;
    const struct slots *slots = &run->model->slots;
    if (slots->count == 0)
        return error_set(error, "%s was trained without latents: it cannot read", run->model_path);
    if (run->svg_path != NULL && drawn_slot(run) == NULL)
        return error_set(error, "the model has no slot '%s' to draw", run->svg_slot);
    if (run->map_path != NULL && slots_place(&run->model->slots) == NULL)
        return error_set(error, "the model has no slot of places to map");
    for (size_t s = 0; s < slots->count; s++)
        points = slots->slots[s].point_count > points ? slots->slots[s].point_count : points;
    run->log_odds = memory_allocate(points, sizeof *run->log_odds, error);
    if (run->log_odds == NULL || model_slot_states(run->model, &run->states, error) ||
        handle_create(&run->handle, run->model, error))
        return -1;
    int result = option_document(&list, run->model, run->text_path, run->caption, 1, error) ||
                 read_document(&run->handle, NULL, run->model, &list, receive, run, error) ||
                 run->failed || decide(run, &list, error);
    free(list.ids);
    if (result == 0 && run->svg_path != NULL)
        result = draw(run, error);
    if (result == 0 && run->map_path != NULL)
        result = draw_map(run, error);
    if (result == 0 && run->json_path != NULL)
        result = print_json(run, error);
    else if (result == 0 && run->by_token)
        print_trace(run);
    else if (result == 0)
        result = print_belief(run, error);
    return result ? -1 : 0;
}

int command_read(int argc, char **argv) {
    struct run run = {.top = 5};
    struct error error;
    if (option_wants_help(argc, argv, HELP))
        return 0;
    int status = parse(&run, argc, argv, &error) ? 2 : execute(&run, &error) ? 1 : 0;
    if (status != 0)
        fprintf(stderr, "trine read: %s\n", error.message);
    memory_free(run.log_odds);
    free(run.trace);
    free(run.text);
    free(run.ends);
    free(run.history);
    if (run.model != NULL)
        slot_states_destroy(run.states, run.model->slots.count);
    handle_free(&run.handle);
    model_destroy(run.model);
    gazetteer_close(run.gazetteer);
    return status;
}
