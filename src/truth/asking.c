#include "truth/asking.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cancellation.h"
#include "base/memory.h"
#include "model/batcher.h"

/* Rows of one pass: enough that unpacking the weights for it costs little beside the products. */
enum { PASS_ROWS = 1024, MOST_SEQUENCES = 64, TIME_STEP = 8 };
/* After the frames: a statement by itself, and its last words after a beginning that says nothing.
 */
enum { BY_ITSELF = FRAME_COUNT, ELSEWHERE };
static const char NEUTRAL[] = "The answer is";
/* How much of what last words are worth elsewhere is taken off; by the area under the ROC curve
 * over 1,861 statements about seven topics (doc/truth.md), 0: 0.593, 1/2: 0.637, 1: 0.597. */
static const double ELSEWHERE_SHARE = 0.5;

static const struct {
    const char *before, *after, *answers[ANSWER_COUNT];
} FRAMES[FRAME_COUNT] = {
    {"", "\nTrue or false? This statement is", {" true", " false", " uncertain"}},
    {"Claim: ", "\nThe claim is", {" correct", " wrong", " unclear"}},
    {"Question: Is it true that \"", "\"?\nAnswer:", {" Yes", " No", " Maybe"}},
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

static int read_neutral(struct asking *a, struct error *error) {
    struct token_list list = {0};
    int result =
        tokenizer_encode(a->model->tokenizer, a->cache, NEUTRAL, strlen(NEUTRAL), &list, error);
    for (size_t i = 0; result == 0 && i < list.count && i < NEUTRAL_TOKENS; i++)
        a->neutral[a->neutral_count++] = (int32_t)list.ids[i];
    free(list.ids);
    return result;
}

static int add_frame(struct asking *a, size_t frame, const struct matrix *output,
                     struct error *error) {
    size_t width = a->model->config.width, f = a->frame_count;
    uint32_t *own = a->answers[f];
    for (size_t k = 0; k < ANSWER_COUNT; k++) {
        if (first_token(a, FRAMES[frame].answers[k], &own[k], error))
            return -1;
        matrix_load_row(a->answer_rows + (f * ANSWER_COUNT + k) * width, output, own[k]);
    }
    a->frames[f] = frame;
    a->frame_count += own[0] != own[1] && own[0] != own[2] && own[1] != own[2];
    return 0;
}

int asking_create(struct asking *a, const struct model *model, struct error *error) {
    struct weights weights = model_weights(model);
    struct matrix output = weights_output(&weights);
    *a = (struct asking){.model = model};
    a->answer_rows = memory_allocate(FRAME_COUNT * ANSWER_COUNT * model->config.width,
                                     sizeof *a->answer_rows, error);
    int result =
        a->answer_rows == NULL || tokenizer_cache_create(&a->cache, error) || read_neutral(a, error)
            ? -1
            : 0;
    for (size_t frame = 0; result == 0 && frame < FRAME_COUNT; frame++)
        result = add_frame(a, frame, &output, error);
    if (result == 0 && a->frame_count == 0)
        result = error_set(error, "the model's vocabulary is too small to be asked: words such as "
                                  "\"true\", \"false\" and \"uncertain\" begin alike in it");
    if (result != 0)
        asking_free(a);
    return result;
}

void asking_free(struct asking *a) {
    tokenizer_cache_destroy(a->cache);
    memory_free(a->answer_rows);
    *a = (struct asking){0};
}

int asking_encode(struct asking *a, const char *statement, size_t frame, size_t time,
                  int32_t *tokens, size_t *length, struct error *error) {
    const struct tokenizer *tokenizer = a->model->tokenizer;
    int is_framed = frame < FRAME_COUNT;
    size_t text_of = is_framed ? a->frames[frame] : 0;
    const char *parts[] = {is_framed ? FRAMES[text_of].before : "", statement,
                           is_framed ? FRAMES[text_of].after : ""};
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

size_t asking_heard_from(size_t length) {
    return length > HEARD_TOKENS ? length - HEARD_TOKENS : 1;
}

/* One statement in one frame; what is found out goes to `place`. */
struct question {
    int32_t *tokens; /* [length] */
    size_t length, place, frame;
    size_t heard; /* the first token that is heard; 0: the statement is asked */
};

/* What comes before the last words gives way to the neutral beginning. */
static void set_elsewhere(const struct asking *a, struct question *q) {
    size_t start =
        tokenizer_end_of_text(a->model->tokenizer) < tokenizer_vocabulary_size(a->model->tokenizer);
    size_t tail = q->length > q->heard ? q->length - q->heard : 0;
    memmove(q->tokens + start + a->neutral_count, q->tokens + q->heard, tail * sizeof *q->tokens);
    memcpy(q->tokens + start, a->neutral, a->neutral_count * sizeof *q->tokens);
    q->heard = start + a->neutral_count;
    q->length = q->heard + tail;
}

static int make_question(struct asking *a, struct question *q, const char *statement,
                         struct error *error) {
    size_t frame = q->frame < BY_ITSELF ? q->frame : BY_ITSELF;
    if (asking_encode(a, statement, frame, QUESTION_TIME, q->tokens, &q->length, error))
        return -1;
    if (q->frame >= BY_ITSELF)
        q->heard = asking_heard_from(q->length);
    if (q->frame == ELSEWHERE)
        set_elsewhere(a, q);
    return 0;
}

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
    size_t time, sequences;
    real *told, *mask, *output, *losses;
    int32_t *tokens, *targets;
};

static void asker_free(struct asker *k) {
    pass_destroy(k->pass);
    memory_free(k->told);
    memory_free(k->output);
    memory_free(k->losses);
    memory_free(k->tokens);
    k->pass = NULL;
    k->told = k->output = k->losses = NULL;
    k->tokens = NULL;
}

static void set_handle(struct asker *k, const struct asked *asked) {
    size_t width = k->weights.config->latent_width;
    const struct pass_handle *h = asked->handle;
    for (size_t i = 0; i < k->sequences * width; i++) {
        if (asked->layer != NULL) {
            k->told[i] = layer_vector(asked->layer)[i % width];
            k->mask[i] = 1;
        } else if (h != NULL && h->told_mask != NULL) {
            k->told[i] = h->told[i % width];
            k->mask[i] = h->told_mask[i % width];
        }
    }
}

/* A pass for this many questions of this length, made anew when it does not fit. */
static int asker_fit(struct asker *k, const struct asked *asked, size_t length, size_t count,
                     struct error *error) {
    const struct config *c = k->weights.config;
    size_t width = c->latent_width;
    if (k->pass != NULL && length <= k->time && count <= k->sequences)
        return 0;
    asker_free(k);
    k->time = (length + TIME_STEP - 1) / TIME_STEP * TIME_STEP;
    k->sequences = count;
    k->told = memory_allocate(2 * count * width, sizeof(real), error);
    k->output = memory_allocate(c->width, sizeof(real), error);
    k->losses = memory_allocate(count * k->time, sizeof(real), error);
    k->tokens = memory_allocate(2 * count * k->time, sizeof *k->tokens, error);
    if (k->told == NULL || k->output == NULL || k->losses == NULL || k->tokens == NULL ||
        pass_create(&k->pass, &k->weights, count, k->time, 0, error))
        return -1;
    k->targets = k->tokens + count * k->time;
    k->mask = k->told + count * width;
    set_handle(k, asked);
    return 0;
}

/* What was found out about one question. */
struct finding {
    double logits[ANSWER_COUNT];
    double heard; /* of a statement by itself */
};

static void read_answers(const struct asking *a, struct asker *k, const struct question *q,
                         size_t sequence, struct finding *finding) {
    size_t width = a->model->config.width;
    operand_load(k->output,
                 operand_at(pass_output(k->pass), (sequence * k->time + q->length - 1) * width,
                            k->weights.precision),
                 width, k->weights.precision);
    for (size_t n = 0; n < ANSWER_COUNT; n++) {
        const real *row = a->answer_rows + (q->frame * ANSWER_COUNT + n) * width;
        finding->logits[n] = 0;
        for (size_t i = 0; i < width; i++)
            finding->logits[n] += (double)k->output[i] * (double)row[i];
    }
}

/* A question's tokens, and for a statement by itself what its last ones should be. */
static void place_question(struct asker *k, const struct question *q, size_t sequence) {
    int32_t *tokens = k->tokens + sequence * k->time, *targets = k->targets + sequence * k->time;
    memset(tokens, 0, k->time * sizeof *tokens);
    memcpy(tokens, q->tokens, q->length * sizeof *tokens);
    for (size_t i = 0; i < k->time; i++)
        targets[i] = q->heard > 0 && i + 1 >= q->heard && i + 1 < q->length ? q->tokens[i + 1] : -1;
}

static int ask_some(const struct asking *a, struct asker *k, const struct asked *asked,
                    const struct question *questions, size_t count, struct finding *findings,
                    struct error *error) {
    int is_heard = questions[0].heard > 0;
    if (asker_fit(k, asked, questions[count - 1].length, count, error))
        return -1;
    memset(k->tokens, 0, k->sequences * k->time * sizeof *k->tokens);
    memset(k->targets, -1, k->sequences * k->time * sizeof *k->targets);
    for (size_t i = 0; i < count; i++)
        place_question(k, &questions[i], i);
    struct pass_handle handle = {.told = k->told, .told_mask = k->mask};
    pass_read(k->pass, k->tokens, &handle);
    pass_write(k->pass, &handle, is_heard ? k->targets : NULL, k->losses);
    for (size_t i = 0; i < count; i++) {
        struct finding *finding = &findings[questions[i].place];
        if (!is_heard)
            read_answers(a, k, &questions[i], i, finding);
        finding->heard = 0;
        for (size_t t = 0; is_heard && t < questions[i].length; t++)
            finding->heard -= (double)k->losses[i * k->time + t];
    }
    return 0;
}

/* Where the batch that begins at `first` ends: questions are in order of length, and a pass has at
 * most PASS_ROWS rows. */
static size_t batch_end(const struct question *questions, size_t count, size_t first, size_t most) {
    size_t end = first + 1;
    while (end < count && end - first < most &&
           (end - first + 1) * (questions[end].length + TIME_STEP) <= PASS_ROWS)
        end++;
    return end;
}

/* Batches starts[b] .. starts[b + 1] of the questions, and what is found of them. */
struct batches {
    const struct asking *asking;
    const struct asked *asked;
    const struct question *questions;
    const size_t *starts;
    size_t first, end; /* of the piece that is run */
    size_t threads;
    struct asker *askers; /* [threads] */
    struct finding *findings;
    struct error *error;
    int failed;
};

/* Every thread takes whole batches. */
static void ask_batches(void *context) {
    struct batches *batches = context;
    const size_t *starts = batches->starts;
    int failed = 0;
#pragma omp parallel for num_threads((int)batches->threads) schedule(dynamic, 1)                   \
    reduction(|                                                                                    \
              : failed)
    for (size_t b = batches->first; b < batches->end; b++) {
        struct error own;
        if (!failed && ask_some(batches->asking, &batches->askers[omp_get_thread_num()],
                                batches->asked, batches->questions + starts[b],
                                starts[b + 1] - starts[b], batches->findings, &own)) {
            failed = 1;
#pragma omp critical(asking_error)
            *batches->error = own;
        }
    }
    batches->failed |= failed;
}

static int create_askers(struct batches *all, struct error *error) {
    const struct asked *asked = all->asked;
    all->askers = memory_allocate(all->threads, sizeof *all->askers, error);
    for (size_t i = 0; all->askers != NULL && i < all->threads; i++) {
        all->askers[i].weights =
            asked->layer != NULL ? layer_weights(asked->layer) : model_weights(all->asking->model);
        all->askers[i].weights.unpacked = asked->unpacked;
    }
    return all->askers == NULL ? -1 : 0;
}

/* Where others decode meanwhile they get their turn whenever each thread has done a batch, and so
 * does whoever may want no more of this. */
static int run_batches(struct batches *all, size_t count, struct error *error) {
    struct batcher *batcher = all->asking->model->batcher;
    size_t piece = batcher != NULL ? all->threads : count;
    int result = create_askers(all, error);
    for (size_t b = 0; result == 0 && b < count; b = all->end) {
        all->first = b;
        all->end = b + piece < count ? b + piece : count;
        result = cancellation_check(error);
        if (result == 0)
            batcher_alone(batcher, ask_batches, all);
        result = all->failed ? -1 : result;
    }
    for (size_t i = 0; all->askers != NULL && i < all->threads; i++)
        asker_free(&all->askers[i]);
    memory_free(all->askers);
    return result;
}

/* Questions in order of length, so that a batch wastes little. */
static int ask_all(const struct asking *a, const struct asked *asked, struct question *questions,
                   size_t count, size_t threads, struct finding *findings, struct error *error) {
    size_t *starts = memory_allocate(count + 1, sizeof *starts, error), batches = 0;
    size_t share = (count + threads - 1) / threads;
    if (starts == NULL)
        return -1;
    qsort(questions, count, sizeof *questions, compare_lengths);
    for (size_t first = 0; first < count;) {
        starts[batches++] = first;
        first = batch_end(questions, count, first, share < MOST_SEQUENCES ? share : MOST_SEQUENCES);
    }
    starts[batches] = count;
    struct batches all = {.asking = a,
                          .asked = asked,
                          .questions = questions,
                          .starts = starts,
                          .threads = threads,
                          .findings = findings,
                          .error = error};
    int result = run_batches(&all, batches, error);
    memory_free(starts);
    return result;
}

/* Each statement in the frames from .. from+frames-1; findings[count, frames]. */
static int find_out(struct asking *a, const struct asked *asked, const char *const *statements,
                    size_t count, size_t from, size_t frames, size_t threads,
                    struct finding *findings, struct error *error) {
    size_t total = count * frames;
    struct question *questions = memory_allocate(total, sizeof *questions, error);
    int32_t *tokens = memory_allocate(total * QUESTION_TIME, sizeof *tokens, error);
    int result = questions == NULL || tokens == NULL ? -1 : 0;
    for (size_t i = 0; result == 0 && i < total; i++) {
        struct question *q = &questions[i];
        *q = (struct question){
            .tokens = tokens + i * QUESTION_TIME, .place = i, .frame = from + i % frames};
        result = make_question(a, q, statements[i / frames], error);
    }
    if (result == 0)
        result = ask_all(a, asked, questions, total, threads, findings, error);
    memory_free(questions);
    memory_free(tokens);
    return result;
}

static struct belief_of_model belief_of(const struct finding *findings, size_t frames) {
    struct belief_of_model belief = {0, 0};
    for (size_t f = 0; f < frames; f++) {
        const double *x = findings[f].logits;
        double most = fmax(x[ANSWER_YES], fmax(x[ANSWER_NO], x[ANSWER_UNKNOWN])), sum = 0;
        for (size_t k = 0; k < ANSWER_COUNT; k++)
            sum += exp(x[k] - most);
        belief.log_odds += (x[ANSWER_YES] - x[ANSWER_NO]) / (double)frames;
        belief.doubt += exp(x[ANSWER_UNKNOWN] - most) / sum / (double)frames;
    }
    return belief;
}

int asking_ask(struct asking *a, const struct asked *asked, const char *const *statements,
               size_t count, size_t threads, struct belief_of_model *beliefs, struct error *error) {
    size_t frames = a->frame_count;
    struct finding *findings = memory_allocate(count * frames, sizeof *findings, error);
    int result = findings == NULL
                     ? -1
                     : find_out(a, asked, statements, count, 0, frames, threads, findings, error);
    for (size_t i = 0; result == 0 && i < count; i++)
        beliefs[i] = belief_of(findings + i * frames, frames);
    memory_free(findings);
    return result;
}

int asking_hear(struct asking *a, const struct asked *asked, const char *const *statements,
                size_t count, size_t threads, double *heard, struct error *error) {
    struct finding *findings = memory_allocate(count * 2, sizeof *findings, error);
    int result = findings == NULL ? -1
                                  : find_out(a, asked, statements, count, BY_ITSELF, 2, threads,
                                             findings, error);
    for (size_t i = 0; result == 0 && i < count; i++)
        heard[i] = findings[2 * i].heard - ELSEWHERE_SHARE * findings[2 * i + 1].heard;
    memory_free(findings);
    return result;
}

int asking_hear_elsewhere(struct asking *a, const struct asked *asked,
                          const char *const *statements, size_t count, size_t threads,
                          double *elsewhere, struct error *error) {
    struct finding *findings = memory_allocate(count, sizeof *findings, error);
    int result = findings == NULL ? -1
                                  : find_out(a, asked, statements, count, ELSEWHERE, 1, threads,
                                             findings, error);
    for (size_t i = 0; result == 0 && i < count; i++)
        elsewhere[i] = ELSEWHERE_SHARE * findings[i].heard;
    memory_free(findings);
    return result;
}
