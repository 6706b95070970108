#include "good/odds_report.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "text/jsonl.h"
#include "truth/passage.h"

static int is_question(const json_t *json) {
    const json_t *answers = json_object_get(json, "answers"), *answer;
    size_t i;
    if (!json_is_string(json_object_get(json, "question")) || json_array_size(answers) == 0)
        return 0;
    json_array_foreach(answers, i, answer) if (!json_is_string(answer)) return 0;
    return 1;
}

static int add(struct questions *q, const struct jsonl_line *line, const char *path,
               struct error *error) {
    json_t *json = line->is_too_long
                       ? NULL
                       : json_loadb(line->data, line->bytes, JSON_REJECT_DUPLICATES, NULL);
    if (json == NULL || !is_question(json)) {
        json_decref(json);
        return error_set(error, "%s:%zu: {\"question\": TEXT, \"answers\": [TEXT, ...]} is wanted",
                         path, line->number);
    }
    if (memory_grow(&q->items, &q->capacity, q->count + 1, sizeof *q->items, error)) {
        json_decref(json);
        return -1;
    }
    q->items[q->count++] = json;
    return 0;
}

int questions_read(struct questions *q, const char *path, struct error *error) {
    struct jsonl_source source = {.name = path, .descriptor = -1};
    struct jsonl_reader *reader;
    struct jsonl_line line = {.data = ""};
    if (jsonl_open(&reader, &source, 1, QUESTION_LINE_LIMIT, error))
        return -1;
    int result = 0;
    while (result == 0 && (result = jsonl_next(reader, &line, error)) == 0 && line.data != NULL)
        if (line.bytes > 0)
            result = add(q, &line, path, error);
    jsonl_close(reader);
    return result;
}

void questions_free(struct questions *q) {
    for (size_t i = 0; i < q->count; i++)
        json_decref(q->items[i]);
    free(q->items);
    *q = (struct questions){0};
}

const char *questions_text(const struct questions *q, size_t place) {
    return json_string_value(json_object_get(q->items[place], "question"));
}

static int holds_answer(const json_t *item, const char *reply) {
    const json_t *answer;
    size_t i;
    json_array_foreach(json_object_get(item, "answers"), i, answer) {
        const char *text = json_string_value(answer);
        if (reply_holds(reply, &text, 1))
            return 1;
    }
    return 0;
}

static int ask(struct answered *a, size_t place, const struct questions *q, struct replier *replier,
               struct judge *judge, const struct questions_options *options, struct error *error) {
    const struct chat_message message = {CHAT_USER, questions_text(q, place)};
    const struct reply_options own = {.tokens = options->tokens};
    const struct claims_pricer pricer = claims_pricer_of(judge);
    struct reply_chosen chosen;
    if (candidates_reply(&chosen, replier, &pricer, &message, 1, &own, options->candidates, error))
        return -1;
    a->evidence[place] = chosen.evidence;
    a->is_right[place] = (uint8_t)(!chosen.declines && holds_answer(q->items[place], chosen.text));
    a->replies[place] = chosen.text;
    chosen.text = NULL;
    reply_chosen_free(&chosen);
    return 0;
}

int questions_ask(struct answered *a, const struct questions *q, struct replier *replier,
                  struct judge *judge, const struct questions_options *options,
                  questions_callback *callback, void *context, struct error *error) {
    *a = (struct answered){.count = q->count};
    a->replies = memory_allocate(q->count, sizeof *a->replies, error);
    a->evidence = memory_allocate(q->count, sizeof *a->evidence, error);
    a->is_right = memory_allocate(q->count, 1, error);
    int result = a->replies == NULL || a->evidence == NULL || a->is_right == NULL ? -1 : 0;
    for (size_t i = 0; result == 0 && i < q->count; i++) {
        result = ask(a, i, q, replier, judge, options, error);
        if (callback != NULL)
            callback(context, i + 1, q->count);
    }
    if (result != 0)
        answered_free(a);
    return result;
}

void answered_free(struct answered *a) {
    for (size_t i = 0; a->replies != NULL && i < a->count; i++)
        free(a->replies[i]);
    memory_free(a->replies);
    memory_free(a->evidence);
    memory_free(a->is_right);
    *a = (struct answered){0};
}

int odds_report_make(struct odds_report *report, const struct odds *odds, const struct answered *a,
                     struct error *error) {
    double *said = memory_allocate(a->count, sizeof *said, error);
    double *outcomes = memory_allocate(a->count, sizeof *outcomes, error);
    size_t right = 0;
    int result = said == NULL || outcomes == NULL ? -1 : 0;
    *report = (struct odds_report){0};
    for (size_t i = 0; result == 0 && i < a->count; i++) {
        said[i] = odds_probability(odds, &a->evidence[i]);
        outcomes[i] = a->is_right[i];
        right += a->is_right[i];
        report->tenths[odds_tenth(said[i])].count++;
        report->tenths[odds_tenth(said[i])].right += a->is_right[i];
    }
    report->right = share_of(right, a->count);
    if (result == 0)
        result = judgement_report_make(&report->judgement, said, outcomes, a->count, error);
    memory_free(said);
    memory_free(outcomes);
    return result;
}

void odds_report_print(FILE *stream, const struct odds_report *r) {
    fprintf(stream, "%zu questions, right %.3f (%.3f to %.3f)\n", r->judgement.count,
            r->right.value, r->right.low, r->right.high);
    fprintf(stream, "ROC area %.3f, Brier score %.4f (%.4f with the same odds for all), ",
            r->judgement.area, r->judgement.brier, r->right.value * (1 - r->right.value));
    fprintf(stream, "calibration error %.4f\n", r->judgement.calibration_error);
    for (int tenth = 0; tenth <= 10; tenth++) {
        struct share share = share_of(r->tenths[tenth].right, r->tenths[tenth].count);
        if (r->tenths[tenth].count > 0)
            fprintf(stream, "  says %3d %%: right %.3f (%.3f to %.3f) of %zu\n", 10 * tenth,
                    share.value, share.low, share.high, r->tenths[tenth].count);
    }
}

json_t *odds_report_to_json(const struct odds_report *r) {
    json_t *tenths = json_array();
    for (int tenth = 0; tenth <= 10; tenth++)
        json_array_append_new(tenths, json_pack("{s:i, s:I, s:I}", "says", 10 * tenth, "count",
                                                (json_int_t)r->tenths[tenth].count, "right",
                                                (json_int_t)r->tenths[tenth].right));
    return json_pack("{s:f, s:o, s:o}", "right", r->right.value, "said", tenths, "judgement",
                     judgement_report_to_json(&r->judgement));
}

/* Of a reply that was cut within a character, too. The caller decrefs; NULL when out of memory. */
static json_t *line_of(const struct answered *a, size_t place, const char *question,
                       const struct odds *odds) {
    char *reply = strdup(a->replies[place]);
    if (reply == NULL)
        return NULL;
    reply[text_tidy(reply, strlen(reply))] = '\0';
    json_t *json = json_pack("{s:s, s:s, s:b, s:f, s:f, s:f}", "question", question, "reply", reply,
                             "right", a->is_right[place], "claim", a->evidence[place].claim,
                             "certainty", a->evidence[place].certainty, "odds",
                             odds_probability(odds, &a->evidence[place]));
    free(reply);
    return json;
}

int answered_write(const struct answered *a, const struct questions *q, const struct odds *odds,
                   const char *path, struct error *error) {
    struct file_writer writer;
    if (file_writer_open(&writer, path, error))
        return -1;
    for (size_t i = 0; i < a->count; i++) {
        json_t *json = line_of(a, i, questions_text(q, i), odds);
        int failed = json == NULL ||
                     json_dumpf(json, writer.stream, JSON_COMPACT | JSON_REAL_PRECISION(6)) ||
                     fputc('\n', writer.stream) == EOF;
        json_decref(json);
        if (failed) {
            file_writer_abort(&writer);
            return error_set(error, "%s could not be written", path);
        }
    }
    return file_writer_commit(&writer, error);
}
