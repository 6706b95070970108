/* Likelihood as evidence: the reader proposes a slot's likeliest labels, and the writer decides
 * among them by how well it predicts the text when it is told each.
 *
 * The two see different things: the reader adds up small signs, the writer asks which author makes
 * the whole text least surprising. Its log-likelihoods are multiplied by a factor of the number of
 * tokens that is fitted on validation documents, as neighbouring tokens repeat each other. */
#ifndef TRINE_DREAM_DECIDE_H
#define TRINE_DREAM_DECIDE_H

#include "dream/reading.h"

enum {
    MAXIMUM_CANDIDATES = 16,
    DOCUMENT_PIECES = 12 /* so many pieces of a document are judged, spread over it */
};

struct decision {
    size_t count; /* candidates; 0: none were judged */
    size_t labels[MAXIMUM_CANDIDATES];
    double likelihood[MAXIMUM_CANDIDATES]; /* log p(text | label) in nats, of `tokens` tokens */
    double tokens;
};

struct decisions {
    size_t slot;
    struct decision *pieces;    /* [reading's pieces]; only full pieces are judged */
    struct decision *documents; /* [dataset's documents] */
};

/* Judges the reader's `candidates` likeliest labels of a categorical slot, for every full piece
 * and every document of a reading. */
int decisions_create(struct decisions *out, const struct model *model,
                     const struct dataset *dataset, const struct reading *reading, size_t slot,
                     size_t candidates, size_t threads, struct error *error);
void decisions_free(struct decisions *decisions);

/* The same for the tokens of one document, of which the whole decides. */
int decision_of_document(struct decision *out, const struct model *model,
                         const struct token_list *list, size_t slot, size_t candidates,
                         size_t threads, struct error *error);

/* log_odds[point_count]: the candidates share out their mass anew; other labels keep theirs. */
void decision_apply(const struct decision *decision, const struct slot *slot, double *log_odds);

#endif
