#include "truth/words.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void word_list_free(struct word_list *list) {
    free(list->items);
    free(list->stems);
    *list = (struct word_list){0};
}

int word_list_has(const struct word_list *list, uint64_t key) {
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].key == key)
            return 1;
    return 0;
}

int word_cutter_open(struct word_cutter *cutter, sqlite3 *database, struct error *error) {
    static const char *ARGUMENTS[] = {"unicode61"};
    *cutter = (struct word_cutter){0};
    fts5_api *api = NULL;
    void *context = NULL;
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(database, "SELECT fts5(?)", -1, &statement, NULL) == SQLITE_OK) {
        sqlite3_bind_pointer(statement, 1, &api, "fts5_api_ptr", NULL);
        sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
    if (api == NULL)
        return error_set(error, "SQLite was built without full-text search (FTS5)");
    if (api->xFindTokenizer(api, "porter", &context, &cutter->methods) != SQLITE_OK ||
        cutter->methods.xCreate(context, ARGUMENTS, 1, &cutter->tokenizer) != SQLITE_OK) {
        cutter->tokenizer = NULL;
        return error_set(error, "SQLite's full-text search lacks the tokenizer " WORDS_TOKENIZER);
    }
    return 0;
}

void word_cutter_close(struct word_cutter *cutter) {
    if (cutter->tokenizer != NULL)
        cutter->methods.xDelete(cutter->tokenizer);
    cutter->tokenizer = NULL;
}

/* FNV-1a. */
static uint64_t hash(const char *text, size_t bytes) {
    uint64_t h = 0xcbf29ce484222325;
    for (size_t i = 0; i < bytes; i++)
        h = (h ^ (unsigned char)text[i]) * 0x100000001b3;
    return h;
}

struct cutting {
    struct word_list *list;
    struct error *error;
};

static int take_word(void *context, int flags, const char *stem, int bytes, int start, int end) {
    struct cutting *cutting = context;
    struct word_list *list = cutting->list;
    size_t length = (size_t)bytes;
    (void)flags;
    if (memory_grow(&list->items, &list->capacity, list->count + 1, sizeof *list->items,
                    cutting->error) ||
        memory_grow(&list->stems, &list->stem_capacity, list->stem_bytes + length + 1, 1,
                    cutting->error))
        return SQLITE_NOMEM;
    list->items[list->count++] =
        (struct word){hash(stem, length), (size_t)start, (size_t)end, list->stem_bytes};
    memcpy(list->stems + list->stem_bytes, stem, length);
    list->stems[list->stem_bytes + length] = '\0';
    list->stem_bytes += length + 1;
    return SQLITE_OK;
}

int words_cut(const struct word_cutter *cutter, const char *text, size_t bytes,
              struct word_list *list, struct error *error) {
    struct cutting cutting = {list, error};
    list->count = list->stem_bytes = 0;
    if (bytes > INT_MAX)
        return error_set(error, "a text of %zu bytes is too long to be cut into words", bytes);
    error_set(error, "out of memory");
    return cutter->methods.xTokenize(cutter->tokenizer, &cutting, FTS5_TOKENIZE_AUX, text,
                                     (int)bytes, take_word) == SQLITE_OK
               ? 0
               : -1;
}
