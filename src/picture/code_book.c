#include "picture/code_book.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "math/real.h"
#include "picture/patches.h"

/* Centres lie between the greys, in quarters; then the largest sum of squares, 16 * 60^2, still
 * fits 16 bits, and a vector holds twice as many. */
enum { FINENESS = 4, ROUNDS = 40, FIRST_SIZE = 1 << 12, LARGEST_SIZE = 1 << 21 };

static const uint64_t SEED = 0x9a7c4;

int code_book_create(struct code_book *out, const uint64_t *patches, size_t count,
                     struct error *error) {
    *out = (struct code_book){.count = count};
    if (count < 1 || count > CODE_BOOK_MOST)
        return error_set(error, "a code book has at most %d patches, not %zu", CODE_BOOK_MOST,
                         count);
    out->patches = memory_allocate(count, sizeof *out->patches, error);
    out->levels = memory_allocate(count * PATCH_PIXELS, sizeof *out->levels, error);
    if (out->patches == NULL || out->levels == NULL) {
        code_book_free(out);
        return -1;
    }
    memcpy(out->patches, patches, count * sizeof *patches);
    for (size_t c = 0; c < count; c++) {
        uint8_t levels[PATCH_PIXELS];
        patch_unpack(levels, patches[c]);
        for (size_t i = 0; i < PATCH_PIXELS; i++)
            out->levels[i * count + c] = (int16_t)(levels[i] * FINENESS);
    }
    return 0;
}

void code_book_free(struct code_book *book) {
    memory_free(book->patches);
    memory_free(book->levels);
    *book = (struct code_book){0};
}

/* distances[count] <- of each centre, all pixels in quarters. */
VECTOR_CLONES static void measure(uint16_t *restrict distances, const int16_t *restrict centres,
                                  const int16_t *point, size_t count) {
    memset(distances, 0, count * sizeof *distances);
    for (size_t i = 0; i < PATCH_PIXELS; i++)
        for (size_t c = 0; c < count; c++) {
            int16_t apart = (int16_t)(centres[i * count + c] - point[i]);
            distances[c] = (uint16_t)(distances[c] + (uint16_t)(apart * apart));
        }
}

VECTOR_CLONES static uint16_t smallest(const uint16_t *distances, size_t count) {
    uint16_t least = UINT16_MAX;
    for (size_t c = 0; c < count; c++)
        least = distances[c] < least ? distances[c] : least;
    return least;
}

/* The first of the nearest of centres[PATCH_PIXELS,count]. */
static size_t nearest(const int16_t *centres, size_t count, const int16_t *point) {
    uint16_t distances[CODE_BOOK_MOST];
    measure(distances, centres, point, count);
    uint16_t least = smallest(distances, count);
    size_t first = 0;
    while (distances[first] != least)
        first++;
    return first;
}

static void fine_levels(int16_t point[PATCH_PIXELS], uint64_t patch) {
    uint8_t levels[PATCH_PIXELS];
    patch_unpack(levels, patch);
    for (size_t i = 0; i < PATCH_PIXELS; i++)
        point[i] = (int16_t)(levels[i] * FINENESS);
}

size_t code_book_nearest(const struct code_book *book, uint64_t patch) {
    int16_t point[PATCH_PIXELS];
    fine_levels(point, patch);
    return nearest(book->levels, book->count, point);
}

/* Counting */

static uint64_t *find_entry(const struct patch_counts *counts, uint64_t patch) {
    for (size_t i = random_mix(patch) % counts->size;; i = (i + 1) % counts->size) {
        uint64_t *entry = counts->entries[i];
        if (entry[1] == 0 || entry[0] == patch)
            return entry;
    }
}

/* A table of `size` with the entries that were seen more often than `least`. */
static int rebuild(struct patch_counts *counts, size_t size, uint64_t least, struct error *error) {
    struct patch_counts fresh = {.size = size, .forgotten = least};
    fresh.entries = memory_allocate(size, sizeof *fresh.entries, error);
    if (fresh.entries == NULL)
        return -1;
    for (size_t i = 0; i < counts->size; i++) {
        if (counts->entries[i][1] <= least)
            continue;
        memcpy(find_entry(&fresh, counts->entries[i][0]), counts->entries[i],
               sizeof *fresh.entries);
        fresh.count++;
    }
    patch_counts_free(counts);
    *counts = fresh;
    return 0;
}

int patch_counts_add(struct patch_counts *counts, uint64_t patch, struct error *error) {
    while (2 * (counts->count + 1) > counts->size) {
        int is_full = counts->size == LARGEST_SIZE;
        size_t size = counts->size == 0 ? FIRST_SIZE : is_full ? LARGEST_SIZE : 2 * counts->size;
        if (rebuild(counts, size, counts->forgotten + (is_full ? 1 : 0), error))
            return -1;
    }
    uint64_t *entry = find_entry(counts, patch);
    counts->count += entry[1] == 0;
    entry[0] = patch;
    entry[1]++;
    return 0;
}

void patch_counts_free(struct patch_counts *counts) {
    memory_free(counts->entries);
    *counts = (struct patch_counts){0};
}

/* Learning */

struct point {
    uint64_t patch, times;
    int16_t levels[PATCH_PIXELS];
    uint32_t centre;  /* its nearest */
    uint32_t squares; /* from it, while centres are chosen */
};

struct learner {
    struct point *points;
    size_t point_count, count; /* of centres; the first is white and stays */
    int16_t *centres;          /* [PATCH_PIXELS,count] */
    uint64_t *sums;            /* [count,PATCH_PIXELS + 1]: levels, then how many */
};

static int compare_points(const void *a, const void *b) {
    uint64_t x = ((const struct point *)a)->patch, y = ((const struct point *)b)->patch;
    return (x > y) - (x < y);
}

static int compare_patches(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* In the patches' order: that of the table depends on what was forgotten when. */
static void gather(struct learner *l, const struct patch_counts *counts) {
    for (size_t i = 0; i < counts->size; i++) {
        struct point point = {.patch = counts->entries[i][0], .times = counts->entries[i][1]};
        if (point.times == 0)
            continue;
        fine_levels(point.levels, point.patch);
        l->points[l->point_count++] = point;
    }
    qsort(l->points, l->point_count, sizeof *l->points, compare_points);
}

/* Takes a centre into account; returns the sum over points of times x squared distance. */
static uint64_t note_centre(struct learner *l, size_t index, const int16_t centre[PATCH_PIXELS]) {
    uint64_t total = 0;
    for (size_t i = 0; i < PATCH_PIXELS; i++)
        l->centres[i * l->count + index] = centre[i];
#pragma omp parallel for schedule(static) reduction(+ : total)
    for (size_t p = 0; p < l->point_count; p++) {
        struct point *point = &l->points[p];
        uint32_t squares = 0;
        for (size_t i = 0; i < PATCH_PIXELS; i++) {
            int apart = point->levels[i] - centre[i];
            squares += (uint32_t)(apart * apart);
        }
        point->squares = index == 0 || squares < point->squares ? squares : point->squares;
        total += point->times * point->squares;
    }
    return total;
}

/* k-means++: the next centre is a point, by chance in proportion to times x squared distance. */
static void choose_centres(struct learner *l) {
    struct random random;
    int16_t white[PATCH_PIXELS];
    random_seed(&random, SEED, l->count);
    fine_levels(white, PATCH_WHITE);
    uint64_t total = note_centre(l, 0, white);
    for (size_t c = 1; c < l->count; c++) {
        /* There are more points than centres, so some lie apart from all of these. */
        uint64_t at = random_below(&random, total);
        size_t p = 0;
        while (at >= l->points[p].times * l->points[p].squares) {
            at -= l->points[p].times * l->points[p].squares;
            p++;
        }
        total = note_centre(l, c, l->points[p].levels);
    }
}

/* Returns how many points changed their centre. */
static size_t assign(struct learner *l) {
    size_t changed = 0;
#pragma omp parallel for schedule(static) reduction(+ : changed)
    for (size_t p = 0; p < l->point_count; p++) {
        uint32_t centre = (uint32_t)nearest(l->centres, l->count, l->points[p].levels);
        changed += centre != l->points[p].centre;
        l->points[p].centre = centre;
    }
    return changed;
}

/* Each centre to the middle of its points; one without points stays. */
static void move_centres(struct learner *l) {
    static const size_t STRIDE = PATCH_PIXELS + 1;
    memset(l->sums, 0, l->count * STRIDE * sizeof *l->sums);
    for (size_t p = 0; p < l->point_count; p++) {
        const struct point *point = &l->points[p];
        uint64_t *sums = l->sums + point->centre * STRIDE;
        for (size_t i = 0; i < PATCH_PIXELS; i++)
            sums[i] += point->times * (uint64_t)point->levels[i];
        sums[PATCH_PIXELS] += point->times;
    }
    for (size_t c = 1; c < l->count; c++) {
        const uint64_t *sums = l->sums + c * STRIDE;
        uint64_t times = sums[PATCH_PIXELS];
        for (size_t i = 0; times > 0 && i < PATCH_PIXELS; i++)
            l->centres[i * l->count + c] = (int16_t)((sums[i] + times / 2) / times);
    }
}

static uint64_t round_centre(const struct learner *l, size_t c) {
    uint8_t levels[PATCH_PIXELS];
    for (size_t i = 0; i < PATCH_PIXELS; i++)
        levels[i] = (uint8_t)((l->centres[i * l->count + c] + FINENESS / 2) / FINENESS);
    return patch_pack(levels);
}

/* patches[count] in order, no two alike; returns how many are left. */
static size_t unite(uint64_t *patches, size_t count) {
    size_t kept = 0;
    qsort(patches, count, sizeof *patches, compare_patches);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || patches[i] != patches[kept - 1])
            patches[kept++] = patches[i];
    return kept;
}

int code_book_learn(struct code_book *out, const struct patch_counts *counts, size_t count,
                    struct error *error) {
    *out = (struct code_book){0};
    if (count < CODE_BOOK_LEAST || count > CODE_BOOK_MOST)
        return error_set(error, "a code book has %d to %d patches, not %zu", CODE_BOOK_LEAST,
                         CODE_BOOK_MOST, count);
    struct learner l = {.count = count};
    uint64_t *patches = memory_allocate(count + 1, sizeof *patches, error);
    l.points = memory_allocate(counts->count, sizeof *l.points, error);
    l.centres = memory_allocate(count * PATCH_PIXELS, sizeof *l.centres, error);
    l.sums = memory_allocate(count * (PATCH_PIXELS + 1), sizeof *l.sums, error);
    int result = !patches || !l.points || !l.centres || !l.sums ? -1 : 0;
    if (result == 0) {
        gather(&l, counts);
        size_t found = l.point_count;
        int has_white = found > 0 && l.points[found - 1].patch == PATCH_WHITE;
        int is_all = found + (has_white ? 0 : 1) <= count;
        if (!is_all) {
            choose_centres(&l);
            for (int round = 0; round < ROUNDS && assign(&l) > 0; round++)
                move_centres(&l);
        }
        for (size_t i = 0; i < (is_all ? found : count); i++)
            patches[i] = is_all ? l.points[i].patch : round_centre(&l, i);
        size_t chosen = is_all ? found : count;
        if (is_all)
            patches[chosen++] = PATCH_WHITE;
        result = code_book_create(out, patches, unite(patches, chosen), error);
    }
    memory_free(patches);
    memory_free(l.points);
    memory_free(l.centres);
    memory_free(l.sums);
    return result;
}
