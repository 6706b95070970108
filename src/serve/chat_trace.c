#include "serve/chat_trace.h"

#include <math.h>

#include "serve/request_values.h"

const char *chat_outcome_name(enum assistant_outcome outcome) {
    static const char *const NAMES[] = {"replied", "hedged",           "dreamed",
                                        "judged",  "declined_request", "declined_reply"};
    return NAMES[outcome];
}

/* Principles that were not asked, as the screen saw nothing, are left out. */
static json_t *finding_to_json(const struct guard_finding *finding,
                               const struct principles *principles) {
    json_t *prices = json_object();
    for (size_t i = 0; i < principles->count; i++)
        if (isfinite(finding->prices[i]))
            json_object_set_new(prices, principles->items[i].name, json_real(finding->prices[i]));
    return json_pack("{s:f, s:o}", "screen", finding->screen, "principles", prices);
}

static json_t *claims_to_json(const struct claims *claims) {
    json_t *list = json_array();
    for (size_t i = 0; i < claims->count; i++) {
        double probability = claims->probabilities[i];
        json_t *text = json_string(claims->texts[i]); /* NULL where a character was cut */
        json_array_append_new(
            list,
            json_pack("{s:o, s:o, s:s?}", "text", text != NULL ? text : json_string(""),
                      "probability", isfinite(probability) ? json_real(probability) : json_null(),
                      "source", claims->sources[i]));
    }
    return list;
}

json_t *chat_trace_to_json(const struct assistant_trace *trace, const struct principles *principles,
                           const struct values_grant *grant) {
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "outcome", chat_outcome_name(trace->outcome),
                     "odds", isfinite(trace->odds) ? json_real(trace->odds) : json_null(),
                     "request", finding_to_json(&trace->request, principles), "reply",
                     trace->looks > 0 ? finding_to_json(&trace->reply, principles) : json_null(),
                     "claims", claims_to_json(&trace->claims), "values",
                     grant != NULL ? values_grant_to_json(grant) : json_null());
}
