/* What the sections of the microscope's page share; included by microscope_page*.c only. */
#ifndef TRINE_DREAM_MICROSCOPE_PAGE_PRIVATE_H
#define TRINE_DREAM_MICROSCOPE_PAGE_PRIVATE_H

#include <jansson.h>
#include <stdio.h>

#include "dream/html.h"

enum {
    PAGE_HUES = 6,   /* colours for words, in the style sheet: c1 ..; c0: any other */
    PAGE_STEPS = 16, /* of the scale for numbers: s0 .. s15 */
    PAGE_COLOURINGS = 8
};

/* One way of colouring the labels. */
struct page_colouring {
    const char *name;
    int is_scale;
    double low, high; /* of a scale */
    const char *words[PAGE_HUES];
    size_t word_count;
    int has_others;
};

struct page {
    FILE *stream;
    const json_t *content;
    const json_t *authors; /* the labels; "author" is what most of them are */
    size_t author_count;
    const char *one, *many; /* "author", "authors" */
    struct page_colouring colourings[PAGE_COLOURINGS];
    size_t colouring_count;
};

const char *page_text(const json_t *object, const char *key);
double page_number(const json_t *object, const char *key); /* 0 when it is not there */
const json_t *page_author(const struct page *page, size_t index);
const char *page_label(const struct page *page, size_t index);
double page_coordinate(const struct page *page, size_t index, size_t component);

/* Finds out by what the labels can be coloured. */
void page_find_colourings(struct page *page);
/* The class of a label's colour: "s7", "c2". text[8] */
const char *page_colour(const struct page *page, size_t colouring, size_t author, char *text);
/* The class of a number on a colouring's scale, or the middle when there is none. text[8] */
const char *page_scale_colour(const struct page *page, const char *name, double x, char *text);

/* A round step, so that at most `most` of them fit into the range. */
double page_round_step(double range, double most);

/* The sections, each with its heading. */
void page_map(const struct page *page);
void page_components(const struct page *page);
void page_dates(const struct page *page);
void page_neighbours(const struct page *page);
void page_disputed(const struct page *page);

#endif
