#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/random.h"
#include "model/decoder.h"
#include "model/sampling.h"
#include "truth/judge_private.h"

enum { ANSWER_TOKENS = 16, ANSWER_BYTES = 240, CONTEXT = 512 };

/* Whoever is heard, writing short answers: the truth author learned to judge, not to talk. */
struct answering {
    const struct model *speaker;
    struct tokenizer_cache *cache;
    struct decoder *decoder;
    struct token_list prompt;
    double *probabilities; /* [V] */
    uint32_t *order;       /* [V] */
    uint8_t *banned;       /* [V] while nothing is said yet: ends and other marks */
};

static void answering_free(struct answering *a) {
    decoder_destroy(a->decoder);
    free(a->prompt.ids);
    memory_free(a->probabilities);
    memory_free(a->order);
    memory_free(a->banned);
}

static int encode_prompt(struct answering *a, const char *question, struct error *error) {
    const struct model *model = a->speaker;
    uint32_t begin = tokenizer_end_of_text(model->tokenizer);
    char *text = NULL;
    size_t bytes = 0;
    FILE *stream = open_memstream(&text, &bytes);
    if (stream == NULL)
        return error_set(error, "out of memory");
    fprintf(stream, "Question: %s\nAnswer:", question);
    fclose(stream);
    int result = memory_grow(&a->prompt.ids, &a->prompt.capacity, 1, sizeof *a->prompt.ids, error);
    if (result == 0 && begin != UINT32_MAX)
        a->prompt.ids[a->prompt.count++] = begin;
    if (result == 0)
        result = tokenizer_encode(model->tokenizer, a->cache, text, bytes, &a->prompt, error);
    free(text);
    if (result == 0 && a->prompt.count > CONTEXT - ANSWER_TOKENS)
        result = error_set(error, "the question is too long: %zu tokens, at most %d",
                           a->prompt.count, CONTEXT - ANSWER_TOKENS);
    return result;
}

static int answering_create(struct answering *a, struct judge *judge, const char *question,
                            struct error *error) {
    const struct asking *asking =
        judge->judging.beside != NULL ? judge->judging.beside : judge->judging.asking;
    const struct model *speaker = asking->model;
    size_t vocabulary = speaker->config.vocabulary;
    struct weights weights = model_weights(speaker);
    struct decoder_options options = {.context = CONTEXT, .threads = judge->judging.threads};
    *a = (struct answering){.speaker = speaker, .cache = asking->cache};
    a->probabilities = memory_allocate(vocabulary, sizeof *a->probabilities, error);
    a->order = memory_allocate(vocabulary, sizeof *a->order, error);
    a->banned = memory_allocate(vocabulary, 1, error);
    if (a->probabilities == NULL || a->order == NULL || a->banned == NULL ||
        encode_prompt(a, question, error) ||
        decoder_create(&a->decoder, &weights, &options, error)) {
        answering_free(a);
        return -1;
    }
    for (uint32_t v = 0; v < vocabulary; v++)
        a->banned[v] = (uint8_t)tokenizer_is_special(speaker->tokenizer, v);
    return 0;
}

/* Blanks and closing marks off both ends, in place. */
static char *trim(char *text) {
    size_t length = strlen(text);
    while (length > 0 && (isspace((unsigned char)text[length - 1]) || text[length - 1] == '.' ||
                          text[length - 1] == '"'))
        text[--length] = '\0';
    while (isspace((unsigned char)*text) || *text == '"')
        text++;
    return text;
}

static int is_blank(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (!isspace((unsigned char)text[i]))
            return 0;
    return 1;
}

/* One answer of one line, into text[ANSWER_BYTES]; at temperature 0 the likeliest throughout. */
static void write_answer(struct answering *a, const real *logits, double temperature,
                         struct random *random, char *text) {
    const struct tokenizer *tokenizer = a->speaker->tokenizer;
    struct sampling sampling = {.temperature = temperature, .top_p = 0.95};
    size_t length = 0;
    for (size_t i = 0; i < ANSWER_TOKENS; i++) {
        uint32_t token =
            sample_token(logits, length == 0 ? a->banned : NULL, a->speaker->config.vocabulary,
                         &sampling, random, a->probabilities, a->order);
        struct token_bytes bytes = tokenizer_token(tokenizer, token);
        const char *end = length > 0 ? memchr(bytes.data, '\n', bytes.length) : NULL;
        size_t used = end != NULL ? (size_t)(end - bytes.data) : bytes.length;
        if (tokenizer_is_end(tokenizer, token) || length + used >= ANSWER_BYTES)
            break;
        memcpy(text + length, bytes.data, used);
        length += used;
        if (length == used && is_blank(text, length))
            length = 0; /* the answer begins on a line of its own */
        if (end != NULL)
            break;
        logits = decoder_step(a->decoder, token);
    }
    text[length] = '\0';
}

static int add_candidate(struct answer_to *answer, const char *text, struct error *error) {
    for (size_t i = 0; i < answer->count; i++)
        if (strcasecmp(answer->candidates[i].text, text) == 0)
            return 0;
    if (*text == '\0' || answer->count == MOST_CANDIDATES)
        return 0;
    answer->candidates[answer->count].text = strdup(text);
    if (answer->candidates[answer->count].text == NULL)
        return error_set(error, "out of memory for answers");
    answer->count++;
    return 0;
}

static int draw_candidates(struct answering *a, size_t count, uint64_t seed,
                           struct answer_to *answer, struct error *error) {
    decoder_start(a->decoder, &(struct pass_handle){0});
    const real *logits = decoder_prompt(a->decoder, a->prompt.ids, a->prompt.count, error);
    size_t vocabulary = a->speaker->config.vocabulary;
    real *first = memory_allocate(vocabulary, sizeof *first, error);
    int result = logits == NULL || first == NULL ? -1 : 0;
    if (result == 0)
        memcpy(first, logits, vocabulary * sizeof *first);
    for (size_t i = 0; result == 0 && i < count; i++) {
        char text[ANSWER_BYTES];
        struct random random;
        random_seed(&random, seed, i);
        decoder_rewind(a->decoder, a->prompt.count);
        write_answer(a, first, i == 0 ? 0 : 0.8, &random, text);
        result = add_candidate(answer, trim(text), error);
    }
    memory_free(first);
    return result ? -1 : 0;
}

static int is_yes_or_no(const char *question) {
    static const char *const STARTS[] = {"is ",   "are ",   "was ",    "were ", "do ",   "does ",
                                         "did ",  "can ",   "could ",  "has ",  "have ", "had ",
                                         "will ", "would ", "should ", "may ",  "must "};
    while (isspace((unsigned char)*question))
        question++;
    for (size_t i = 0; i < sizeof STARTS / sizeof *STARTS; i++)
        if (strncasecmp(question, STARTS[i], strlen(STARTS[i])) == 0)
            return 1;
    return 0;
}

static int compare_candidates(const void *x, const void *y) {
    double a = ((const struct candidate *)x)->probability;
    double b = ((const struct candidate *)y)->probability;
    return (a < b) - (a > b);
}

/* To "Q?", "A": a statement. */
static char *statement_of(const char *question, const char *answer) {
    char *text = NULL;
    size_t bytes = 0;
    FILE *stream = open_memstream(&text, &bytes);
    if (stream == NULL)
        return NULL;
    fprintf(stream, "The answer to the question \"%s\" is \"%s\".", question, answer);
    fclose(stream);
    return text;
}

static int judge_candidates(struct judge *j, const char *question, struct answer_to *answer,
                            struct error *error) {
    char *statements[MOST_CANDIDATES] = {NULL};
    struct judgement judgements[MOST_CANDIDATES];
    int result = 0;
    for (size_t i = 0; i < answer->count; i++) {
        statements[i] = statement_of(question, answer->candidates[i].text);
        if (statements[i] == NULL)
            result = error_set(error, "out of memory for answers");
    }
    if (result == 0 && answer->count > 0)
        result = judging_judge(&j->judging, (const char *const *)statements, answer->count,
                               judgements, error);
    for (size_t i = 0; result == 0 && i < answer->count; i++)
        answer->candidates[i].probability = judgements[i].probability;
    for (size_t i = 0; i < answer->count; i++)
        free(statements[i]);
    qsort(answer->candidates, answer->count, sizeof *answer->candidates, compare_candidates);
    return result;
}

/* Yes and no exclude each other: their odds are made to sum to one. */
static void exclude(struct answer_to *answer) {
    double yes = answer->candidates[0].probability, no = answer->candidates[1].probability;
    answer->candidates[0].probability = yes * (1 - no) / (yes * (1 - no) + no * (1 - yes));
    answer->candidates[1].probability = 1 - answer->candidates[0].probability;
}

/* What documents say of the likeliest answer. */
static int cite(struct judge *j, const char *question, struct answer_to *answer,
                struct error *error) {
    if (j->judging.library == NULL || answer->count == 0)
        return 0;
    char *text = NULL;
    if (asprintf(&text, "%s %s", question, answer->candidates[0].text) < 0)
        return error_set(error, "out of memory for answers");
    int result =
        library_consult(j->judging.library, text, j->judging.filter, &answer->testimony, error);
    free(text);
    return result;
}

int judge_answer(struct judge *j, const char *question, size_t count, uint64_t seed,
                 struct answer_to *answer, struct error *error) {
    struct answering answering;
    int is_choice = is_yes_or_no(question), result;
    *answer = (struct answer_to){0};
    if (is_choice) {
        result = add_candidate(answer, "yes", error) || add_candidate(answer, "no", error);
    } else {
        if (answering_create(&answering, j, question, error))
            return -1;
        result = draw_candidates(&answering, count, seed, answer, error);
        answering_free(&answering);
    }
    if (result == 0)
        result = judge_candidates(j, question, answer, error);
    if (result == 0 && is_choice)
        exclude(answer);
    if (result == 0)
        result = cite(j, question, answer, error);
    answer->is_known =
        answer->count > 0 && answer->candidates[0].probability >= j->standard.unknown;
    if (result != 0)
        answer_free(answer);
    return result ? -1 : 0;
}

void answer_free(struct answer_to *answer) {
    for (size_t i = 0; i < answer->count; i++)
        free(answer->candidates[i].text);
    testimony_free(&answer->testimony);
    *answer = (struct answer_to){0};
}
