/* Slots turn labels into points of a latent space, and running handles into odds over labels.
 *
 * A slot owns `width` of the Z dimensions and a list of points, one for each label it can name:
 * a table for a categorical slot, a smooth learned function sampled on a grid for a date (of years)
 * and for a place (of points on the sphere; latent/place.h).
 * With a running handle (m, Lambda) the odds of label a are
 *
 *     log p(a) = log prior(a) - 1/2 sum_d (m_d - x_a,d)^2 / (1/Lambda_d + sigma_d^2) + constant
 *
 * where sigma is the slot's own learned spread of the documents of one label. */
#ifndef TRINE_LATENT_SLOTS_H
#define TRINE_LATENT_SLOTS_H

#include "base/error.h"
#include "math/real.h"
#include "math/sphere.h"

enum { MAXIMUM_SLOTS = 16, MAXIMUM_SLOT_WIDTH = 256, MAXIMUM_POINTS = 1 << 16 };

enum latent_kind { LATENT_CATEGORICAL, LATENT_DATE, LATENT_PLACE };

struct slot {
    char name[64];
    enum latent_kind kind;
    size_t width;       /* dimensions */
    size_t first;       /* the first of them among Z */
    size_t point_count; /* labels, or years or places on the grid */
    char **labels;      /* categorical: [point_count] owned names */
    double *log_prior;  /* [point_count] how often each label occurs in training, smoothed */
    double year_from, year_step; /* date: grid point i stands for year_from + i * year_step */
    struct cap cap;              /* place: the grid's points are cap_point()s of it */
    size_t basis_count;          /* date, place: functions that make up the learned one */
    double *basis;               /* place: their values on the grid [point_count,basis_count] */
    double *grid;                /* place: the grid as unit vectors [point_count,3] */
    /* Where its parameters start among all slot parameters: sigma's logarithm [width], then the
     * table [point_count,width] or the learned function's coefficients [basis_count,width]. */
    size_t parameters;
    /* Calibration of reading, fitted on validation documents: after n tokens the log odds are
     * multiplied by exp(calibration[0] + calibration[1] log(n / 256)), since neighbouring tokens
     * repeat each other. */
    double calibration[2];
    /* The same for the writer's log-likelihoods, where it decides among the likeliest labels. */
    double likelihood[2];
    /* The same for an attribution that is read alone (dream/naming.h), whose log odds are
     * multiplied by it; 0: the model was not taught names. */
    double naming;
};

struct slots {
    size_t count, latent_width, parameter_count;
    struct slot slots[MAXIMUM_SLOTS];
};

/* Adds a categorical slot; the names are copied; `counts` are training documents per label. */
int slots_add_categorical(struct slots *slots, const char *name, size_t width,
                          const char *const *labels, const double *counts, size_t label_count,
                          struct error *error);

/* Adds a date slot whose grid covers [from, to] years and a margin of a twentieth. */
int slots_add_date(struct slots *slots, const char *name, size_t width, double from, double to,
                   struct error *error);
/* The same with the grid's own first and last year. */
int slots_add_date_grid(struct slots *slots, const char *name, size_t width, double first,
                        double last, struct error *error);
void slots_free(struct slots *slots);

/* For kinds in files of their own: a slot of `point_count` points without parameters yet. NULL: it
 * cannot be. */
struct slot *slots_append(struct slots *slots, const char *name, size_t width, size_t point_count,
                          struct error *error);

/* "categorical", "date", "place": in files and for people. */
const char *latent_kind_name(enum latent_kind kind);

/* The slot of that name, or NULL. */
const struct slot *slots_find(const struct slots *slots, const char *name);

/* The index of a categorical label, or -1. */
long slot_find_label(const struct slot *slot, const char *label);

/* The same, or of the only label that contains the text, whatever the case. */
long slot_find_name(const struct slot *slot, const char *text);

/* The label of the greatest log odds; of equals the first. */
size_t slot_likeliest(const struct slot *slot, const double *log_odds);

/* parameters <- random start of every slot. */
void slots_initialise(const struct slots *slots, real *parameters, uint64_t seed);

/* points[point_count,width] <- the slot's points under `parameters` (those of all slots). */
void slot_points(const struct slot *slot, const real *parameters, real *points);

/* dparameters += from dpoints: the reverse of slot_points. */
void slot_points_backward(const struct slot *slot, const real *dpoints, real *dparameters);

/* point[width] <- the curve of a date slot at any year, also off the grid. */
void slot_date_point(const struct slot *slot, const real *parameters, double year, real *point);

/* point[width] <- the learned function of a date or place where its functions are basis[]. */
void slot_combine(const struct slot *slot, const real *parameters, const double *basis,
                  real *point);

/* sigma[width]. */
void slot_spread(const struct slot *slot, const real *parameters, real *sigma);

/* A label as weights on points: one label, the two years that a year is between, or the three
 * places that a place is between. They sum to 1; all indices are valid. */
enum { TARGET_POINTS = 3 };
struct slot_target {
    size_t index[TARGET_POINTS];
    double weight[TARGET_POINTS];
};

/* Years off the grid go to its ends. */
struct slot_target slot_date_target(const struct slot *slot, double year);

/* log_odds[point_count] <- normalised log posterior under mean[width], precision[width] (the
 * slot's own dimensions). The prior enters when use_prior is not 0. */
void slot_posterior(const struct slot *slot, const real *points, const real *sigma,
                    const real *mean, const real *precision, int use_prior, double *log_odds);

/* log_odds[point_count] <- what a reader should believe after `tokens` tokens: calibrated, and
 * without a prior preference for any label. */
void slot_belief(const struct slot *slot, const real *points, const real *sigma, const real *mean,
                 const real *precision, double tokens, double *log_odds);

#endif
