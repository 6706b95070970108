#include "truth/asking.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { SEQUENCES = 8, TIME_STEP = 16, MOST_TIME = 160 };

static const struct {
    const char *before, *after, *yes, *no;
} FRAMES[FRAME_COUNT] = {
    {"", "\nTrue or false? This statement is", " true", " false"},
    {"Claim: ", "\nThe claim is", " correct", " wrong"},
    {"Question: Is it true that \"", "\"?\nAnswer:", " Yes", " No"},
};

static int first_token(struct asking *a, const char *text, uint32_t *token, struct error *error) {
    struct token_list list = {0};
    int result = tokenizer_encode(a->model->tokenizer, a->cache, text, strlen(text), &list, error);
    if (result == 0 && list.count == 0)
        result = error_set(error, "this model has no token for \"%s\"", text);
    if (result == 0)
        *token = list.ids[0];
    free(list.ids);
    return result;
}

int asking_create(struct asking *a, const struct model *model, struct error *error) {
    size_t width = model->config.width;
    struct weights weights = model_weights(model);
    struct matrix output = weights_output(&weights);
    *a = (struct asking){.model = model};
    a->answer_rows = memory_allocate(2 * FRAME_COUNT * width, sizeof *a->answer_rows, error);
    if (a->answer_rows == NULL || tokenizer_cache_create(&a->cache, error)) {
        asking_free(a);
        return -1;
    }
    for (size_t f = 0; f < FRAME_COUNT; f++) {
        if (first_token(a, FRAMES[f].yes, &a->yes[f], error) ||
            first_token(a, FRAMES[f].no, &a->no[f], error)) {
            asking_free(a);
            return -1;
        }
        matrix_load_row(a->answer_rows + 2 * f * width, &output, a->yes[f]);
        matrix_load_row(a->answer_rows + (2 * f + 1) * width, &output, a->no[f]);
    }
    return 0;
}

void asking_free(struct asking *a) {
    tokenizer_cache_destroy(a->cache);
    memory_free(a->answer_rows);
    *a = (struct asking){0};
}

int asking_encode(struct asking *a, const char *statement, size_t frame, size_t time,
                  int32_t *tokens, size_t *length, struct error *error) {
    const struct tokenizer *tokenizer = a->model->tokenizer;
    const char *parts[] = {FRAMES[frame].before, statement, FRAMES[frame].after};
    char *text = NULL;
    size_t bytes = 0;
    struct token_list list = {0};
    FILE *stream = open_memstream(&text, &bytes);
    if (stream == NULL)
        return error_set(error, "out of memory");
    for (int i = 0; i < 3; i++)
        fputs(parts[i], stream);
    fclose(stream);
    int result = tokenizer_encode(tokenizer, a->cache, text, bytes, &list, error);
    free(text);
    if (result == 0) {
        uint32_t begin = tokenizer_end_of_text(tokenizer);
        size_t start = begin < tokenizer_vocabulary_size(tokenizer), room = time - start;
        size_t dropped = list.count > room ? list.count - room : 0;
        memset(tokens, 0, time * sizeof *tokens);
        if (start > 0)
            tokens[0] = (int32_t)begin;
        for (size_t i = dropped; i < list.count; i++)
            tokens[start + i - dropped] = (int32_t)list.ids[i];
        *length = start + list.count - dropped;
    }
    free(list.ids);
    return result;
}

/* One statement in one frame. */
struct question {
    int32_t *tokens; /* [length] */
    size_t length, statement, frame;
};

static int compare_lengths(const void *x, const void *y) {
    const struct question *a = x, *b = y;
    if (a->length != b->length)
        return a->length < b->length ? -1 : 1;
    return a->tokens < b->tokens ? -1 : a->tokens > b->tokens;
}

/* What one thread needs for questions of up to `time` tokens. */
struct asker {
    struct weights weights;
    struct pass *pass;
    size_t time;
    real *told, *mask, *output;
    int32_t *tokens;
};

static void asker_free(struct asker *k) {
    pass_destroy(k->pass);
    memory_free(k->told);
    memory_free(k->output);
    memory_free(k->tokens);
    k->pass = NULL;
    k->told = k->output = NULL;
    k->tokens = NULL;
}

/* A pass of the right length, made anew when questions get longer. */
static int asker_fit(struct asker *k, const struct asked *asked, size_t length,
                     struct error *error) {
    const struct config *c = k->weights.config;
    size_t width = c->latent_width;
    if (k->pass != NULL && length <= k->time)
        return 0;
    asker_free(k);
    k->time = (length + TIME_STEP - 1) / TIME_STEP * TIME_STEP;
    k->told = memory_allocate(2 * SEQUENCES * width, sizeof(real), error);
    k->output = memory_allocate(c->width, sizeof(real), error);
    k->tokens = memory_allocate(SEQUENCES * k->time, sizeof *k->tokens, error);
    if (k->told == NULL || k->output == NULL || k->tokens == NULL ||
        pass_create(&k->pass, &k->weights, SEQUENCES, k->time, 0, error))
        return -1;
    k->mask = k->told + SEQUENCES * width;
    for (size_t i = 0; i < SEQUENCES * width; i++) {
        const struct pass_handle *h = asked->handle;
        if (asked->layer != NULL) {
            k->told[i] = layer_vector(asked->layer)[i % width];
            k->mask[i] = 1;
        } else if (h != NULL && h->told_mask != NULL) {
            k->told[i] = h->told[i % width];
            k->mask[i] = h->told_mask[i % width];
        }
    }
    return 0;
}

/* The difference of the two answers' logits after a question's last token. */
static double answer_gap(const struct asking *a, struct asker *k, const struct question *q,
                         size_t sequence) {
    size_t width = a->model->config.width;
    const real *yes = a->answer_rows + 2 * q->frame * width, *no = yes + width;
    double gap = 0;
    operand_load(k->output,
                 operand_at(pass_output(k->pass), (sequence * k->time + q->length - 1) * width,
                            k->weights.precision),
                 width, k->weights.precision);
    for (size_t i = 0; i < width; i++)
        gap += (double)k->output[i] * (double)(yes[i] - no[i]);
    return gap;
}

static int ask_some(const struct asking *a, struct asker *k, const struct asked *asked,
                    const struct question *questions, size_t count, double *gaps,
                    struct error *error) {
    if (asker_fit(k, asked, questions[count - 1].length, error))
        return -1;
    memset(k->tokens, 0, SEQUENCES * k->time * sizeof *k->tokens);
    for (size_t i = 0; i < count; i++)
        memcpy(k->tokens + i * k->time, questions[i].tokens,
               questions[i].length * sizeof *k->tokens);
    struct pass_handle handle = {.told = k->told, .told_mask = k->mask};
    pass_read(k->pass, k->tokens, &handle);
    pass_write(k->pass, &handle, NULL, NULL);
    for (size_t i = 0; i < count; i++)
        gaps[questions[i].statement * FRAME_COUNT + questions[i].frame] =
            answer_gap(a, k, &questions[i], i);
    return 0;
}

/* Questions in order of length, so that a batch wastes little. */
static int ask_all(const struct asking *a, const struct asked *asked,
                   const struct question *questions, size_t count, size_t threads, double *gaps,
                   struct error *error) {
    int failed = 0;
#pragma omp parallel num_threads((int)threads) reduction(| : failed)
    {
        struct error own;
        struct asker asker = {.weights = asked->layer != NULL ? layer_weights(asked->layer)
                                                              : model_weights(a->model)};
#pragma omp for schedule(dynamic, 1)
        for (size_t first = 0; first < count; first += SEQUENCES) {
            size_t some = count - first < SEQUENCES ? count - first : SEQUENCES;
            if (!failed && ask_some(a, &asker, asked, questions + first, some, gaps, &own)) {
                failed = 1;
#pragma omp critical(asking_error)
                *error = own;
            }
        }
        asker_free(&asker);
    }
    return failed ? -1 : 0;
}

int asking_log_odds(struct asking *a, const struct asked *asked, const char *const *statements,
                    size_t count, size_t threads, double *log_odds, struct error *error) {
    size_t total = count * FRAME_COUNT, time = MOST_TIME;
    struct question *questions = memory_allocate(total, sizeof *questions, error);
    int32_t *tokens = memory_allocate(total * time, sizeof *tokens, error);
    double *gaps = memory_allocate(total, sizeof *gaps, error);
    int result = questions == NULL || tokens == NULL || gaps == NULL ? -1 : 0;
    for (size_t i = 0; result == 0 && i < total; i++) {
        struct question *q = &questions[i];
        *q = (struct question){
            .tokens = tokens + i * time, .statement = i / FRAME_COUNT, .frame = i % FRAME_COUNT};
        result = asking_encode(a, statements[q->statement], q->frame, time, q->tokens, &q->length,
                               error);
    }
    if (result == 0) {
        qsort(questions, total, sizeof *questions, compare_lengths);
        result = ask_all(a, asked, questions, total, threads, gaps, error);
    }
    for (size_t i = 0; result == 0 && i < count; i++) {
        log_odds[i] = 0;
        for (size_t f = 0; f < FRAME_COUNT; f++)
            log_odds[i] += gaps[i * FRAME_COUNT + f] / FRAME_COUNT;
    }
    memory_free(questions);
    memory_free(tokens);
    memory_free(gaps);
    return result;
}

double asking_probability(double log_odds, const double *calibration) {
    return 1 / (1 + exp(-(calibration[0] * log_odds + calibration[1])));
}

void asking_calibrate(const double *log_odds, const uint8_t *labels, size_t count,
                      double *calibration) {
    enum { NEWTON_STEPS = 50 };
    const double prior = 1; /* as much as a statement or so */
    double scale = 1, shift = 0;
    for (int step = 0; step < NEWTON_STEPS; step++) {
        double g0 = prior * (scale - 1), g1 = prior * shift, h00 = prior, h01 = 0, h11 = prior;
        for (size_t i = 0; i < count; i++) {
            double p = asking_probability(log_odds[i], (double[]){scale, shift});
            double wrong = p - labels[i], spread = p * (1 - p);
            g0 += wrong * log_odds[i];
            g1 += wrong;
            h00 += spread * log_odds[i] * log_odds[i];
            h01 += spread * log_odds[i];
            h11 += spread;
        }
        double determinant = h00 * h11 - h01 * h01;
        scale -= (h11 * g0 - h01 * g1) / determinant;
        shift -= (h00 * g1 - h01 * g0) / determinant;
    }
    calibration[0] = scale;
    calibration[1] = shift;
}
