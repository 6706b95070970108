#include "truth/strategy_parse.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { WORD_LIMIT = 4096, DEPTH_LIMIT = 200, MOST_DAYS_BACK = 100000 };

struct parser {
    struct strategy *strategy;
    const struct belief_base *base;
    const char *source, *at;
    size_t line;
    int depth;
    struct error *error;
    char word[WORD_LIMIT];
};

static int wrong(struct parser *p, const char *what) {
    char found[40];
    size_t length = strcspn(p->at, "\n");
    snprintf(found, sizeof found, "%.*s", (int)(length < 30 ? length : 30), p->at);
    return error_set(p->error, "%s:%zu: %s before \"%s\"", p->source, p->line, what, found);
}

/* Spaces and comments, not the ends of lines. */
static void skip_blanks(struct parser *p) {
    while (*p->at == ' ' || *p->at == '\t' || *p->at == '\r')
        p->at++;
    if (*p->at == '#')
        p->at += strcspn(p->at, "\n");
}

static void skip_lines(struct parser *p) {
    for (skip_blanks(p); *p->at == '\n'; skip_blanks(p)) {
        p->line++;
        p->at++;
    }
}

static int take(struct parser *p, char wanted) {
    skip_blanks(p);
    if (*p->at != wanted)
        return 0;
    p->at++;
    return 1;
}

static int expect(struct parser *p, char wanted) {
    char what[] = "\" \" is expected";
    what[1] = wanted;
    return take(p, wanted) ? 0 : wrong(p, what);
}

static int is_word(char c) {
    return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '-' || (c & 0x80) != 0;
}

/* p->word <- a word of letters; "" when there is none. Minus signs end it unless it is a name. */
static void read_word(struct parser *p, int is_name) {
    size_t length = 0;
    skip_blanks(p);
    while (length + 1 < WORD_LIMIT && is_word(p->at[length]) &&
           (is_name || isalpha((unsigned char)p->at[length])))
        length++;
    memcpy(p->word, p->at, length);
    p->word[length] = '\0';
    p->at += length;
}

static int read_quoted(struct parser *p) {
    size_t length = 0;
    for (p->at++; *p->at != '"'; p->at++) {
        if (*p->at == '\\' && (p->at[1] == '"' || p->at[1] == '\\'))
            p->at++;
        if (*p->at == '\0' || *p->at == '\n' || length + 1 == WORD_LIMIT)
            return wrong(p, "a quotation has no end");
        p->word[length++] = *p->at;
    }
    p->word[length] = '\0';
    p->at++;
    return 0;
}

static int read_name(struct parser *p) {
    skip_blanks(p);
    if (*p->at == '"')
        return read_quoted(p);
    read_word(p, 1);
    return *p->word != '\0' ? 0 : wrong(p, "a name is expected");
}

static int read_sentence(struct parser *p, uint32_t *sentence) {
    const char *start = p->at;
    if (read_name(p))
        return -1;
    *sentence = sentences_find_name(p->base->sentences, p->word);
    if (*sentence == UINT32_MAX)
        *sentence = sentences_find_atom(p->base->sentences, p->word);
    if (*sentence != UINT32_MAX)
        return 0;
    p->at = start;
    return wrong(p, "no sentence has this name or text");
}

static int add_node(struct parser *p, struct strategy_node node, uint32_t *out) {
    struct strategy *s = p->strategy;
    if (s->node_count >= STRATEGY_NODES_LIMIT)
        return wrong(p, "this strategy is too long");
    if (memory_grow(&s->nodes, &s->node_capacity, s->node_count + 1, sizeof *s->nodes, p->error))
        return -1;
    *out = (uint32_t)s->node_count;
    s->nodes[s->node_count++] = node;
    return 0;
}

static int read_number(struct parser *p, double *value) {
    char *end;
    skip_blanks(p);
    int sign = take(p, '-') ? -1 : 1;
    skip_blanks(p);
    if (!isdigit((unsigned char)*p->at) && *p->at != '.')
        return wrong(p, "a number is expected");
    *value = sign * strtod(p->at, &end);
    if (end == p->at || !isfinite(*value) || fabs(*value) > 1e6)
        return wrong(p, "a number of at most a million is expected");
    p->at = end;
    return 0;
}

static int read_days(struct parser *p, double *days) {
    if (read_number(p, days) || expect(p, ')'))
        return -1;
    if (*days != floor(*days) || *days < 1 || *days > MOST_DAYS_BACK)
        return wrong(p, "a whole number of days from 1 on is expected");
    return 0;
}

static int read_sum(struct parser *p, uint32_t *out);

static int read_price(struct parser *p, uint32_t *out) {
    struct strategy_node node = {.operation = STRATEGY_PRICE, .sentence = UINT32_MAX};
    if (take(p, '(') && read_days(p, &node.value))
        return -1;
    const char *before = p->at;
    read_word(p, 0);
    if (strcmp(p->word, "of") != 0)
        p->at = before;
    else if (read_sentence(p, &node.sentence))
        return -1;
    return add_node(p, node, out);
}

static int read_average(struct parser *p, uint32_t *out) {
    struct strategy_node node = {.operation = STRATEGY_AVERAGE};
    if (expect(p, '(') || read_days(p, &node.value))
        return -1;
    return add_node(p, node, out);
}

/* Arguments in parentheses: expressions first, then numbers. */
static int read_call(struct parser *p, enum strategy_operation operation, int expressions,
                     int numbers, uint32_t *out) {
    struct strategy_node node = {.operation = operation};
    uint32_t *const parts[] = {&node.a, &node.b};
    double *const values[] = {&node.value, &node.high};
    for (int i = 0; i < expressions + numbers; i++)
        if (expect(p, i == 0 ? '(' : ',') ||
            (i < expressions ? read_sum(p, parts[i]) : read_number(p, values[i - expressions])))
            return -1;
    if (expect(p, ')'))
        return -1;
    if (numbers == 2 && !(node.value < node.high))
        return wrong(p, "the first bound must be below the second");
    return add_node(p, node, out);
}

static int read_word_operand(struct parser *p, uint32_t *out) {
    static const struct {
        const char *word;
        enum strategy_operation operation;
        int expressions, numbers;
    } WORDS[] = {{"held", STRATEGY_HELD, 0, 0},       {"known", STRATEGY_KNOWN, 0, 0},
                 {"verdict", STRATEGY_VERDICT, 0, 0}, {"frequency", STRATEGY_FREQUENCY, 0, 0},
                 {"day", STRATEGY_DAY, 0, 0},         {"min", STRATEGY_MINIMUM, 2, 0},
                 {"max", STRATEGY_MAXIMUM, 2, 0},     {"abs", STRATEGY_MAGNITUDE, 1, 0},
                 {"clamp", STRATEGY_CLAMP, 1, 2},     {"ramp", STRATEGY_RAMP, 1, 2},
                 {"share", STRATEGY_SHARE, 1, 0}};
    const char *start = p->at;
    read_word(p, 0);
    if (strcmp(p->word, "price") == 0)
        return read_price(p, out);
    if (strcmp(p->word, "average") == 0)
        return read_average(p, out);
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
        if (strcmp(p->word, WORDS[i].word) != 0)
            continue;
        if (WORDS[i].expressions > 0)
            return read_call(p, WORDS[i].operation, WORDS[i].expressions, WORDS[i].numbers, out);
        return add_node(p, (struct strategy_node){.operation = WORDS[i].operation}, out);
    }
    p->at = start;
    return wrong(p, "price, average, held, known, verdict, frequency, day, min, max, abs, clamp, "
                    "ramp, share, a number or \"(\" is expected");
}

static int read_operand(struct parser *p, uint32_t *out) {
    struct strategy_node number = {.operation = STRATEGY_NUMBER};
    if (++p->depth > DEPTH_LIMIT)
        return wrong(p, "too many parentheses inside each other");
    skip_blanks(p);
    int result;
    if (take(p, '(')) {
        result = read_sum(p, out) || expect(p, ')') ? -1 : 0;
    } else if (take(p, '-')) {
        uint32_t zero, operand;
        result = add_node(p, number, &zero) || read_operand(p, &operand) ||
                         add_node(p,
                                  (struct strategy_node){
                                      .operation = STRATEGY_SUBTRACT, .a = zero, .b = operand},
                                  out)
                     ? -1
                     : 0;
    } else if (isdigit((unsigned char)*p->at) || *p->at == '.') {
        result = read_number(p, &number.value) || add_node(p, number, out) ? -1 : 0;
    } else {
        result = read_word_operand(p, out);
    }
    p->depth--;
    return result;
}

static int read_product(struct parser *p, uint32_t *out) {
    if (read_operand(p, out))
        return -1;
    for (;;) {
        struct strategy_node node = {.operation = STRATEGY_MULTIPLY, .a = *out};
        if (take(p, '*')) {
            if (read_operand(p, &node.b))
                return -1;
        } else if (take(p, '/')) {
            struct strategy_node inverse = {.operation = STRATEGY_NUMBER};
            if (read_number(p, &inverse.value))
                return -1;
            if (fabs(inverse.value) < 1e-6)
                return wrong(p, "a number that is not zero is expected");
            inverse.value = 1 / inverse.value;
            if (add_node(p, inverse, &node.b))
                return -1;
        } else {
            return 0;
        }
        if (add_node(p, node, out))
            return -1;
    }
}

static int read_sum(struct parser *p, uint32_t *out) {
    if (read_product(p, out))
        return -1;
    for (;;) {
        struct strategy_node node = {.a = *out};
        if (take(p, '+'))
            node.operation = STRATEGY_ADD;
        else if (take(p, '-'))
            node.operation = STRATEGY_SUBTRACT;
        else
            return 0;
        if (read_product(p, &node.b) || add_node(p, node, out))
            return -1;
    }
}

static int find_family(struct parser *p, uint32_t *sentence) {
    if (read_name(p))
        return -1;
    for (size_t i = 0; i < p->base->count; i++)
        if (strcmp(p->base->items[i].family, p->word) == 0) {
            *sentence = p->base->items[i].sentence;
            return 0;
        }
    return wrong(p, "no sentence is of this family");
}

static int read_rule(struct parser *p, struct strategy_rule *rule) {
    if (strcmp(p->word, "every") == 0) {
        rule->scope = STRATEGY_EVERY;
        read_word(p, 0);
        if (strcmp(p->word, "sentence") != 0)
            return wrong(p, "\"every sentence\" is expected");
    } else if (strcmp(p->word, "sentence") == 0) {
        rule->scope = STRATEGY_SENTENCE;
        if (read_sentence(p, &rule->sentence))
            return -1;
    } else {
        rule->scope = STRATEGY_FAMILY;
        if (find_family(p, &rule->sentence))
            return -1;
    }
    return expect(p, ':') || read_sum(p, &rule->root) ? -1 : 0;
}

static int read_line(struct parser *p) {
    struct strategy *s = p->strategy;
    const char *start = p->at;
    read_word(p, 0);
    if (strcmp(p->word, "name") == 0) {
        if (read_name(p))
            return -1;
        if (snprintf(s->name, sizeof s->name, "%s", p->word) >= (int)sizeof s->name)
            return wrong(p, "this name is too long");
    } else if (strcmp(p->word, "every") == 0 || strcmp(p->word, "sentence") == 0 ||
               strcmp(p->word, "family") == 0) {
        if (memory_grow(&s->rules, &s->rule_capacity, s->rule_count + 1, sizeof *s->rules,
                        p->error) ||
            read_rule(p, &s->rules[s->rule_count]))
            return -1;
        s->rule_count++;
    } else {
        p->at = start;
        return wrong(p, "name, every sentence, sentence or family is expected");
    }
    skip_blanks(p);
    return *p->at == '\n' || *p->at == '\0' ? 0 : wrong(p, "an operator or a new line is expected");
}

int strategy_read_rules(struct strategy *strategy, const char *text, const char *source,
                        const struct belief_base *base, struct error *error) {
    struct parser *p = memory_allocate(1, sizeof *p, error);
    if (p == NULL)
        return -1;
    *p = (struct parser){.strategy = strategy,
                         .base = base,
                         .source = source,
                         .at = text,
                         .line = 1,
                         .error = error};
    int result = 0;
    for (skip_lines(p); result == 0 && *p->at != '\0'; skip_lines(p))
        result = read_line(p);
    if (result == 0 && strategy->rule_count == 0)
        result = error_set(error, "%s: there is no rule in it", source);
    memory_free(p);
    return result;
}
