/* Who stands next to whom: the tree of all, the closest pairs, everybody's nearest. */
#include <math.h>
#include <stdlib.h>

#include "dream/microscope_page_private.h"

enum { WIDTH = 360, ROW = 17, NAMES_AT = 216, TREE_LEFT = 6, AXIS = 26 };

struct node {
    double x, y; /* of a joint, or of a label's end of the tree */
    size_t a, b; /* the two that a joint joins */
};

struct tree {
    const struct page *page;
    struct node *nodes;
    size_t leaves, rows;
};

/* Labels from top to bottom as the joints have them; a joint stands between its two. */
static void place_node(struct tree *tree, size_t index) {
    struct node *node = &tree->nodes[index];
    if (index < tree->leaves) {
        node->y = ROW * ((double)tree->rows++ + 0.5);
        return;
    }
    place_node(tree, node->a);
    place_node(tree, node->b);
    node->y = (tree->nodes[node->a].y + tree->nodes[node->b].y) / 2;
}

static double joint_x(double distance, double widest) {
    return NAMES_AT - 8 - distance / widest * (NAMES_AT - 8 - TREE_LEFT);
}

static int read_joints(struct tree *tree, const json_t *joints, double *widest) {
    const json_t *joint;
    size_t index;
    *widest = 1e-9;
    json_array_foreach(joints, index, joint) *widest =
        fmax(*widest, json_number_value(json_array_get(joint, 2)));
    for (size_t i = 0; i < tree->leaves; i++)
        tree->nodes[i].x = NAMES_AT - 8;
    json_array_foreach(joints, index, joint) {
        struct node *node = &tree->nodes[tree->leaves + index];
        node->a = (size_t)json_integer_value(json_array_get(joint, 0));
        node->b = (size_t)json_integer_value(json_array_get(joint, 1));
        node->x = joint_x(json_number_value(json_array_get(joint, 2)), *widest);
        if (node->a >= tree->leaves + index || node->b >= tree->leaves + index)
            return -1;
    }
    return 0;
}

static void write_axis(const struct tree *tree, double widest) {
    double step = page_round_step(widest, 5), bottom = ROW * (double)tree->leaves;
    char text[HTML_NUMBER];
    for (double v = 0; v <= widest; v += step)
        html_write(tree->page->stream,
                   "<line class=\"axis\" x1=\"%.1f\" x2=\"%.1f\" y1=\"0\" y2=\"%.1f\"/>"
                   "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>",
                   joint_x(v, widest), joint_x(v, widest), bottom + 4, joint_x(v, widest),
                   bottom + 18, html_year(text, v));
}

static void write_tree(const struct tree *tree, double widest) {
    const struct page *page = tree->page;
    char class[8];
    html_write(
        page->stream,
        "<figure class=\"tree\"><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Tree of "
        "the %s\">\n",
        WIDTH, (int)(ROW * tree->leaves + AXIS), page->many);
    write_axis(tree, widest);
    for (size_t i = tree->leaves; i + 1 < 2 * tree->leaves; i++) {
        const struct node *n = &tree->nodes[i], *a = &tree->nodes[n->a], *b = &tree->nodes[n->b];
        html_write(page->stream, "<path class=\"branch\" d=\"M%.1f %.1fH%.1fV%.1fH%.1f\"/>", a->x,
                   a->y, n->x, b->y, b->x);
    }
    for (size_t i = 0; i < tree->leaves; i++)
        html_write(page->stream,
                   "<g class=\"leaf %s\" data-author=\"%zu\"><circle class=\"dot\" cx=\"%d\" "
                   "cy=\"%.1f\" r=\"4\"/><text x=\"%d\" y=\"%.1f\">%s</text></g>\n",
                   page_colour(page, 0, i, class), i, NAMES_AT - 5, tree->nodes[i].y, NAMES_AT + 3,
                   tree->nodes[i].y + 4, page_label(page, i));
    fputs("</svg>\n<figcaption>Closest first: groups are joined at the mean distance between their "
          "members, in spreads.</figcaption></figure>\n",
          page->stream);
}

static void draw_tree(const struct page *page, const json_t *joints) {
    struct tree tree = {.page = page, .leaves = page->author_count};
    double widest;
    if (json_array_size(joints) + 1 != tree.leaves) {
        html_write(page->stream,
                   "<p class=\"soft\">There are too many %s to draw their tree.</p>\n", page->many);
        return;
    }
    tree.nodes = calloc(2 * tree.leaves, sizeof *tree.nodes);
    if (tree.nodes != NULL && read_joints(&tree, joints, &widest) == 0) {
        place_node(&tree, 2 * tree.leaves - 2);
        write_tree(&tree, widest);
    }
    free(tree.nodes);
}

static void write_pairs(const struct page *page, const json_t *pairs) {
    const json_t *pair;
    size_t index;
    fputs(
        "<div>\n<h3>The closest pairs</h3>\n<table><thead><tr><th scope=\"col\" colspan=\"2\">pair"
        "</th><th scope=\"col\" class=\"number\">spreads</th></tr></thead><tbody>\n",
        page->stream);
    json_array_foreach(pairs, index, pair)
        html_write(page->stream, "<tr><td>%s</td><td>%s</td><td class=\"number\">%.2f</td></tr>\n",
                   page_label(page, (size_t)json_integer_value(json_array_get(pair, 0))),
                   page_label(page, (size_t)json_integer_value(json_array_get(pair, 1))),
                   json_number_value(json_array_get(pair, 2)));
    fputs("</tbody></table>\n", page->stream);
}

static void write_nearest(const struct page *page, const json_t *nearest) {
    const json_t *list, *near;
    size_t index, k;
    html_write(
        page->stream,
        "<h3>The three nearest to each</h3>\n<div class=\"scroller tall\" tabindex=\"0\" "
        "role=\"region\" aria-label=\"The nearest to each\"><table id=\"nearest\"><thead><tr>"
        "<th scope=\"col\">%s</th><th scope=\"col\">nearest, with the distance in spreads</th>"
        "</tr></thead><tbody>\n",
        page->one);
    json_array_foreach(nearest, index, list) {
        html_write(page->stream, "<tr><th scope=\"row\">%s</th><td>", page_label(page, index));
        json_array_foreach(list, k, near) {
            size_t other = (size_t)json_integer_value(json_array_get(near, 0));
            html_write(
                page->stream,
                "%s<span data-near=\"%zu\">%s</span> <span class=\"number soft\">%.2f</span>",
                k > 0 ? ", " : "", other, page_label(page, other),
                json_number_value(json_array_get(near, 1)));
        }
        fputs("</td></tr>\n", page->stream);
    }
    fputs("</tbody></table></div>\n</div>\n", page->stream);
}

void page_neighbours(const struct page *page) {
    const json_t *neighbours = json_object_get(page->content, "neighbours");
    html_write(
        page->stream,
        "<p>Distances in all %.0f dimensions, not only the two of the map. In each, the unit "
        "is the spread, how far the model expects documents of one %s to scatter; "
        "a distance is the root of the sum of squares.</p>\n"
        "<div class=\"pair\">\n",
        page_number(json_object_get(page->content, "header"), "width"), page->one);
    draw_tree(page, json_object_get(neighbours, "tree"));
    write_pairs(page, json_object_get(neighbours, "pairs"));
    write_nearest(page, json_object_get(neighbours, "nearest"));
    fputs("</div>\n", page->stream);
}
