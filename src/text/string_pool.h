/* Many short strings that live and die together. */
#ifndef TRINE_TEXT_STRING_POOL_H
#define TRINE_TEXT_STRING_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct string_pool {
    char **chunks;
    size_t chunk_count, chunk_capacity, used; /* used of the last chunk */
    const char **table;                       /* of those interned; NULL: free */
    size_t interned, size;
};

enum { STRING_POOL_LONGEST = 4096 };

/* A copy of text[length] with a NUL after it; NULL with the error when there is no memory or the
 * text is longer than STRING_POOL_LONGEST. */
const char *string_pool_add(struct string_pool *pool, const char *text, size_t length,
                            struct error *error);
/* The same pointer for the same text; `text` ends with a NUL. */
const char *string_pool_intern(struct string_pool *pool, const char *text, struct error *error);
void string_pool_free(struct string_pool *pool);

#endif
