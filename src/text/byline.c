#include "text/byline.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "text/names.h"

static const char MARK[] = "<|by|>", WORD[] = "By";

static int add_token(struct token_list *list, uint32_t id, struct error *error) {
    if (memory_grow(&list->ids, &list->capacity, list->count + 1, sizeof *list->ids, error))
        return -1;
    list->ids[list->count++] = id;
    return 0;
}

int byline_mark(const struct tokenizer *tokenizer, struct tokenizer_cache *cache,
                struct token_list *list, struct error *error) {
    uint32_t mark = tokenizer_find_special(tokenizer, MARK, sizeof MARK - 1);
    if (mark != UINT32_MAX)
        return add_token(list, mark, error);
    return tokenizer_encode(tokenizer, cache, WORD, sizeof WORD - 1, list, error);
}

int byline_encode(const struct tokenizer *tokenizer, struct tokenizer_cache *cache,
                  const char *name, struct token_list *list, struct error *error) {
    char line[NAME_BYTES + 3];
    size_t length = strnlen(name, NAME_BYTES);
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)name[i] < ' ')
            return error_set(error, "a name is one line of text; byte %zu of this one is %d", i,
                             (unsigned char)name[i]);
    if (length == 0 || length == NAME_BYTES)
        return error_set(error, "a name has 1 to %d bytes", NAME_BYTES - 1);
    /* Behind a blank a name has the tokens that it has inside a text. */
    int bytes = snprintf(line, sizeof line, " %s\n", name);
    return byline_mark(tokenizer, cache, list, error) ||
                   tokenizer_encode(tokenizer, cache, line, (size_t)bytes, list, error)
               ? -1
               : 0;
}

int byline_document(const struct tokenizer *tokenizer, struct tokenizer_cache *cache,
                    const char *name, struct token_list *list, size_t *first, struct error *error) {
    uint32_t begin = tokenizer_end_of_text(tokenizer);
    list->count = 0;
    if (begin != UINT32_MAX && add_token(list, begin, error))
        return -1;
    size_t start = list->count;
    if (byline_mark(tokenizer, cache, list, error))
        return -1;
    if (first != NULL)
        *first = list->count;
    list->count = start;
    return byline_encode(tokenizer, cache, name, list, error);
}
