#include "truth/projection.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum {
    DEFAULT_SWEEPS = 500,
    DEFAULT_ATOMS = 4,
    MOST_ATOMS = 6,
    MOST_WORLDS = 1 << MOST_ATOMS,
    MOST_MEMBERS = 64, /* of a group that is solved over its worlds */
    PAIR_STEPS = 400,
    LINE_STEPS = 30
};
static const double EDGE = 1e-7;

struct projection {
    const struct sentences *sentences;
    struct projection_options options;
    struct facet *facets; /* by groups */
    size_t facet_count;
    uint32_t *members;                  /* sentences by groups, ascending within each */
    size_t *first_member, *first_facet; /* [groups + 1] */
    size_t group_count;
};

static double logit(double p) {
    return log(p / (1 - p));
}

static double logistic(double x) {
    return 1 / (1 + exp(-x));
}

static double clip(double p) {
    return fmin(1 - EDGE, fmax(EDGE, p));
}

static uint32_t find(uint32_t *parent, uint32_t i) {
    while (parent[i] != i)
        i = parent[i] = parent[parent[i]];
    return i;
}

/* group[i] <- the number of the group of sentence i; groups are numbered as they come. */
static size_t number_groups(const struct sentences *sentences, uint32_t *group, uint32_t *parent) {
    size_t count = sentences_count(sentences), groups = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct sentence *s = sentences_get(sentences, i);
        parent[i] = i;
        if (s->kind == SENTENCE_ATOM)
            continue;
        uint32_t left = find(parent, s->left), right = find(parent, s->right);
        uint32_t least = left < right ? left : right;
        parent[left] = parent[right] = parent[i] = least;
    }
    for (uint32_t i = 0; i < count; i++)
        group[i] = find(parent, i) == i ? (uint32_t)groups++ : group[find(parent, i)];
    return groups;
}

/* first[group + 1] counts at first, then where each begins. */
static void add_up(size_t *first, size_t groups) {
    for (size_t g = 0; g < groups; g++)
        first[g + 1] += first[g];
}

static int sort_by_groups(struct projection *p, const uint32_t *group, struct error *error) {
    size_t count = sentences_count(p->sentences);
    struct facet *sorted = malloc((p->facet_count + 1) * sizeof *sorted);
    size_t *next = memory_allocate(2 * (p->group_count + 1), sizeof *next, error);
    if (sorted == NULL || next == NULL) {
        free(sorted);
        memory_free(next);
        return error_set(error, "out of memory for the facets of %zu sentences", count);
    }
    for (size_t i = 0; i < count; i++)
        p->first_member[group[i] + 1]++;
    for (size_t i = 0; i < p->facet_count; i++)
        p->first_facet[group[p->facets[i].sentence[0]] + 1]++;
    add_up(p->first_member, p->group_count);
    add_up(p->first_facet, p->group_count);
    size_t *next_facet = next + p->group_count + 1;
    memcpy(next, p->first_member, (p->group_count + 1) * sizeof *next);
    memcpy(next_facet, p->first_facet, (p->group_count + 1) * sizeof *next);
    for (size_t i = 0; i < count; i++)
        p->members[next[group[i]]++] = (uint32_t)i;
    for (size_t i = 0; i < p->facet_count; i++)
        sorted[next_facet[group[p->facets[i].sentence[0]]]++] = p->facets[i];
    free(p->facets);
    p->facets = sorted;
    memory_free(next);
    return 0;
}

int projection_create(struct projection **out, const struct sentences *sentences,
                      const struct projection_options *options, struct error *error) {
    size_t count = sentences_count(sentences);
    struct projection *p = *out = NULL;
    uint32_t *group = memory_allocate(2 * count, sizeof *group, error);
    if (group == NULL || (p = memory_allocate(1, sizeof *p, error)) == NULL) {
        memory_free(group);
        return -1;
    }
    p->sentences = sentences;
    p->options = options != NULL ? *options : (struct projection_options){0};
    if (p->options.tolerance <= 0)
        p->options.tolerance = 1e-6;
    if (p->options.sweeps == 0)
        p->options.sweeps = DEFAULT_SWEEPS;
    if (p->options.most_atoms == 0)
        p->options.most_atoms = DEFAULT_ATOMS;
    if (p->options.most_atoms > MOST_ATOMS)
        p->options.most_atoms = MOST_ATOMS;
    p->group_count = number_groups(sentences, group, group + count);
    p->members = memory_allocate(count, sizeof *p->members, error);
    p->first_member = memory_allocate(p->group_count + 1, sizeof *p->first_member, error);
    p->first_facet = memory_allocate(p->group_count + 1, sizeof *p->first_facet, error);
    int result = p->members == NULL || p->first_member == NULL || p->first_facet == NULL ||
                         facets_collect(sentences, &p->facets, &p->facet_count, error) ||
                         sort_by_groups(p, group, error)
                     ? -1
                     : 0;
    memory_free(group);
    if (result != 0)
        projection_destroy(p);
    else
        *out = p;
    return result;
}

void projection_destroy(struct projection *p) {
    if (p == NULL)
        return;
    free(p->facets);
    memory_free(p->members);
    memory_free(p->first_member);
    memory_free(p->first_facet);
    memory_free(p);
}

const struct facet *projection_facets(const struct projection *p, size_t *count) {
    *count = p->facet_count;
    return p->facets;
}

static int is_fixed(const uint8_t *fixed, uint32_t sentence) {
    return fixed != NULL && fixed[sentence] <= 1;
}

/* Onto sum c_i x_i = bound: x_i = logistic(logit p_i - lambda c_i / weight_i), lambda by Newton's
 * method between bounds that are kept. */
static void project_on_facet(const struct facet *facet, double *prices, const uint8_t *fixed,
                             const double *weights) {
    double slope[3], start[3], bound = facet->bound, low = -60, high = 60, lambda = 0;
    uint32_t open[3];
    int count = 0;
    for (int i = 0; i < facet->count; i++) {
        uint32_t s = facet->sentence[i];
        if (is_fixed(fixed, s) || facet->coefficient[i] == 0) {
            bound -= facet->coefficient[i] * prices[s];
            continue;
        }
        slope[count] = facet->coefficient[i] / (weights != NULL ? weights[s] : 1);
        start[count] = logit(prices[s]);
        open[count++] = (uint32_t)i;
    }
    for (int step = 0; count > 0 && step < LINE_STEPS; step++) {
        double sum = -bound, derivative = 0;
        for (int i = 0; i < count; i++) {
            double x = logistic(start[i] - lambda * slope[i]);
            sum += facet->coefficient[open[i]] * x;
            derivative -= facet->coefficient[open[i]] * slope[i] * x * (1 - x);
        }
        if (fabs(sum) < 1e-12)
            break;
        *(sum > 0 ? &low : &high) = lambda;
        double next = derivative < 0 ? lambda - sum / derivative : low - 1;
        lambda = next > low && next < high ? next : (low + high) / 2;
    }
    for (int i = 0; i < count; i++)
        prices[facet->sentence[open[i]]] = clip(logistic(start[i] - lambda * slope[i]));
}

/* How many sweeps over a group's facets it took. */
static size_t project_by_facets(const struct projection *p, size_t group, double *prices,
                                const uint8_t *fixed, const double *weights) {
    size_t sweep = 0;
    for (double largest = INFINITY; sweep < p->options.sweeps && largest > p->options.tolerance;
         sweep++) {
        largest = 0;
        for (size_t f = p->first_facet[group]; f < p->first_facet[group + 1]; f++) {
            double violation = facet_violation(&p->facets[f], prices);
            largest = fmax(largest, violation);
            if (violation > 0.1 * p->options.tolerance)
                project_on_facet(&p->facets[f], prices, fixed, weights);
        }
    }
    return sweep;
}

/* A group over its worlds: prices are mixtures of them. */
struct small_group {
    size_t count, world_count;
    uint8_t worlds[MOST_WORLDS][MOST_MEMBERS];
    double share[MOST_WORLDS]; /* of the mixture */
    double price[MOST_MEMBERS], target[MOST_MEMBERS], weight[MOST_MEMBERS];
};

/* All ways to make the atoms true and false that agree with what is fixed. */
static void list_worlds(const struct projection *p, const uint32_t *members, size_t count,
                        const uint8_t *fixed, struct small_group *g) {
    size_t atoms[MOST_ATOMS], atom_count = 0;
    g->count = count;
    g->world_count = 0;
    for (size_t i = 0; i < count; i++)
        if (sentences_get(p->sentences, members[i])->kind == SENTENCE_ATOM)
            atoms[atom_count++] = i;
    for (unsigned bits = 0; bits < 1u << atom_count; bits++) {
        uint8_t *world = g->worlds[g->world_count];
        int agrees = 1;
        for (size_t a = 0; a < atom_count; a++)
            world[atoms[a]] = bits >> a & 1;
        for (size_t i = 0; i < count && agrees; i++) {
            const struct sentence *s = sentences_get(p->sentences, members[i]);
            if (s->kind != SENTENCE_ATOM) {
                size_t left = 0, right = 0;
                while (members[left] != s->left)
                    left++;
                while (members[right] != s->right)
                    right++;
                world[i] = (uint8_t)sentence_truth(s->kind, world[left], world[right]);
            }
            agrees = !is_fixed(fixed, members[i]) || world[i] == fixed[members[i]];
        }
        g->world_count += (size_t)agrees;
    }
}

static void mix(struct small_group *g) {
    memset(g->price, 0, g->count * sizeof *g->price);
    for (size_t w = 0; w < g->world_count; w++)
        for (size_t i = 0; i < g->count; i++)
            g->price[i] += g->share[w] * g->worlds[w][i];
}

/* The mixture starts as that of independent sentences, given that the world is consistent. */
static void start_mixture(struct small_group *g) {
    double largest = -INFINITY, sum = 0;
    for (size_t w = 0; w < g->world_count; w++) {
        g->share[w] = 0;
        for (size_t i = 0; i < g->count; i++)
            g->share[w] += g->weight[i] * log(g->worlds[w][i] ? g->target[i] : 1 - g->target[i]);
        largest = fmax(largest, g->share[w]);
    }
    for (size_t w = 0; w < g->world_count; w++)
        sum += g->share[w] = exp(g->share[w] - largest) + 1e-9;
    for (size_t w = 0; w < g->world_count; w++)
        g->share[w] /= sum;
    mix(g);
}

/* How the divergence changes as share moves from one world to another, after `moved` of it. */
static double slope_between(const struct small_group *g, size_t from, size_t to, double moved) {
    double slope = 0;
    for (size_t i = 0; i < g->count; i++) {
        int change = g->worlds[to][i] - g->worlds[from][i];
        if (change != 0)
            slope += change * g->weight[i] *
                     (logit(clip(g->price[i] + moved * change)) - logit(g->target[i]));
    }
    return slope;
}

/* Share goes from the world where it costs most to the one where it costs least. 0 at the best. */
static int move_share(struct small_group *g, double tolerance) {
    double cost[MOST_WORLDS], gradient[MOST_MEMBERS];
    size_t from = SIZE_MAX, to = 0;
    for (size_t i = 0; i < g->count; i++)
        gradient[i] = g->weight[i] * (logit(clip(g->price[i])) - logit(g->target[i]));
    for (size_t w = 0; w < g->world_count; w++) {
        cost[w] = 0;
        for (size_t i = 0; i < g->count; i++)
            cost[w] += g->worlds[w][i] * gradient[i];
        if (g->share[w] > 0 && (from == SIZE_MAX || cost[w] > cost[from]))
            from = w;
        if (cost[w] < cost[to])
            to = w;
    }
    if (cost[from] - cost[to] <= tolerance)
        return 0;
    double low = 0, high = g->share[from];
    if (slope_between(g, from, to, high) > 0)
        for (int step = 0; step < LINE_STEPS; step++) {
            double middle = (low + high) / 2;
            *(slope_between(g, from, to, middle) > 0 ? &high : &low) = middle;
        }
    g->share[from] -= high;
    if (g->share[from] < 1e-12)
        g->share[from] = 0;
    g->share[to] += high;
    for (size_t i = 0; i < g->count; i++)
        g->price[i] += high * (g->worlds[to][i] - g->worlds[from][i]);
    return 1;
}

static void project_over_worlds(const struct projection *p, const uint32_t *members, size_t count,
                                double *prices, const uint8_t *fixed, const double *weights) {
    struct small_group g;
    list_worlds(p, members, count, fixed, &g);
    if (g.world_count == 0)
        return;
    for (size_t i = 0; i < count; i++) {
        int stays = is_fixed(fixed, members[i]);
        g.target[i] = stays ? 0.5 : prices[members[i]];
        g.weight[i] = stays ? 0 : weights != NULL ? weights[members[i]] : 1;
    }
    start_mixture(&g);
    for (int step = 0; step < PAIR_STEPS && move_share(&g, 1e-6); step++)
        ;
    mix(&g);
    for (size_t i = 0; i < count; i++)
        if (!is_fixed(fixed, members[i]))
            prices[members[i]] = clip(g.price[i]);
}

static int is_small(const struct projection *p, size_t group) {
    size_t first = p->first_member[group], count = p->first_member[group + 1] - first, atoms = 0;
    if (count > MOST_MEMBERS)
        return 0;
    for (size_t i = first; i < first + count; i++)
        atoms += sentences_get(p->sentences, p->members[i])->kind == SENTENCE_ATOM;
    return atoms <= p->options.most_atoms;
}

static double largest_violation(const struct projection *p, const double *prices) {
    double largest = 0;
    for (size_t i = 0; i < p->facet_count; i++)
        largest = fmax(largest, facet_violation(&p->facets[i], prices));
    return largest;
}

int projection_run(const struct projection *p, double *prices, const uint8_t *fixed,
                   const double *weights, struct projection_report *report, struct error *error) {
    size_t count = sentences_count(p->sentences), exact = 0, sweeps = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!isfinite(prices[i]))
            return error_set(error, "the price of sentence %u is no number", i);
        prices[i] = is_fixed(fixed, i) ? fixed[i] : clip(prices[i]);
    }
    *report = (struct projection_report){.before = largest_violation(p, prices),
                                         .groups = p->group_count};
#pragma omp parallel for schedule(dynamic, 64) reduction(+ : exact) reduction(max : sweeps)
    for (size_t g = 0; g < p->group_count; g++) {
        size_t first = p->first_member[g], members = p->first_member[g + 1] - first;
        if (p->first_facet[g] == p->first_facet[g + 1])
            continue;
        if (is_small(p, g)) {
            project_over_worlds(p, p->members + first, members, prices, fixed, weights);
            exact++;
        } else {
            size_t used = project_by_facets(p, g, prices, fixed, weights);
            sweeps = used > sweeps ? used : sweeps;
        }
    }
    report->exact_groups = exact;
    report->sweeps = sweeps;
    report->after = largest_violation(p, prices);
    return 0;
}
