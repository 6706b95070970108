/* What the microscope saw as a page: one HTML file that needs no network, reads well without its
 * script, in the dark, on paper and on a telephone. */
#ifndef TRINE_DREAM_MICROSCOPE_PAGE_H
#define TRINE_DREAM_MICROSCOPE_PAGE_H

#include <jansson.h>
#include <stdio.h>

#include "base/error.h"

/* Writes the page of an object of microscope_create. All its texts stay text, whatever they hold;
 * and the page's own policy runs no script but its own and asks no network for anything. Whether
 * the stream took it all is for the caller to see. */
int microscope_page_write(FILE *stream, const json_t *content, struct error *error);

#endif
