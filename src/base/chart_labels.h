/* Where to put the labels of a scatter chart so that they can be read: pure geometry.
 *
 * Each label has some places around its point to choose from, which cost more the farther off they
 * are and the more they cover. Simulated annealing, then a greedy search, lower the sum of the
 * costs; the result is the same on every run. With over 200 labels only the nearest places are
 * tried. */
#ifndef TRINE_BASE_CHART_LABELS_H
#define TRINE_BASE_CHART_LABELS_H

#include <stdbool.h>
#include <stddef.h>

struct chart_box {
    double left, top, right, bottom;
};

struct chart_label {
    double x, y;          /* the point; set by the caller, as are width and height */
    double width, height; /* of the text; a width of 0 is a point without a label */
    struct chart_box box; /* the answer */
    size_t place;         /* its number among those tried; of no use to the caller */
    bool has_leader;      /* the label is so far off that it needs a line to its point */
    bool is_hidden;       /* it would still overlap another one */
};

/* Places the labels inside `area`, clear of the points, which are discs of `radius`. */
void chart_labels_place(struct chart_label *labels, size_t count, struct chart_box area,
                        double radius);

/* The place on the box nearest to the point (x, y): where a leader line ends. */
void chart_box_nearest(struct chart_box box, double x, double y, double *nearest_x,
                       double *nearest_y);

bool chart_boxes_overlap(struct chart_box a, struct chart_box b);

#endif
