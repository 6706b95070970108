#include "dream/token_report.h"

#include <math.h>

#include "math/exponential.h"

/* Keeps the likeliest in order; of equals the one that came first. */
static void keep(struct token_report *report, size_t top, uint32_t id, double logit) {
    size_t at = report->top_count;
    while (at > 0 && report->top_log_probabilities[at - 1] < logit)
        at--;
    if (at == top)
        return;
    report->top_count += report->top_count < top;
    for (size_t i = report->top_count - 1; i > at; i--) {
        report->top_ids[i] = report->top_ids[i - 1];
        report->top_log_probabilities[i] = report->top_log_probabilities[i - 1];
    }
    report->top_ids[at] = id;
    report->top_log_probabilities[at] = logit;
}

void token_report_weigh(struct token_report *report, const struct token_watch *watch,
                        const real *logits, size_t vocabulary) {
    size_t top = watch->top < TOKEN_TOP_MOST ? watch->top : TOKEN_TOP_MOST;
    double most = -INFINITY, sum = 0;
    report->log_probability = NAN;
    report->top_count = 0;
    if (logits == NULL || !watch->has_log_probabilities)
        return;
    for (size_t v = 0; v < vocabulary; v++)
        most = (double)logits[v] > most ? (double)logits[v] : most;
    for (size_t v = 0; v < vocabulary; v++)
        sum += (double)exponential(logits[v] - (real)most);
    double normaliser = most + log(sum);
    for (size_t v = 0; top > 0 && v < vocabulary; v++)
        if (report->top_count < top || (double)logits[v] > report->top_log_probabilities[top - 1])
            keep(report, top, (uint32_t)v, (double)logits[v]);
    for (size_t i = 0; i < report->top_count; i++)
        report->top_log_probabilities[i] -= normaliser;
    report->log_probability = (double)logits[report->id] - normaliser;
}
