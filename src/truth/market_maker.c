#include "truth/market_maker.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <lapacke.h>

#include "base/memory.h"
#include "base/random.h"
#include "base/shared_library.h"

enum { NEWTON_STEPS = 40, LINE_STEPS = 8, RESTARTS = 6, ROUNDS = 4, CRIES = 150, BISECTIONS = 60 };

/* Of the Newton step: also where the demand does not depend on anything. */
static const double LEAST_DAMPING = 1e-9;

struct solver {
    const struct market_problem *problem;
    size_t n;
    double *prices, *demand;      /* where it stands */
    double *trial, *trial_demand; /* where it may go */
    double *best;                 /* of all points seen */
    double *step, *scale, *jacobian, *matrix;
    lapack_int *pivots;
    __typeof__(LAPACKE_dgesv) *dgesv;
    double best_gain, width, damping;
    int is_fresh; /* the Jacobian was made at the present point */
    struct market_solution *solution;
    struct error *error;
};

double market_gain(const double *prices, const double *demand, size_t count) {
    double gain = 0;
    for (size_t i = 0; i < count; i++)
        gain += fmax(demand[i] * (1 - prices[i]), -demand[i] * prices[i]);
    return gain;
}

static double clip(double x) {
    return x > 0 ? (x < 1 ? x : 1) : 0;
}

static int evaluate(struct solver *s, const double *prices, double *demand) {
    s->solution->evaluations++;
    if (s->problem->demand(s->problem->context, prices, demand))
        return error_set(s->error, "out of memory for the traders' demand");
    double gain = market_gain(prices, demand, s->n);
    if (gain < s->best_gain) {
        s->best_gain = gain;
        memcpy(s->best, prices, s->n * sizeof *prices);
    }
    return 0;
}

static int is_done(const struct solver *s) {
    return s->best_gain <= s->problem->tolerance;
}

/* Differences toward the middle, columns in parallel. They are as wide as what is left to go, so
 * that kinks are seen from both sides until the solution is near: a smoothing Newton method. */
static int make_jacobian(struct solver *s) {
    size_t n = s->n;
    int failed = 0;
    s->width = fmin(1e-3, fmax(1e-8, 0.1 * s->best_gain));
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t j = 0; j < n; j++) {
        double *point = malloc(2 * n * sizeof *point), *demand = point + n;
        if (point == NULL) {
#pragma omp atomic write
            failed = 1;
            continue;
        }
        double width = s->prices[j] > 0.5 ? -s->width : s->width;
        memcpy(point, s->prices, n * sizeof *point);
        point[j] += width;
        if (s->problem->demand(s->problem->context, point, demand)) {
#pragma omp atomic write
            failed = 1;
        } else {
            for (size_t i = 0; i < n; i++)
                s->jacobian[i * n + j] = (demand[i] - s->demand[i]) / width;
        }
        free(point);
    }
    s->solution->evaluations += n;
    s->is_fresh = 1;
    return failed ? error_set(s->error, "out of memory for the market maker") : 0;
}

/* How far one unit of demand moves a price in the projected map p -> clip(p + scale T): about as
 * far as some price must move to change the demand by one. */
static void make_scale(struct solver *s) {
    double largest = 1e-300;
    for (size_t i = 0; i < s->n; i++) {
        s->scale[i] = 0;
        for (size_t j = 0; j < s->n; j++)
            s->scale[i] = fmax(s->scale[i], fabs(s->jacobian[i * s->n + j]));
        largest = fmax(largest, s->scale[i]);
    }
    for (size_t i = 0; i < s->n; i++)
        s->scale[i] = 1 / fmax(s->scale[i], 1e-6 * largest);
}

/* The natural residual's squared length: zero exactly at a solution. */
static double merit(const struct solver *s, const double *prices, const double *demand) {
    double sum = 0;
    for (size_t i = 0; i < s->n; i++) {
        double residual = prices[i] - clip(prices[i] + s->scale[i] * demand[i]);
        sum += residual * residual;
    }
    return sum;
}

/* A semismooth Newton step: prices that the projected map sends to an edge go there, the others
 * to where the linear model's demand is zero. */
static int newton_step(struct solver *s) {
    size_t n = s->n;
    for (size_t i = 0; i < n; i++) {
        double *row = s->matrix + i * n, target = s->prices[i] + s->scale[i] * s->demand[i];
        int is_edge = target >= 1 || target <= 0 || s->demand[i] == 0;
        memset(row, 0, n * sizeof *row);
        if (is_edge) {
            row[i] = 1;
            s->step[i] = s->demand[i] == 0 ? 0 : clip(target) - s->prices[i];
            if (s->demand[i] != 0)
                continue;
        }
        for (size_t j = 0; j < n; j++)
            row[j] = s->jacobian[i * n + j] * s->scale[i];
        row[i] -= s->damping;
        s->step[i] = -s->demand[i] * s->scale[i];
    }
    return s->dgesv(LAPACK_ROW_MAJOR, (lapack_int)n, 1, s->matrix, (lapack_int)n, s->pivots,
                    s->step, 1) == 0
               ? 0
               : -1;
}

/* Broyden's rank-one update: the Jacobian agrees with the last step. */
static void update_jacobian(struct solver *s) {
    size_t n = s->n;
    double square = 1e-300;
    for (size_t j = 0; j < n; j++) {
        s->step[j] = s->trial[j] - s->prices[j];
        square += s->step[j] * s->step[j];
    }
    for (size_t i = 0; i < n; i++) {
        double wrong = s->trial_demand[i] - s->demand[i];
        for (size_t j = 0; j < n; j++)
            wrong -= s->jacobian[i * n + j] * s->step[j];
        for (size_t j = 0; j < n; j++)
            s->jacobian[i * n + j] += wrong * s->step[j] / square;
    }
    s->is_fresh = 0;
}

static void accept(struct solver *s) {
    memcpy(s->prices, s->trial, s->n * sizeof *s->prices);
    memcpy(s->demand, s->trial_demand, s->n * sizeof *s->demand);
}

/* Halves the step until the merit falls. 1 when it did, 0 when not, -1 on failure. */
static int search_line(struct solver *s) {
    double before = merit(s, s->prices, s->demand), share = 1;
    double *step = s->matrix; /* free by now */
    memcpy(step, s->step, s->n * sizeof *step);
    for (int i = 0; i < LINE_STEPS; i++, share /= 2) {
        for (size_t j = 0; j < s->n; j++)
            s->trial[j] = clip(s->prices[j] + share * step[j]);
        if (evaluate(s, s->trial, s->trial_demand))
            return -1;
        if (is_done(s))
            return 1;
        if (merit(s, s->trial, s->trial_demand) <= (1 - 1e-3 * share) * before) {
            update_jacobian(s);
            accept(s);
            return 1;
        }
    }
    return 0;
}

static int newton(struct solver *s) {
    s->damping = LEAST_DAMPING;
    for (int i = 0; i < NEWTON_STEPS && !is_done(s); i++) {
        make_scale(s);
        int moved = newton_step(s) == 0 ? search_line(s) : 0;
        if (moved < 0)
            return -1;
        if (moved) {
            s->damping = fmax(LEAST_DAMPING, s->damping / 10);
        } else if (!s->is_fresh) {
            if (make_jacobian(s))
                return -1;
        } else if (s->damping < 10) {
            s->damping = fmax(1e-3, s->damping * 10);
        } else {
            return 0;
        }
    }
    return 0;
}

/* Prices go where the demand pushes them, as an auctioneer would cry them, whether or not the merit
 * falls: this leaves kinks at which Newton's method sticks. */
static int cry(struct solver *s) {
    double least = INFINITY;
    for (size_t i = 0; i < s->n; i++)
        least = fmin(least, s->scale[i]);
    for (int i = 0; i < CRIES && !is_done(s); i++) {
        double share = 0.5 / (1 + 0.05 * i);
        for (size_t j = 0; j < s->n; j++)
            s->trial[j] = clip(s->prices[j] + share * fmin(s->scale[j], 20 * least) * s->demand[j]);
        if (evaluate(s, s->trial, s->trial_demand))
            return -1;
        accept(s);
    }
    return 0;
}

/* One price alone: demand at 0 is not above 0 (done), or at 1 not below 0 (done), or it changes
 * its sign between. */
static int bisect(struct solver *s) {
    double low = 0, high = 1, demand;
    if (evaluate(s, &low, &demand) || evaluate(s, &high, &demand))
        return -1;
    for (int i = 0; i < BISECTIONS && !is_done(s); i++) {
        double middle = (low + high) / 2;
        if (evaluate(s, &middle, &demand))
            return -1;
        *(demand > 0 ? &low : &high) = middle;
    }
    return 0;
}

static int is_zero(const double *values, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (values[i] != 0)
            return 0;
    return 1;
}

static int solve(struct solver *s) {
    struct random random;
    size_t restarts = s->problem->restarts > 0 ? s->problem->restarts : RESTARTS;
    random_seed(&random, s->problem->seed, 0x6d61726b6574);
    int result = evaluate(s, s->prices, s->demand);
    if (result == 0 && !is_done(s) && s->n == 1)
        return bisect(s);
    if (result == 0 && !is_done(s) && is_zero(s->jacobian, s->n * s->n))
        result = make_jacobian(s);
    while (result == 0 && !is_done(s)) {
        for (int i = 0; i < ROUNDS && result == 0 && !is_done(s); i++) {
            result = newton(s);
            if (result == 0 && !is_done(s))
                result = cry(s) || make_jacobian(s);
        }
        if (result != 0 || is_done(s) || s->solution->restarts == restarts)
            break;
        /* From near the best point so far, or from anywhere. */
        s->solution->restarts++;
        for (size_t i = 0; i < s->n; i++)
            s->prices[i] = s->solution->restarts % 2
                               ? clip(s->best[i] + 0.1 * random_normal(&random))
                               : random_uniform(&random);
        result = evaluate(s, s->prices, s->demand) || make_jacobian(s);
    }
    return result;
}

int market_solve(const struct market_problem *problem, double *prices, double *jacobian,
                 struct market_solution *solution, struct error *error) {
    size_t n = problem->count;
    *solution = (struct market_solution){0};
    if (n == 0)
        return 0;
    struct solver s = {.problem = problem,
                       .n = n,
                       .jacobian = jacobian,
                       .best_gain = INFINITY,
                       .solution = solution,
                       .error = error};
    double *room = memory_allocate(7 * n + n * n, sizeof *room, error);
    s.pivots = memory_allocate(n, sizeof *s.pivots, error);
    int result = room == NULL || s.pivots == NULL ? -1 : 0;
    if (result == 0)
        result = shared_library_load(&s.dgesv, (const char *[]){"LAPACKE_dgesv"}, 1,
                                     "liblapacke.so.3", error);
    if (result == 0) {
        double **parts[] = {&s.prices, &s.demand, &s.trial, &s.trial_demand,
                            &s.best,   &s.step,   &s.scale};
        for (size_t i = 0; i < 7; i++)
            *parts[i] = room + i * n;
        s.matrix = room + 7 * n;
        memcpy(s.prices, prices, n * sizeof *prices);
        result = solve(&s);
        memcpy(prices, s.best, n * sizeof *prices);
        solution->gain = s.best_gain;
    }
    memory_free(room);
    memory_free(s.pivots);
    return result ? -1 : 0;
}
