/* What the good author thought on the way to a reply, as JSON: the field "trine" of a chat's
 * reply. */
#ifndef TRINE_SERVE_CHAT_TRACE_H
#define TRINE_SERVE_CHAT_TRACE_H

#include <jansson.h>

#include "good/assistant.h"
#include "good/values.h"

/* {"outcome", "odds", "request", "reply", "claims", "values"}; grant NULL: no wish was made. */
json_t *chat_trace_to_json(const struct assistant_trace *trace, const struct principles *principles,
                           const struct values_grant *grant);

/* "replied", "hedged", "dreamed", "judged", "declined_request", "declined_reply" */
const char *chat_outcome_name(enum assistant_outcome outcome);

#endif
