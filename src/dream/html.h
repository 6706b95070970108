/* HTML written so that no text can become markup. */
#ifndef TRINE_DREAM_HTML_H
#define TRINE_DREAM_HTML_H

#include <stdio.h>

/* printf for HTML: the format is markup, and the text of every %s is escaped for elements and for
 * attributes in quotes. Knows %s (NULL: nothing), %zu, %d, %u, %f with their flags, and %%. Texts
 * are UTF-8 without control characters. */
void html_write(FILE *stream, const char *format, ...) __attribute__((format(printf, 2, 3)));

enum { HTML_NUMBER = 48 };
/* "+0.59" or "-1.40" with a true minus sign; text[HTML_NUMBER]. */
const char *html_signed(char *text, double x, int decimals);
/* 563965 as "563,965"; text[HTML_NUMBER]. */
const char *html_count(char *text, double x);
/* The year with as many decimals as it needs, at most one; text[HTML_NUMBER]. */
const char *html_year(char *text, double year);

#endif
