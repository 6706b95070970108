#include "truth/report.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

struct judged {
    double probability;
    int is_true;
};

static int compare(const void *x, const void *y) {
    double a = ((const struct judged *)x)->probability, b = ((const struct judged *)y)->probability;
    return (a > b) - (a < b);
}

/* Mann and Whitney's U over the number of pairs; ties count one half. */
static double area_of(struct judged *items, size_t count) {
    double true_count = 0, rank_sum = 0;
    qsort(items, count, sizeof *items, compare);
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from; to < count && items[to].probability == items[from].probability; to++)
            ;
        double rank = ((double)from + (double)to + 1) / 2;
        for (size_t i = from; i < to; i++) {
            true_count += items[i].is_true;
            rank_sum += items[i].is_true ? rank : 0;
        }
    }
    double pairs = true_count * ((double)count - true_count);
    return pairs > 0 ? (rank_sum - true_count * (true_count + 1) / 2) / pairs : NAN;
}

static void add_to_bins(struct judgement_report *r, double p, int is_true) {
    size_t bin = (size_t)fmin(CALIBRATION_BINS - 1, p * CALIBRATION_BINS);
    r->bins[bin].count++;
    r->bins[bin].mean += p;
    r->bins[bin].true_share += is_true;
}

int judgement_report_make(struct judgement_report *r, const double *probabilities,
                          const double *outcomes, size_t count, struct error *error) {
    struct judged *items = memory_allocate(count, sizeof *items, error);
    if (items == NULL)
        return -1;
    *r = (struct judgement_report){.count = count};
    for (size_t i = 0; i < count; i++) {
        int is_true = outcomes[i] > 0.5;
        double p = probabilities[i], bounded = fmin(1 - 1e-6, fmax(1e-6, p));
        items[i] = (struct judged){p, is_true};
        r->accuracy += (p > 0.5) == is_true;
        r->brier += (p - is_true) * (p - is_true);
        r->log_loss -= log(is_true ? bounded : 1 - bounded);
        add_to_bins(r, p, is_true);
    }
    double n = count > 0 ? (double)count : 1;
    r->accuracy /= n;
    r->brier /= n;
    r->log_loss /= n;
    r->area = area_of(items, count);
    for (int b = 0; b < CALIBRATION_BINS; b++) {
        double own = (double)r->bins[b].count;
        if (own == 0)
            continue;
        r->bins[b].mean /= own;
        r->bins[b].true_share /= own;
        r->calibration_error += own / n * fabs(r->bins[b].mean - r->bins[b].true_share);
    }
    memory_free(items);
    return 0;
}

void judgement_report_print(FILE *stream, const struct judgement_report *r) {
    fprintf(
        stream,
        "%zu statements: accuracy %.4f, area under the ROC curve %.4f, Brier score %.4f, log loss "
        "%.4f nats, expected calibration error %.4f\n",
        r->count, r->accuracy, r->area, r->brier, r->log_loss, r->calibration_error);
    fprintf(stream, "%12s %8s %8s %8s\n", "probability", "count", "mean", "true");
    for (int b = 0; b < CALIBRATION_BINS; b++)
        if (r->bins[b].count > 0)
            fprintf(stream, " %4.1f to %3.1f %8zu %8.3f %8.3f\n", (double)b / CALIBRATION_BINS,
                    (double)(b + 1) / CALIBRATION_BINS, r->bins[b].count, r->bins[b].mean,
                    r->bins[b].true_share);
}

json_t *judgement_report_to_json(const struct judgement_report *r) {
    json_t *bins = json_array();
    for (int b = 0; b < CALIBRATION_BINS; b++)
        json_array_append_new(bins,
                              json_pack("{s:I, s:f, s:f}", "count", (json_int_t)r->bins[b].count,
                                        "mean", r->bins[b].mean, "true", r->bins[b].true_share));
    return json_pack("{s:I, s:f, s:f, s:f, s:f, s:f, s:o}", "count", (json_int_t)r->count,
                     "accuracy", r->accuracy, "area", isfinite(r->area) ? r->area : 0.5, "brier",
                     r->brier, "log_loss", r->log_loss, "calibration_error", r->calibration_error,
                     "bins", bins);
}
