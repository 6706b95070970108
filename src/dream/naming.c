#include "dream/naming.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cancellation.h"
#include "base/memory.h"
#include "latent/conditions.h"
#include "model/batcher.h"
#include "model/decoder.h"
#include "model/sampling.h"
#include "text/byline.h"
#include "train/name_lessons.h"

struct naming {
    const struct model *model;
    const struct slot *slot;
    struct slot_state *states;
    struct pass *pass; /* one sequence */
    struct tokenizer_cache *cache;
    struct token_list list;
    size_t time, first;        /* tokens of a row; where the present name begins */
    int32_t *tokens, *targets; /* [time] */
    real *losses;              /* [time] */
    real *told, *told_mask;    /* [Z] */
    struct decoder *decoder;   /* made when it is first needed */
    uint8_t *banned;           /* [V] */
    double *probabilities;
    uint32_t *order;
};

static int create(struct naming **out, const struct model *model, struct error *error) {
    size_t width = model->config.latent_width, context = model->config.context;
    size_t s = conditions_slot(&model->slots), vocabulary = model->config.vocabulary;
    struct weights weights = model_weights(model);
    *out = NULL;
    if (s == MAXIMUM_SLOTS)
        return error_set(error, "this model has no authors to name");
    struct naming *n = memory_allocate(1, sizeof *n, error);
    if (n == NULL)
        return -1;
    n->model = model;
    n->slot = &model->slots.slots[s];
    n->time = context < NAME_TOKENS ? context : NAME_TOKENS;
    n->tokens = memory_allocate(n->time, sizeof *n->tokens, error);
    n->targets = memory_allocate(n->time, sizeof *n->targets, error);
    n->losses = memory_allocate(n->time, sizeof *n->losses, error);
    n->told = memory_allocate(width, sizeof *n->told, error);
    n->told_mask = memory_allocate(width, sizeof *n->told_mask, error);
    n->banned = memory_allocate(vocabulary, 1, error);
    n->probabilities = memory_allocate(vocabulary, sizeof *n->probabilities, error);
    n->order = memory_allocate(vocabulary, sizeof *n->order, error);
    if (!n->tokens || !n->targets || !n->losses || !n->told || !n->told_mask || !n->banned ||
        !n->probabilities || !n->order || model_slot_states(model, &n->states, error) ||
        tokenizer_cache_create(&n->cache, error) ||
        pass_create(&n->pass, &weights, 1, n->time, 0, error)) {
        naming_destroy(n);
        return -1;
    }
    for (size_t d = 0; d < n->slot->width; d++)
        n->told_mask[n->slot->first + d] = 1;
    for (uint32_t v = 0; v < vocabulary; v++)
        n->banned[v] = (uint8_t)tokenizer_is_special(model->tokenizer, v);
    *out = n;
    return 0;
}

int naming_create(struct naming **out, const struct model *model, struct error *error) {
    size_t s = conditions_slot(&model->slots);
    *out = NULL;
    if (s == MAXIMUM_SLOTS || model->slots.slots[s].naming <= 0)
        return error_set(error, "this model was not taught names; the setting \"names\" of a "
                                "recipe does that");
    return create(out, model, error);
}

void naming_destroy(struct naming *n) {
    if (n == NULL)
        return;
    decoder_destroy(n->decoder);
    pass_destroy(n->pass);
    slot_states_destroy(n->states, n->model->slots.count);
    tokenizer_cache_destroy(n->cache);
    free(n->list.ids);
    void *owned[] = {n->tokens,    n->targets, n->losses,        n->told,
                     n->told_mask, n->banned,  n->probabilities, n->order};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        memory_free(owned[i]);
    memory_free(n);
}

const struct slot *naming_slot(const struct naming *n) {
    return n->slot;
}

static int load(struct naming *n, const char *name, struct error *error) {
    if (byline_document(n->model->tokenizer, n->cache, name, &n->list, &n->first, error))
        return -1;
    if (n->list.count > n->time)
        return error_set(error, "the name '%.60s' has %zu tokens; at most %zu can be read", name,
                         n->list.count, n->time);
    for (size_t i = 0; i < n->time; i++) {
        int is_written = i + 1 >= n->first && i + 1 < n->list.count;
        n->tokens[i] = i < n->list.count ? (int32_t)n->list.ids[i] : 0;
        n->targets[i] = is_written ? (int32_t)n->list.ids[i + 1] : -1;
    }
    return 0;
}

static void run_reader(void *context) {
    struct naming *n = context;
    pass_read(n->pass, n->tokens, &(struct pass_handle){0});
}

static void run_writer(void *context) {
    struct naming *n = context;
    struct pass_handle handle = {.told = n->told, .told_mask = n->told_mask};
    pass_read(n->pass, n->tokens, &handle);
    pass_write(n->pass, &handle, n->targets, n->losses);
}

static void normalise(double *log_odds, size_t count, double factor) {
    double best = -INFINITY, sum = 0;
    for (size_t i = 0; i < count; i++) {
        log_odds[i] *= factor;
        best = fmax(best, log_odds[i]);
    }
    for (size_t i = 0; i < count; i++)
        sum += exp(log_odds[i] - best);
    for (size_t i = 0; i < count; i++)
        log_odds[i] -= best + log(sum);
}

static int resolve(struct naming *n, const char *name, double *log_odds, struct error *error) {
    size_t width = n->model->config.latent_width;
    const struct slot_state *state = &n->states[n->slot - n->model->slots.slots];
    if (load(n, name, error))
        return -1;
    batcher_alone(n->model->batcher, run_reader, n);
    size_t at = (n->list.count - 1) * width + n->slot->first;
    slot_posterior(n->slot, state->points, state->sigma, pass_mean(n->pass) + at,
                   pass_precision(n->pass) + at, 0, log_odds);
    return 0;
}

int naming_resolve(struct naming *n, const char *name, double *log_odds, struct error *error) {
    if (cancellation_check(error) || resolve(n, name, log_odds, error))
        return -1;
    normalise(log_odds, n->slot->point_count, n->slot->naming);
    return 0;
}

/* A label that cannot be written, being too long, has no chance. */
int naming_write(struct naming *n, const real *mean, double *log_odds, struct error *error) {
    struct error ignored;
    size_t written = 0;
    memcpy(n->told, mean, n->model->config.latent_width * sizeof *mean);
    for (size_t i = 0; i < n->slot->point_count; i++) {
        log_odds[i] = -INFINITY;
        if (load(n, n->slot->labels[i], &ignored))
            continue;
        batcher_alone(n->model->batcher, run_writer, n);
        log_odds[i] = 0;
        for (size_t r = 0; r < n->list.count; r++)
            log_odds[i] -= n->targets[r] >= 0 ? (double)n->losses[r] : 0;
        written++;
    }
    if (written == 0)
        return error_set(error, "no label of slot %s can be written in %zu tokens", n->slot->name,
                         n->time);
    normalise(log_odds, n->slot->point_count, 1);
    return 0;
}

/* belief[point_count] <- how likely each label is the belief's. */
static void label_beliefs(const struct naming *n, const real *mean, const real *precision,
                          double tokens, double *belief) {
    const struct slot *slot = n->slot;
    const struct slot_state *state = &n->states[slot - n->model->slots.slots];
    const real *m = mean + slot->first, *p = precision + slot->first;
    if (tokens > 0)
        slot_belief(slot, state->points, state->sigma, m, p, tokens, belief);
    else
        slot_posterior(slot, state->points, state->sigma, m, p, 0, belief);
    for (size_t i = 0; i < slot->point_count; i++)
        belief[i] = exp(belief[i]);
}

/* shares[point_count] += weight times what naming_write says of told[Z]. */
static int add_written(struct naming *n, const real *told, double weight, double *shares,
                       double *log_odds, struct error *error) {
    if (naming_write(n, told, log_odds, error))
        return -1;
    for (size_t i = 0; i < n->slot->point_count; i++)
        shares[i] += weight * exp(log_odds[i]);
    return 0;
}

/* Adds the likeliest labels, each told by itself; *rest <- the belief that is left. */
static int add_likely(struct naming *n, real *told, double *belief, double *shares,
                      double *log_odds, double *rest, struct error *error) {
    enum { LIKELY_LABELS = 8 };
    static const double LEAST = 0.01;
    size_t count = n->slot->point_count, width = n->slot->width;
    const real *points = n->states[n->slot - n->model->slots.slots].points;
    *rest = 1;
    for (size_t k = 0; k < LIKELY_LABELS; k++) {
        size_t best = 0;
        for (size_t i = 1; i < count; i++)
            best = belief[i] > belief[best] ? i : best;
        if (!(belief[best] >= LEAST))
            break;
        memcpy(told + n->slot->first, points + best * width, width * sizeof *told);
        if (add_written(n, told, belief[best], shares, log_odds, error))
            return -1;
        *rest -= belief[best];
        belief[best] = 0;
    }
    return 0;
}

int naming_write_belief(struct naming *n, const real *mean, const real *precision, double tokens,
                        double *log_odds, struct error *error) {
    size_t count = n->slot->point_count, width = n->model->config.latent_width;
    double *belief = memory_allocate(2 * count, sizeof *belief, error), rest;
    real *told = memory_allocate(width, sizeof *told, error);
    int result = belief == NULL || told == NULL ? -1 : 0;
    if (result == 0) {
        double *shares = belief + count;
        label_beliefs(n, mean, precision, tokens, belief);
        memcpy(told, mean, width * sizeof *told);
        result = add_likely(n, told, belief, shares, log_odds, &rest, error);
        if (result == 0)
            result = add_written(n, mean, fmax(rest, 0), shares, log_odds, error);
        for (size_t i = 0; result == 0 && i < count; i++)
            log_odds[i] = log(shares[i]);
        if (result == 0)
            normalise(log_odds, count, 1);
    }
    memory_free(belief);
    memory_free(told);
    return result;
}

static int prepare_decoder(struct naming *n, const real *mean, struct error *error) {
    struct weights weights = model_weights(n->model);
    struct decoder_options options = {.context = 2 * NAME_TOKENS};
    if (n->decoder == NULL && decoder_create(&n->decoder, &weights, &options, error))
        return -1;
    memcpy(n->told, mean, n->model->config.latent_width * sizeof *mean);
    decoder_start(n->decoder, &(struct pass_handle){.told = n->told, .told_mask = n->told_mask});
    return 0;
}

/* Appends a token's text up to a line end or NAME_BYTES; whether that was the end. */
static int add_text(char out[NAME_BYTES], size_t *length, struct token_bytes bytes) {
    for (size_t i = 0; i < bytes.length; i++) {
        unsigned char c = (unsigned char)bytes.data[i];
        if (c == '\n' || *length + 1 == NAME_BYTES)
            return 1;
        out[(*length)++] = c < ' ' ? '?' : (char)c;
        out[*length] = '\0';
    }
    return 0;
}

int naming_spell(struct naming *n, const real *mean, struct random *random, char out[NAME_BYTES],
                 struct error *error) {
    struct sampling sampling = {.temperature = random != NULL ? 1 : 0, .top_p = 1};
    struct random unused;
    size_t length = 0;
    char text[NAME_BYTES] = "";
    random_seed(&unused, 1, 1);
    if (byline_document(n->model->tokenizer, n->cache, "-", &n->list, &n->first, error) ||
        prepare_decoder(n, mean, error))
        return -1;
    const real *logits = decoder_prompt(n->decoder, n->list.ids, n->first, error);
    if (logits == NULL)
        return -1;
    for (size_t i = 0; i < NAME_TOKENS; i++) {
        uint32_t token =
            sample_token(logits, n->banned, n->model->config.vocabulary, &sampling,
                         random != NULL ? random : &unused, n->probabilities, n->order);
        if (add_text(text, &length, tokenizer_token(n->model->tokenizer, token)))
            break;
        logits = decoder_step(n->decoder, token);
    }
    strcpy(out, text + (text[0] == ' '));
    return 0;
}

/* Whom else a variant may mean: who is spelt so by the same rule, and who is called so in full. A
 * title says nothing of who is meant. */
static int is_ambiguous(const struct slot *slot, size_t label, enum name_rule rule,
                        const struct name_facts *facts, const char *variant) {
    enum name_rule own = rule == NAME_TITLED ? NAME_LAST : rule;
    char mine[NAME_BYTES], other[NAME_BYTES];
    struct random random;
    long found = slot_find_label(slot, variant);
    if (found >= 0 && (size_t)found != label)
        return 1;
    if (rule == NAME_MISSPELT || rule == NAME_TITLED_FULL ||
        !name_variant(mine, slot->labels[label], own, facts, &random))
        return 0;
    for (size_t i = 0; i < slot->point_count; i++)
        if (i != label && name_variant(other, slot->labels[i], own, facts, &random) &&
            strcasecmp(mine, other) == 0)
            return 1;
    return 0;
}

int naming_variant(const struct slot *slot, size_t label, enum name_rule rule, size_t draw,
                   int is_measured, const struct name_facts *facts, char out[NAME_BYTES]) {
    enum { TRIES = 64 };
    struct random random;
    int is_made = 0;
    random_seed(&random, is_measured ? 0x3ea5 : 0xca11b, (label * NAME_RULES + rule) ^ draw << 40);
    for (int tries = 0; !is_made && tries < TRIES; tries++) {
        if (!name_variant(out, slot->labels[label], rule, facts, &random))
            return 0;
        is_made = rule != NAME_MISSPELT || name_is_kept_back(out) == is_measured;
    }
    return is_made && !is_ambiguous(slot, label, rule, facts, out);
}

enum { FIT_VARIANTS = 256, FIT_STRANGERS = 64 }; /* one in five is nobody's, as in training */
static const size_t NOBODY = SIZE_MAX;

/* Mean -log p(right label) of the fitting names under a factor; rows of raw log odds. Of nobody's
 * name any label is as right: what is believed of it must not be sharp. */
static double nats_under(const double *rows, const size_t *labels, size_t count, size_t points,
                         double factor, double *scratch) {
    double nats = 0;
    for (size_t i = 0; i < count; i++) {
        double sum = 0;
        memcpy(scratch, rows + i * points, points * sizeof *scratch);
        normalise(scratch, points, factor);
        for (size_t k = 0; k < points; k++)
            sum += scratch[k];
        nats -= (labels[i] == NOBODY ? sum / (double)points : scratch[labels[i]]) / (double)count;
    }
    return nats;
}

struct fit {
    double *rows, *scratch; /* [FIT_VARIANTS + FIT_STRANGERS,labels], [labels] */
    size_t *labels, count;  /* NOBODY: nobody's */
};

int naming_fit_pick(size_t labels, size_t k, size_t *label, enum name_rule *rule) {
    size_t rules = NAME_FIRST_UNSEEN - NAME_INITIAL;
    size_t count = labels <= FIT_VARIANTS / rules ? labels * rules : FIT_VARIANTS;
    if (k >= count)
        return 0;
    *label = k * labels / count;
    *rule = (enum name_rule)(NAME_INITIAL + k % rules);
    return 1;
}

/* What cannot be read is left out. */
static void gather_fit(struct fit *fit, struct naming *n, const struct name_titles *titles) {
    struct name_facts facts = {titles, NAN};
    char name[NAME_BYTES];
    size_t points = n->slot->point_count, label;
    enum name_rule rule;
    for (size_t k = 0; naming_fit_pick(points, k, &label, &rule); k++) {
        struct error ignored;
        if (!naming_variant(n->slot, label, rule, 0, 0, &facts, name) ||
            resolve(n, name, fit->rows + fit->count * points, &ignored))
            continue;
        fit->labels[fit->count++] = label;
    }
    for (size_t k = 0; k < FIT_STRANGERS; k++) {
        struct error ignored;
        struct random random;
        random_seed(&random, 0xca11b, k ^ (uint64_t)1 << 63);
        name_stranger(name, n->slot->labels[k % points], &random);
        if (resolve(n, name, fit->rows + fit->count * points, &ignored) == 0)
            fit->labels[fit->count++] = NOBODY;
    }
}

/* The factor of least nats: the mean is convex in it, so a search by thirds finds it. */
static double fit_factor(const struct fit *fit, size_t points) {
    double low = log(0.02), high = log(50);
    if (fit->count == 0)
        return 1;
    for (int i = 0; i < 60; i++) {
        double one = low + (high - low) / 3, other = high - (high - low) / 3;
        double left =
            nats_under(fit->rows, fit->labels, fit->count, points, exp(one), fit->scratch);
        double right =
            nats_under(fit->rows, fit->labels, fit->count, points, exp(other), fit->scratch);
        *(left < right ? &high : &low) = left < right ? other : one;
    }
    return exp((low + high) / 2);
}

int naming_calibrate(struct model *model, const struct name_titles *titles, struct error *error) {
    struct naming *n;
    if (create(&n, model, error))
        return -1;
    size_t points = n->slot->point_count;
    size_t names = FIT_VARIANTS + FIT_STRANGERS;
    struct fit fit = {.rows = memory_allocate(names * points, sizeof *fit.rows, error),
                      .scratch = memory_allocate(points, sizeof *fit.scratch, error),
                      .labels = memory_allocate(names, sizeof *fit.labels, error)};
    int result = fit.rows && fit.scratch && fit.labels ? 0 : -1;
    if (result == 0) {
        gather_fit(&fit, n, titles);
        model->slots.slots[n->slot - model->slots.slots].naming = fit_factor(&fit, points);
    }
    memory_free(fit.rows);
    memory_free(fit.scratch);
    memory_free(fit.labels);
    naming_destroy(n);
    return result;
}
