/* What a strategy is once it is read: rules with trees of expressions. */
#ifndef TRINE_TRUTH_STRATEGY_PARSE_H
#define TRINE_TRUTH_STRATEGY_PARSE_H

#include "truth/strategy.h"

enum strategy_operation {
    STRATEGY_NUMBER,  /* value */
    STRATEGY_PRICE,   /* value: days ago; sentence, or UINT32_MAX for the rule's own */
    STRATEGY_AVERAGE, /* value: days */
    STRATEGY_HELD,
    STRATEGY_KNOWN,
    STRATEGY_VERDICT,
    STRATEGY_FREQUENCY,
    STRATEGY_DAY,
    STRATEGY_ADD,
    STRATEGY_SUBTRACT,
    STRATEGY_MULTIPLY,
    STRATEGY_MINIMUM,
    STRATEGY_MAXIMUM,
    STRATEGY_MAGNITUDE,
    STRATEGY_CLAMP, /* value to high */
    STRATEGY_RAMP,  /* value to high */
    STRATEGY_SHARE
};

struct strategy_node {
    enum strategy_operation operation;
    uint32_t a, b; /* nodes before this one */
    double value, high;
    uint32_t sentence;
};

enum strategy_scope { STRATEGY_EVERY, STRATEGY_SENTENCE, STRATEGY_FAMILY };

struct strategy_rule {
    enum strategy_scope scope;
    uint32_t sentence; /* the one, or any of the family */
    uint32_t root;
};

struct strategy {
    struct trader trader;
    char name[120];
    struct strategy_node *nodes;
    size_t node_count, node_capacity;
    struct strategy_rule *rules;
    size_t rule_count, rule_capacity;
};

int strategy_read_rules(struct strategy *strategy, const char *text, const char *source,
                        const struct belief_base *base, struct error *error);

#endif
