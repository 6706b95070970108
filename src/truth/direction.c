#include "truth/direction.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "math/solve.h"
#include "truth/report.h"
#include "truth/witness.h"

static const double STEPS[DIRECTION_STEPS] = {-2, -1, 0, 1, 2, 4, 8};

struct search {
    struct direction *d;
    struct asking *asking;
    struct base_texts texts;
    double *outcomes, *said; /* [texts.count] */
    struct belief_of_model *beliefs;
    real *told, *mask; /* [Z] */
    double *points;    /* [authors, width], centred */
    double *mean;      /* [width] */
    size_t threads;
    struct error *error;
};

static double score_of(struct knowledge k) {
    return (k.asked + k.heard) / 2;
}

/* An order of statements by log odds, as an area; probabilities are only there to be ranked. */
static int area_of(struct search *s, double *area) {
    struct judgement_report report;
    for (size_t i = 0; i < s->texts.count; i++)
        s->said[i] = 1 / (1 + exp(-s->said[i] / 8));
    int result = judgement_report_make(&report, s->said, s->outcomes, s->texts.count, s->error);
    *area = report.area;
    return result;
}

static int examine(struct search *s, int is_told, struct knowledge *k) {
    struct pass_handle handle = {.told = s->told, .told_mask = s->mask};
    struct asked asked = {.handle = is_told ? &handle : NULL};
    size_t count = s->texts.count;
    if (asking_ask(s->asking, &asked, s->texts.texts, count, s->threads, s->beliefs, s->error))
        return -1;
    for (size_t i = 0; i < count; i++)
        s->said[i] = s->beliefs[i].log_odds;
    return area_of(s, &k->asked) ||
                   asking_hear(s->asking, &asked, s->texts.texts, count, s->threads, s->said,
                               s->error) ||
                   area_of(s, &k->heard)
               ? -1
               : 0;
}

static int examine_vector(struct search *s, const double *vector, struct knowledge *k) {
    const struct slot *slot = s->d->slot;
    for (size_t i = 0; i < slot->width; i++) {
        s->told[slot->first + i] = (real)(vector[i] + s->mean[i]);
        s->mask[slot->first + i] = 1;
    }
    return examine(s, 1, k);
}

/* weights[width] of the ridge regression of the authors' scores, without author `left_out`
 * (SIZE_MAX: all). The penalty is the mean variance of a dimension times the number of authors:
 * scores are noisy and authors few. */
static int regress(const struct search *s, size_t left_out, double *weights) {
    size_t width = s->d->slot->width, authors = s->d->slot->point_count;
    double *square = memory_allocate(width * width, sizeof *square, s->error), mean = 0, trace = 0;
    if (square == NULL)
        return -1;
    for (size_t a = 0; a < authors; a++)
        mean += a == left_out ? 0 : score_of(s->d->authors[a]);
    mean /= (double)(authors - (left_out < authors));
    memset(weights, 0, width * sizeof *weights);
    for (size_t a = 0; a < authors; a++) {
        const double *x = s->points + a * width;
        for (size_t i = 0; a != left_out && i < width; i++) {
            weights[i] += x[i] * (score_of(s->d->authors[a]) - mean);
            for (size_t j = 0; j < width; j++)
                square[i * width + j] += x[i] * x[j];
        }
    }
    for (size_t i = 0; i < width; i++)
        trace += square[i * width + i];
    for (size_t i = 0; i < width; i++)
        square[i * width + i] += trace / (double)width + 1e-9;
    solve_positive(square, weights, width);
    memory_free(square);
    return 0;
}

static double product(const double *x, const double *y, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += x[i] * y[i];
    return sum;
}

/* How well an author's score is foretold by the others'. */
static int leave_out(struct search *s) {
    size_t width = s->d->slot->width, authors = s->d->slot->point_count;
    double *weights = s->d->vector, sx = 0, sy = 0, xx = 0, yy = 0, xy = 0;
    double n = (double)authors;
    for (size_t a = 0; a < authors; a++) {
        if (regress(s, a, weights))
            return -1;
        double x = product(weights, s->points + a * width, width);
        double y = score_of(s->d->authors[a]);
        sx += x;
        sy += y;
        xx += x * x;
        yy += y * y;
        xy += x * y;
    }
    double spread = (xx - sx * sx / n) * (yy - sy * sy / n);
    s->d->left_out = spread > 0 ? (xy - sx * sy / n) / sqrt(spread) : 0;
    return 0;
}

static int turn_up(struct search *s) {
    size_t width = s->d->slot->width, authors = s->d->slot->point_count;
    double *at = memory_allocate(width, sizeof *at, s->error), spread = 0, most = -1;
    int result = at == NULL ? -1 : 0;
    for (size_t a = 0; a < authors; a++)
        spread += pow(product(s->d->vector, s->points + a * width, width), 2) / (double)authors;
    for (size_t k = 0; result == 0 && k < DIRECTION_STEPS; k++) {
        s->d->steps[k] = STEPS[k];
        for (size_t i = 0; i < width; i++)
            at[i] = STEPS[k] * sqrt(spread) * s->d->vector[i];
        result = examine_vector(s, at, &s->d->along[k]);
        if (result != 0 || !(score_of(s->d->along[k]) > most))
            continue;
        most = score_of(s->d->along[k]);
        for (size_t i = 0; i < width; i++)
            s->d->best[i] = at[i] + s->mean[i];
    }
    memory_free(at);
    return result;
}

static int search_create(struct search *s, const struct belief_base *base) {
    const struct model *model = s->asking->model;
    const struct slot *slot = s->d->slot;
    size_t kept = 0, points = slot->point_count * slot->width;
    if (base_texts_collect(&s->texts, base, s->error))
        return -1;
    size_t room = s->texts.count;
    s->outcomes = memory_allocate(room, sizeof *s->outcomes, s->error);
    s->said = memory_allocate(room, sizeof *s->said, s->error);
    s->beliefs = memory_allocate(room, sizeof *s->beliefs, s->error);
    s->told = memory_allocate(2 * model->config.latent_width, sizeof(real), s->error);
    s->points = memory_allocate(points, sizeof *s->points, s->error);
    s->mean = memory_allocate(slot->width, sizeof *s->mean, s->error);
    s->d->vector = memory_allocate(slot->width, sizeof(double), s->error);
    s->d->best = memory_allocate(slot->width, sizeof(double), s->error);
    s->d->authors = memory_allocate(slot->point_count, sizeof *s->d->authors, s->error);
    real *own = memory_allocate(points, sizeof *own, s->error);
    if (!s->outcomes || !s->said || !s->beliefs || !s->told || !s->points || !s->mean ||
        !s->d->vector || !s->d->best || !s->d->authors || !own) {
        memory_free(own);
        return -1;
    }
    s->mask = s->told + model->config.latent_width;
    for (size_t i = 0; i < room; i++) {
        const struct belief *b = &base->items[s->texts.places[i]];
        if (b->verdict == VERDICT_UNKNOWN)
            continue;
        s->outcomes[kept] = b->verdict == VERDICT_TRUE;
        s->texts.texts[kept++] = s->texts.texts[i];
    }
    s->texts.count = s->d->statements = kept;
    slot_points(slot, model_slot_parameters(model), own);
    for (size_t i = 0; i < points; i++) {
        s->points[i] = (double)own[i];
        s->mean[i % slot->width] += (double)own[i] / (double)slot->point_count;
    }
    for (size_t i = 0; i < points; i++)
        s->points[i] -= s->mean[i % slot->width];
    memory_free(own);
    return kept > 0 ? 0 : error_set(s->error, "the base has no verdicts to score authors by");
}

static int run(struct search *s, const struct belief_base *base) {
    size_t width = s->d->slot->width;
    if (search_create(s, base) || examine(s, 0, &s->d->nobody))
        return -1;
    for (size_t a = 0; a < s->d->slot->point_count; a++)
        if (examine_vector(s, s->points + a * width, &s->d->authors[a]))
            return -1;
    if (leave_out(s) || regress(s, SIZE_MAX, s->d->vector))
        return -1;
    double length = sqrt(product(s->d->vector, s->d->vector, width));
    for (size_t i = 0; i < width; i++)
        s->d->vector[i] /= length > 0 ? length : 1;
    return turn_up(s);
}

int direction_find(struct direction *d, struct asking *asking, const struct belief_base *base,
                   size_t threads, struct error *error) {
    *d = (struct direction){.slot = slots_find(&asking->model->slots, "author")};
    if (d->slot == NULL || d->slot->kind != LATENT_CATEGORICAL || d->slot->point_count < 3)
        return error_set(error, "the model has no authors to compare");
    struct search s = {.d = d, .asking = asking, .threads = threads, .error = error};
    int result = run(&s, base);
    base_texts_free(&s.texts);
    memory_free(s.outcomes);
    memory_free(s.said);
    memory_free(s.beliefs);
    memory_free(s.told);
    memory_free(s.points);
    memory_free(s.mean);
    if (result != 0)
        direction_free(d);
    return result;
}

void direction_free(struct direction *d) {
    memory_free(d->authors);
    memory_free(d->vector);
    memory_free(d->best);
    *d = (struct direction){0};
}

static int compare_authors(const void *x, const void *y, void *context) {
    const struct direction *d = context;
    double a = score_of(d->authors[*(const size_t *)x]),
           b = score_of(d->authors[*(const size_t *)y]);
    return (a < b) - (a > b);
}

void direction_print(FILE *stream, const struct direction *d) {
    size_t authors = d->slot->point_count, *order = calloc(authors, sizeof *order);
    fprintf(stream, "%zu statements; areas under the ROC curve, asked and heard\n", d->statements);
    fprintf(stream, "  %.3f  %.3f  nobody told\n", d->nobody.asked, d->nobody.heard);
    for (size_t a = 0; order != NULL && a < authors; a++)
        order[a] = a;
    if (order != NULL)
        qsort_r(order, authors, sizeof *order, compare_authors, (void *)d);
    for (size_t k = 0; order != NULL && k < authors; k++)
        if (k < 5 || k + 5 >= authors)
            fprintf(stream, "  %.3f  %.3f  %s\n", d->authors[order[k]].asked,
                    d->authors[order[k]].heard, d->slot->labels[order[k]]);
    fprintf(stream, "an author's score foretold from the others': correlation %.2f\n", d->left_out);
    fprintf(stream, "along the direction, in standard deviations from the mean author\n");
    for (size_t k = 0; k < DIRECTION_STEPS; k++)
        fprintf(stream, "  %.3f  %.3f  %+.0f\n", d->along[k].asked, d->along[k].heard, d->steps[k]);
    free(order);
}

static json_t *knowledge_to_json(const char *key, json_t *name, struct knowledge k) {
    return json_pack("{s:o, s:f, s:f}", key, name, "asked", k.asked, "heard", k.heard);
}

json_t *direction_to_json(const struct direction *d) {
    json_t *authors = json_array(), *along = json_array(), *best = json_array();
    for (size_t a = 0; a < d->slot->point_count; a++)
        json_array_append_new(
            authors, knowledge_to_json("author", json_string(d->slot->labels[a]), d->authors[a]));
    for (size_t k = 0; k < DIRECTION_STEPS; k++)
        json_array_append_new(along,
                              knowledge_to_json("deviations", json_real(d->steps[k]), d->along[k]));
    for (size_t i = 0; i < d->slot->width; i++)
        json_array_append_new(best, json_real(d->best[i]));
    return json_pack("{s:I, s:o, s:o, s:f, s:o, s:o}", "statements", (json_int_t)d->statements,
                     "nobody", knowledge_to_json("author", json_null(), d->nobody), "authors",
                     authors, "left_out_correlation", d->left_out, "along", along, "best", best);
}
