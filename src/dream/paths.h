/* Does a path through the handles do what it says? Writes texts along dates and between authors,
 * reads them back with the same model, and compares the order. */
#ifndef TRINE_DREAM_PATHS_H
#define TRINE_DREAM_PATHS_H

#include <jansson.h>
#include <stdio.h>

#include "latent/model.h"

enum { PATH_POINTS = 9, PATH_TEXTS = 4, PATH_TOKENS = 192, MAXIMUM_PATHS = 12 };

/* One path: at each point `told` is set, PATH_TEXTS texts are written, and `read` is the mean of
 * what the reader makes of them: the median year, or log p(to) - log p(from) of two authors. */
struct path {
    char name[200];
    double told[PATH_POINTS], read[PATH_POINTS];
    double rank_correlation; /* Spearman's, of told and read */
};

struct path_report {
    struct path *paths;
    size_t count;
    double date_correlation, author_correlation; /* means over the paths of each kind; NAN: none */
};

/* Paths of dates, 1800 to 2000, by up to six authors spread over the table; paths between up to
 * six pairs of authors. Models without such slots give empty reports. */
int path_report_create(struct path_report *report, const struct model *model, size_t threads,
                       struct error *error);
void path_report_free(struct path_report *report);

json_t *path_report_to_json(const struct path_report *report);
void path_report_print(FILE *stream, const struct path_report *report);

/* Spearman's rank correlation of x[n] and y[n]; ties share their mean rank. NAN when either is
 * constant. */
double rank_correlation(const double *x, const double *y, size_t n);

#endif
