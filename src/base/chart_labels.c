#include "base/chart_labels.h"

#include <math.h>

#include "base/random.h"

enum { DIRECTIONS = 24, RINGS = 11, ROUNDS = 12 };

/* Costs are in points of distance, so that their balance can be judged: covering a label is worse
 * than any move, covering a point nearly so, crossing a line is worth a detour, and so is a place
 * beside a stranger's point, where the label reads as that point's name. */
static const double COST_LABEL = 400, COST_POINT = 300, COST_OUTSIDE = 1000, COST_CROSSING = 80,
                    COST_LINE_OVER_POINT = 40, COST_AMBIGUOUS = 20, COST_LEADER = 8;
static const double LEADER_FROM = 7;     /* a gap that the eye no longer bridges */
static const double AMBIGUOUS_UNDER = 5; /* a gap that ties a label to a point */

/* Annealing, and the rounds after it, stop after this many comparisons of a label with another: a
 * fraction of a second each. */
static const double COMPARISONS = 8e6, STEPS_PER_LABEL = 2500;
enum { MANY_LABELS = 200, RINGS_FOR_MANY = 2 };

struct segment {
    double x0, y0, x1, y1;
};

struct board {
    struct chart_label *labels;
    size_t count, place_count;
    struct chart_box area;
    double radius;
};

bool chart_boxes_overlap(struct chart_box a, struct chart_box b) {
    return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

static double clamp(double value, double low, double high) {
    return value < low ? low : value > high ? high : value;
}

void chart_box_nearest(struct chart_box box, double x, double y, double *nearest_x,
                       double *nearest_y) {
    *nearest_x = clamp(x, box.left, box.right);
    *nearest_y = clamp(y, box.top, box.bottom);
}

static double gap(struct chart_box box, double x, double y) {
    double nearest_x, nearest_y;
    chart_box_nearest(box, x, y, &nearest_x, &nearest_y);
    return hypot(nearest_x - x, nearest_y - y);
}

static double overlap_share(struct chart_box a, struct chart_box b) {
    double width = fmin(a.right, b.right) - fmax(a.left, b.left);
    double height = fmin(a.bottom, b.bottom) - fmax(a.top, b.top);
    if (width <= 0 || height <= 0)
        return 0;
    double smaller =
        fmin((a.right - a.left) * (a.bottom - a.top), (b.right - b.left) * (b.bottom - b.top));
    return width * height / smaller;
}

static double turn(double ax, double ay, double bx, double by, double cx, double cy) {
    return (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
}

static bool segments_cross(struct segment a, struct segment b) {
    double c = turn(a.x0, a.y0, a.x1, a.y1, b.x0, b.y0);
    double d = turn(a.x0, a.y0, a.x1, a.y1, b.x1, b.y1);
    double e = turn(b.x0, b.y0, b.x1, b.y1, a.x0, a.y0);
    double f = turn(b.x0, b.y0, b.x1, b.y1, a.x1, a.y1);
    return c * d < 0 && e * f < 0;
}

static bool segment_meets_box(struct segment s, struct chart_box box) {
    if (fmax(s.x0, s.x1) < box.left || fmin(s.x0, s.x1) > box.right || fmax(s.y0, s.y1) < box.top ||
        fmin(s.y0, s.y1) > box.bottom)
        return false;
    /* It meets the box unless all corners lie on one side of it. */
    double a = turn(s.x0, s.y0, s.x1, s.y1, box.left, box.top);
    double b = turn(s.x0, s.y0, s.x1, s.y1, box.right, box.top);
    double c = turn(s.x0, s.y0, s.x1, s.y1, box.left, box.bottom);
    double d = turn(s.x0, s.y0, s.x1, s.y1, box.right, box.bottom);
    return !((a > 0 && b > 0 && c > 0 && d > 0) || (a < 0 && b < 0 && c < 0 && d < 0));
}

/* The line from a label's point to its box. */
static struct segment leader(const struct chart_label *label, struct chart_box box) {
    struct segment line = {label->x, label->y, 0, 0};
    chart_box_nearest(box, label->x, label->y, &line.x1, &line.y1);
    return line;
}

/* Place `index` of a label: rings of growing distance around the point, the box touching the ring
 * from outside. The first ring's first place, to the right, is where one looks first. */
static struct chart_box place_of(const struct board *board, const struct chart_label *label,
                                 size_t index) {
    size_t ring = index / DIRECTIONS, direction = index % DIRECTIONS;
    double angle = 6.283185307179586 * (double)direction / DIRECTIONS;
    double distance = board->radius + 2.5 + 7.0 * (double)ring * (1 + 0.08 * (double)ring);
    double x = label->x + distance * cos(angle), y = label->y + distance * sin(angle);
    /* Slide the box along its side, so that it leaves the point in the direction of the ring. */
    double share_x = 0.5 - 0.5 * clamp(1.6 * cos(angle), -1, 1);
    double share_y = 0.5 - 0.5 * clamp(1.6 * sin(angle), -1, 1);
    struct chart_box box = {x - share_x * label->width, y - share_y * label->height, 0, 0};
    box.right = box.left + label->width;
    box.bottom = box.top + label->height;
    return box;
}

/* What a label at `box` costs beside label or point number `other`. */
static double cost_beside(const struct board *board, size_t self, struct chart_box box,
                          size_t other) {
    const struct chart_label *label = &board->labels[self], *neighbour = &board->labels[other];
    double cost = 0;
    bool has_leader = gap(box, label->x, label->y) > board->radius + LEADER_FROM;
    double to_neighbour = gap(box, neighbour->x, neighbour->y) - board->radius;
    if (to_neighbour < 1)
        cost += COST_POINT;
    else if (to_neighbour < AMBIGUOUS_UNDER)
        cost += COST_AMBIGUOUS;
    struct segment line = leader(label, box);
    if (has_leader && hypot(neighbour->x - label->x, neighbour->y - label->y) > board->radius &&
        segment_meets_box(
            line, (struct chart_box){neighbour->x - board->radius, neighbour->y - board->radius,
                                     neighbour->x + board->radius, neighbour->y + board->radius}))
        cost += COST_LINE_OVER_POINT;
    if (neighbour->width <= 0)
        return cost;
    double share = overlap_share(box, neighbour->box);
    if (share > 0)
        cost += COST_LABEL * (0.25 + share);
    if (has_leader && segment_meets_box(line, neighbour->box))
        cost += COST_CROSSING;
    if (neighbour->has_leader) {
        struct segment theirs = leader(neighbour, neighbour->box);
        if (segment_meets_box(theirs, box) || (has_leader && segments_cross(line, theirs)))
            cost += COST_CROSSING;
    }
    return cost;
}

static double cost_of(const struct board *board, size_t self, size_t place, double best) {
    const struct chart_label *label = &board->labels[self];
    struct chart_box box = place_of(board, label, place);
    /* Right and left read best, then above and below; nearer is better. */
    double angle = 6.283185307179586 * (double)(place % DIRECTIONS) / DIRECTIONS;
    double cost = gap(box, label->x, label->y) * 1.2 + 3 * fabs(sin(angle)) - 1.5 * cos(angle);
    if (gap(box, label->x, label->y) > board->radius + LEADER_FROM)
        cost += COST_LEADER;
    double outside = fmax(0, board->area.left - box.left) + fmax(0, box.right - board->area.right) +
                     fmax(0, board->area.top - box.top) + fmax(0, box.bottom - board->area.bottom);
    if (outside > 0)
        cost += COST_OUTSIDE + outside;
    for (size_t other = 0; other < board->count && cost < best; other++)
        if (other != self)
            cost += cost_beside(board, self, box, other);
    return cost;
}

static void move_to(const struct board *board, struct chart_label *label, size_t place) {
    label->place = place;
    label->box = place_of(board, label, place);
    label->has_leader = gap(label->box, label->x, label->y) > board->radius + LEADER_FROM;
}

/* Moves one label to its cheapest place; false when it is there already. */
static bool improve(const struct board *board, size_t self) {
    struct chart_label *label = &board->labels[self];
    size_t kept = label->place, choice = kept;
    double best = cost_of(board, self, kept, INFINITY);
    for (size_t place = 0; place < board->place_count; place++) {
        double cost = cost_of(board, self, place, best);
        if (cost < best - 1e-9) {
            best = cost;
            choice = place;
        }
    }
    move_to(board, label, choice);
    return choice != kept;
}

/* Simulated annealing (Christensen, Marks and Shieber 1995 found it the best of the simple ways to
 * place labels): random moves, the bad ones ever more rarely. */
static void anneal(const struct board *board) {
    static const double HOT = 60, COLD = 0.7;
    struct random random;
    random_seed(&random, 0, board->count);
    double count = (double)board->count;
    double steps = fmin(STEPS_PER_LABEL * count, COMPARISONS / count);
    for (double step = 0; step < steps; step++) {
        double temperature = HOT * pow(COLD / HOT, step / steps);
        size_t self = (size_t)random_below(&random, board->count);
        size_t place = (size_t)random_below(&random, board->place_count);
        struct chart_label *label = &board->labels[self];
        if (label->width <= 0)
            continue;
        double now = cost_of(board, self, label->place, INFINITY);
        double limit = now - temperature * log(1 - random_uniform(&random));
        if (cost_of(board, self, place, limit) < limit)
            move_to(board, label, place);
    }
}

/* Of two labels that overlap, the later one goes; points keep no labels over them either way. */
static void hide_overlapping(struct board *board) {
    for (size_t i = 0; i < board->count; i++) {
        struct chart_label *label = &board->labels[i];
        label->is_hidden = label->width <= 0;
        for (size_t j = 0; j < i && !label->is_hidden; j++)
            label->is_hidden = !board->labels[j].is_hidden &&
                               overlap_share(label->box, board->labels[j].box) > 0.02;
    }
}

void chart_labels_place(struct chart_label *labels, size_t count, struct chart_box area,
                        double radius) {
    size_t rings = count > MANY_LABELS ? RINGS_FOR_MANY : RINGS;
    struct board board = {labels, count, DIRECTIONS * rings, area, radius};
    for (size_t i = 0; i < count; i++)
        move_to(&board, &labels[i], 0);
    if (count > 1 && count <= MANY_LABELS)
        anneal(&board);
    double round_comparisons = (double)count * (double)count * (double)board.place_count;
    double rounds = fmin(fmax(COMPARISONS / fmax(round_comparisons, 1), 1), ROUNDS);
    bool moved = true;
    for (double round = 0; round < rounds && moved; round++) {
        moved = false;
        for (size_t i = 0; i < count; i++)
            if (labels[i].width > 0)
                moved |= improve(&board, i);
    }
    hide_overlapping(&board);
}
