/* Byte-level byte-pair encoding (Sennrich et al. 2016, Radford et al. 2019): any bytes go in, and
 * the same bytes come out. Text is cut into pieces by the vocabulary's pattern (text/pieces.h);
 * inside a piece the merge of lowest rank is applied until none is left.
 *
 * A tokenizer is read-only once made and may be shared by threads; each thread that encodes
 * brings a cache of its own. */
#ifndef TRINE_TEXT_TOKENIZER_H
#define TRINE_TEXT_TOKENIZER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "text/pieces.h"

/* Tokens of a tokenizer trained here: two special ones, the 256 bytes, then the merges. */
enum { TOKEN_END_OF_TEXT = 0, TOKEN_BY = 1, TOKEN_SPECIAL_COUNT = 2, TOKEN_FIRST_MERGE = 258 };

/* What a token is: of the text, a mark that text never produces, a mark that is taken out of any
 * text before it is cut into pieces, or an entry that nothing produces. */
enum token_kind { TOKEN_TEXT = 0, TOKEN_SPECIAL = 1, TOKEN_ADDED = 2, TOKEN_UNUSED = 3 };

struct tokenizer;

struct token_bytes {
    const char *data; /* not NUL-terminated; lives as long as the tokenizer */
    size_t length;
};

/* `tokens` in the order of their ids; kinds[i] is a token_kind; merges[2r], merges[2r+1] are the
 * ids merged at rank r, the result being the token with the joined bytes. Refuses merges without
 * such a token, printable bytes that are missing, and duplicates; other bytes that a vocabulary
 * lacks (some of SmolLM2's control characters) are dropped from text. The pattern is GPT-2's until
 * it is set. */
int tokenizer_create(struct tokenizer **out, const struct token_bytes *tokens, const uint8_t *kinds,
                     size_t token_count, const uint32_t *merges, size_t merge_count,
                     struct error *error);
/* A tokenizer of the caller's own that does the same. */
int tokenizer_copy(struct tokenizer **out, const struct tokenizer *tokenizer, struct error *error);
void tokenizer_destroy(struct tokenizer *tokenizer);

/* How text is cut, and whether a piece that is a token as it stands is taken whole whatever the
 * merges say (Llama 3). */
void tokenizer_set_pieces(struct tokenizer *tokenizer, enum piece_pattern pattern,
                          int takes_whole_pieces);
enum piece_pattern tokenizer_pattern(const struct tokenizer *tokenizer);
int tokenizer_takes_whole_pieces(const struct tokenizer *tokenizer);

/* The tokens that begin a document and end a reply; UINT32_MAX for none. At first both are
 * "<|endoftext|>" if there is such a token. */
void tokenizer_set_ends(struct tokenizer *tokenizer, uint32_t begin, uint32_t end);

size_t tokenizer_vocabulary_size(const struct tokenizer *tokenizer);
struct token_bytes tokenizer_token(const struct tokenizer *tokenizer, uint32_t id);
int tokenizer_is_special(const struct tokenizer *tokenizer, uint32_t id);
enum token_kind tokenizer_kind(const struct tokenizer *tokenizer, uint32_t id);
size_t tokenizer_merge_count(const struct tokenizer *tokenizer);
/* The two ids merged at rank `rank`. */
const uint32_t *tokenizer_merge(const struct tokenizer *tokenizer, size_t rank);

/* The token with which documents begin; UINT32_MAX when there is none. */
uint32_t tokenizer_end_of_text(const struct tokenizer *tokenizer);
/* The token that ends a reply; UINT32_MAX when there is none. */
uint32_t tokenizer_end(const struct tokenizer *tokenizer);
/* Whether a text that is being written ends with this token. */
int tokenizer_is_end(const struct tokenizer *tokenizer, uint32_t id);
/* The special token that is spelt so; UINT32_MAX when there is none. */
uint32_t tokenizer_find_special(const struct tokenizer *tokenizer, const char *text, size_t length);

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

/* The same, and special tokens that are spelt out in the text become themselves: for text that a
 * program wrote, such as a rendered chat, never for what a user typed. */
int tokenizer_encode_marked(const struct tokenizer *tokenizer, struct tokenizer_cache *cache,
                            const char *text, size_t bytes, struct token_list *list,
                            struct error *error);

/* GPT-2's printable alphabet, in which its files spell bytes: writes the UTF-8 of data[length],
 * at most 2 bytes for each, NUL-terminated; returns its length. */
size_t tokenizer_printable(char *out, const char *data, size_t length);
/* The reverse; returns the number of bytes written to out[length], or -1 for a character that
 * stands for no byte. */
long tokenizer_from_printable(char *out, const char *text, size_t length);

#endif
