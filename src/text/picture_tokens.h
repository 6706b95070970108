/* Pictures in a stream of tokens: "<|image|>", then row after row of patches from left to right,
 * each row ended by "<|row|>". All of these are special tokens, and a patch token's spelling is its
 * pixels (picture/patches.h), so a vocabulary is its own code book: it needs no file beside it. */
#ifndef TRINE_TEXT_PICTURE_TOKENS_H
#define TRINE_TEXT_PICTURE_TOKENS_H

#include "picture/code_book.h"
#include "picture/raster.h"
#include "text/tokenizer.h"

/* Starts as zeros; read-only once made; may be shared by threads. */
struct picture_tokens {
    uint32_t image, row;
    uint32_t *patches; /* [book.count] ids, ascending */
    struct code_book book;
};

/* What a tokenizer has of pictures. One without "<|image|>", "<|row|>" or patches is refused. */
int picture_tokens_create(struct picture_tokens *out, const struct tokenizer *tokenizer,
                          struct error *error);
void picture_tokens_free(struct picture_tokens *pictures);

/* The patch that a token stands for: its place in the book, or -1. */
long picture_tokens_patch(const struct picture_tokens *pictures, uint32_t id);

/* Appends a picture of at most RASTER_READ_LIMIT pixels a side, each patch as the nearest of the
 * book. */
int picture_tokens_encode(const struct picture_tokens *pictures, const struct raster *raster,
                          struct token_list *list, struct error *error);

/* The picture of ids[count], which may begin with "<|image|>" and ends at the first token that is
 * neither patch nor row. Rows that are shorter than the longest are filled up with white. Refuses
 * more than RASTER_READ_LIMIT pixels a side, and a picture without patches. */
int picture_tokens_decode(const struct picture_tokens *pictures, const uint32_t *ids, size_t count,
                          struct raster *out, struct error *error);

/* The same tokenizer with a book's tokens after its own. */
int picture_tokens_add(struct tokenizer **out, const struct tokenizer *tokenizer,
                       const struct code_book *book, struct error *error);

#endif
