/* Traders made of a network: what it says of every sentence that is a text when it is asked, and
 * how likely it finds the sentence's last words. Both are log odds of some scale, which the market
 * calibrates on what becomes known. */
#ifndef TRINE_TRUTH_WITNESS_H
#define TRINE_TRUTH_WITNESS_H

#include "truth/asking.h"
#include "truth/library.h"
#include "truth/opinions.h"

enum { WITNESS_ASKED = 1, WITNESS_HEARD = 2 };

/* Opinions of the traders "NAME, asked" and "NAME, heard" (`ways`, added up) from `day` on, on the
 * base's texts but those that were known before that day. */
int witness_testify(struct opinions *opinions, const char *name, int ways, struct asking *asking,
                    const struct asked *asked, const struct belief_base *base, uint32_t day,
                    size_t threads, struct error *error);

/* Opinions of the trader NAME, who reads: what a library says of the base's texts. */
int witness_read(struct opinions *opinions, const char *name, struct library *library,
                 const struct library_filter *filter, const struct belief_base *base,
                 struct error *error);

/* The texts of a base that are not laws, in its order, each with its place among the beliefs. To be
 * freed with free; they borrow from the base. */
struct base_texts {
    const char **texts;
    size_t *places;
    size_t count;
};
int base_texts_collect(struct base_texts *out, const struct belief_base *base, struct error *error);
void base_texts_free(struct base_texts *texts);

#endif
