/* Byte-level byte-pair encoding (Sennrich et al. 2016, Radford et al. 2019): any bytes go in, and
 * the same bytes come out. Text is cut into pieces by GPT-2's pattern (text/pieces.h); inside a
 * piece the merge of lowest rank is applied until none is left.
 *
 * A tokenizer is read-only once made and may be shared by threads; each thread that encodes
 * brings a cache of its own. */
#ifndef TRINE_TEXT_TOKENIZER_H
#define TRINE_TEXT_TOKENIZER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Tokens of a tokenizer trained here: two special ones, the 256 bytes, then the merges. */
enum { TOKEN_END_OF_TEXT = 0, TOKEN_BY = 1, TOKEN_SPECIAL_COUNT = 2, TOKEN_FIRST_MERGE = 258 };

struct tokenizer;

struct token_bytes {
    const char *data; /* not NUL-terminated; lives as long as the tokenizer */
    size_t length;
};

/* `tokens` in the order of their ids; is_special[i] marks those that text never produces;
 * merges[2r], merges[2r+1] are the ids merged at rank r, the result being the token with the
 * joined bytes. Refuses merges without such a token, missing bytes, and duplicates. */
int tokenizer_create(struct tokenizer **out, const struct token_bytes *tokens,
                     const uint8_t *is_special, size_t token_count, const uint32_t *merges,
                     size_t merge_count, struct error *error);
void tokenizer_destroy(struct tokenizer *tokenizer);

size_t tokenizer_vocabulary_size(const struct tokenizer *tokenizer);
struct token_bytes tokenizer_token(const struct tokenizer *tokenizer, uint32_t id);
int tokenizer_is_special(const struct tokenizer *tokenizer, uint32_t id);
size_t tokenizer_merge_count(const struct tokenizer *tokenizer);
/* The two ids merged at rank `rank`. */
const uint32_t *tokenizer_merge(const struct tokenizer *tokenizer, size_t rank);

/* The id of "<|endoftext|>", with which documents begin; UINT32_MAX when there is none. */
uint32_t tokenizer_end_of_text(const struct tokenizer *tokenizer);

struct tokenizer_cache;
int tokenizer_cache_create(struct tokenizer_cache **out, struct error *error);
void tokenizer_cache_destroy(struct tokenizer_cache *cache);

/* A growing list of tokens; start with zeros, free `ids` with free(). */
struct token_list {
    uint32_t *ids;
    size_t count, capacity;
};

/* Appends the tokens of text[bytes]. */
int tokenizer_encode(const struct tokenizer *tokenizer, struct tokenizer_cache *cache,
                     const char *text, size_t bytes, struct token_list *list, struct error *error);

/* GPT-2's printable alphabet, in which its files spell bytes: writes the UTF-8 of data[length],
 * at most 2 bytes for each, NUL-terminated; returns its length. */
size_t tokenizer_printable(char *out, const char *data, size_t length);
/* The reverse; returns the number of bytes written to out[length], or -1 for a character that
 * stands for no byte. */
long tokenizer_from_printable(char *out, const char *text, size_t length);

#endif
