#include "truth/logic.h"

#include <stdlib.h>
#include <string.h>

#include <ccadical.h>

#include "base/memory.h"

struct logic {
    CCaDiCaL *solver;
    const struct sentences *sentences;
    size_t encoded; /* sentences below it have their clauses */
    int guards;     /* how many guard variables were used */
};

/* Sentences have odd variables, guards even ones. */
static int variable(uint32_t sentence) {
    return 2 * (int)sentence + 1;
}

static int literal(struct claim claim) {
    return claim.is_true ? variable(claim.sentence) : -variable(claim.sentence);
}

static int new_guard(struct logic *l) {
    return 2 * ++l->guards;
}

int logic_create(struct logic **out, const struct sentences *sentences, struct error *error) {
    *out = memory_allocate(1, sizeof **out, error);
    if (*out == NULL)
        return -1;
    (*out)->sentences = sentences;
    (*out)->solver = ccadical_init();
    return 0;
}

void logic_destroy(struct logic *l) {
    if (l == NULL)
        return;
    ccadical_release(l->solver);
    memory_free(l);
}

static void add_clause(struct logic *l, int a, int b, int c) {
    const int literals[] = {a, b, c};
    for (int i = 0; i < 3; i++)
        if (literals[i] != 0)
            ccadical_add(l->solver, literals[i]);
    ccadical_add(l->solver, 0);
}

/* x <-> (a and b) */
static void define_and(struct logic *l, int x, int a, int b) {
    add_clause(l, -x, a, 0);
    add_clause(l, -x, b, 0);
    add_clause(l, x, -a, -b);
}

/* x <-> (a <-> b) */
static void define_iff(struct logic *l, int x, int a, int b) {
    add_clause(l, -x, -a, b);
    add_clause(l, -x, a, -b);
    add_clause(l, x, a, b);
    add_clause(l, x, -a, -b);
}

static void encode(struct logic *l, uint32_t id) {
    const struct sentence *s = sentences_get(l->sentences, id);
    int x = variable(id), a = variable(s->left), b = variable(s->right);
    switch (s->kind) {
    case SENTENCE_ATOM:
        break;
    case SENTENCE_NOT:
        add_clause(l, -x, -a, 0);
        add_clause(l, x, a, 0);
        break;
    case SENTENCE_AND:
        define_and(l, x, a, b);
        break;
    case SENTENCE_OR:
        define_and(l, -x, -a, -b);
        break;
    case SENTENCE_IMPLIES:
        define_and(l, -x, a, -b);
        break;
    case SENTENCE_IFF:
        define_iff(l, x, a, b);
        break;
    case SENTENCE_XOR:
        define_iff(l, -x, a, b);
        break;
    }
}

static void encode_new(struct logic *l) {
    for (; l->encoded < sentences_count(l->sentences); l->encoded++)
        encode(l, (uint32_t)l->encoded);
}

void logic_assert(struct logic *l, struct claim claim) {
    encode_new(l);
    add_clause(l, literal(claim), 0, 0);
}

enum { SATISFIABLE = 10 };

int logic_is_consistent(struct logic *l, const struct claim *claims, size_t count) {
    encode_new(l);
    for (size_t i = 0; i < count; i++)
        ccadical_assume(l->solver, literal(claims[i]));
    return ccadical_solve(l->solver) == SATISFIABLE;
}

int logic_verdict(struct logic *l, uint32_t sentence) {
    struct claim claim = {sentence, 0};
    if (!logic_is_consistent(l, &claim, 1))
        return 1;
    claim.is_true = 1;
    return logic_is_consistent(l, &claim, 1) ? 0 : -1;
}

/* Consistent without the claim that is listed at place `without`? When not, the list shrinks to the
 * claims that the solver's refutation used. */
static int is_needed(struct logic *l, const struct claim *claims, size_t *list, size_t *count,
                     size_t without) {
    for (size_t i = 0; i < *count; i++)
        if (i != without)
            ccadical_assume(l->solver, literal(claims[list[i]]));
    if (ccadical_solve(l->solver) == SATISFIABLE)
        return 1;
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++)
        if (i != without && ccadical_failed(l->solver, literal(claims[list[i]])))
            list[kept++] = list[i];
    *count = kept;
    return 0;
}

void logic_find_clash(struct logic *l, const struct claim *claims, size_t count, size_t *clash,
                      size_t *clash_count) {
    encode_new(l);
    for (size_t i = 0; i < count; i++)
        clash[i] = i;
    *clash_count = count;
    if (is_needed(l, claims, clash, clash_count, SIZE_MAX)) {
        *clash_count = SIZE_MAX;
        return;
    }
    /* Claims before `at` were found needed, and stay so as others go: with fewer beside it, a
     * claim cannot become one to spare. The order of what is kept does not change. */
    for (size_t at = 0; at < *clash_count;)
        at += (size_t)is_needed(l, claims, clash, clash_count, at);
}

static int store_world(struct logic *l, const uint32_t *sentences, size_t count, uint8_t **worlds,
                       size_t *capacity, size_t at, struct error *error) {
    if (memory_grow(worlds, capacity, (at + 1) * count, 1, error))
        return -1;
    for (size_t i = 0; i < count; i++)
        (*worlds)[at * count + i] = ccadical_val(l->solver, variable(sentences[i])) > 0;
    return 0;
}

int logic_worlds(struct logic *l, const uint32_t *sentences, size_t count, size_t limit,
                 uint8_t **worlds, size_t *world_count, struct error *error) {
    int guard = new_guard(l), result = 0;
    size_t capacity = 0;
    *worlds = NULL;
    *world_count = 0;
    encode_new(l);
    /* Clauses that block the worlds found hold under the guard, and are dropped with it. */
    while (ccadical_assume(l->solver, guard), ccadical_solve(l->solver) == SATISFIABLE) {
        if (*world_count == limit) {
            *world_count = SIZE_MAX;
            break;
        }
        result = store_world(l, sentences, count, worlds, &capacity, *world_count, error);
        if (result != 0)
            break;
        const uint8_t *world = *worlds + *world_count * count;
        ccadical_add(l->solver, -guard);
        for (size_t i = 0; i < count; i++)
            ccadical_add(l->solver, world[i] ? -variable(sentences[i]) : variable(sentences[i]));
        ccadical_add(l->solver, 0);
        ++*world_count;
    }
    add_clause(l, -guard, 0, 0);
    if (result != 0 || *world_count == SIZE_MAX) {
        free(*worlds);
        *worlds = NULL;
    }
    return result;
}
