#include "text/batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <omp.h>

#include "base/memory.h"

/* Enough to keep the threads busy, little enough to stay in the caches. A line that is longer than
 * BATCH_BYTES comes alone; after it, what it needed is given back. */
enum { BATCH_LINES = 256, BATCH_BYTES = 4 << 20, KEPT_TOKENS = 1 << 16 };

int batch_create(struct batch *b, struct error *error) {
    *b = (struct batch){.cache_count = (size_t)omp_get_max_threads()};
    b->items = memory_allocate(BATCH_LINES, sizeof *b->items, error);
    b->caches = memory_allocate(b->cache_count, sizeof *b->caches, error);
    int result = b->items == NULL || b->caches == NULL ? -1 : 0;
    for (size_t i = 0; result == 0 && i < b->cache_count; i++)
        result = tokenizer_cache_create(&b->caches[i], error);
    if (result != 0)
        batch_free(b);
    return result;
}

void batch_free(struct batch *b) {
    for (size_t i = 0; b->items != NULL && i < BATCH_LINES; i++) {
        record_free(&b->items[i].record);
        free(b->items[i].tokens.ids);
    }
    for (size_t i = 0; b->caches != NULL && i < b->cache_count; i++)
        tokenizer_cache_destroy(b->caches[i]);
    memory_free(b->items);
    memory_free(b->caches);
    free(b->bytes);
    *b = (struct batch){0};
}

static void give_back(struct batch *b) {
    if (b->bytes_capacity > 2 * BATCH_BYTES) {
        free(b->bytes);
        b->bytes = NULL;
        b->bytes_capacity = 0;
    }
    for (size_t i = 0; i < b->count; i++) {
        struct batch_item *item = &b->items[i];
        record_free(&item->record);
        if (item->tokens.capacity > KEPT_TOKENS) {
            free(item->tokens.ids);
            item->tokens = (struct token_list){0};
        }
    }
}

int batch_fill(struct batch *b, struct jsonl_reader *reader, struct error *error) {
    give_back(b);
    b->count = b->bytes_used = 0;
    while (b->count < BATCH_LINES && b->bytes_used < BATCH_BYTES) {
        struct jsonl_line line;
        if (jsonl_next(reader, &line, error))
            return -1;
        if (line.data == NULL)
            return 0;
        if (memory_grow(&b->bytes, &b->bytes_capacity, b->bytes_used + line.bytes, 1, error))
            return -1;
        memcpy(b->bytes + b->bytes_used, line.data, line.bytes);
        struct batch_item *item = &b->items[b->count++];
        item->source = line.source;
        item->line = line.number;
        item->offset = b->bytes_used;
        item->bytes = line.bytes;
        item->is_too_long = line.is_too_long;
        item->is_skipped = 0;
        b->bytes_used += line.bytes;
    }
    return 0;
}

static int encode_picture(const struct picture_tokens *pictures, const struct raster *picture,
                          const struct tokenizer *tokenizer, struct token_list *tokens,
                          struct error *error) {
    uint32_t end = tokenizer_end(tokenizer);
    if (picture_tokens_encode(pictures, picture, tokens, error) ||
        memory_grow(&tokens->ids, &tokens->capacity, tokens->count + 1, sizeof *tokens->ids, error))
        return -1;
    tokens->ids[tokens->count++] = end != UINT32_MAX ? end : tokenizer_end_of_text(tokenizer);
    return 0;
}

static int process_item(struct batch *b, struct batch_item *item, const struct manifest *manifest,
                        const char *file, const struct tokenizer *tokenizer) {
    struct record *record = &item->record;
    item->tokens.count = 0;
    if (item->is_too_long) {
        record->fault = RECORD_TOO_LONG;
        snprintf(record->message, sizeof record->message, "longer than %d bytes", JSONL_LINE_LIMIT);
        return 0;
    }
    char place[4200];
    snprintf(place, sizeof place, "%s:%zu", file, item->line);
    record_read(record, manifest, b->bytes + item->offset, item->bytes, place, file);
    if (record->fault != RECORD_FINE || tokenizer == NULL)
        return 0;
    struct token_list *tokens = &item->tokens;
    if (memory_grow(&tokens->ids, &tokens->capacity, 1, sizeof *tokens->ids, &item->error))
        return -1;
    tokens->ids[tokens->count++] = tokenizer_end_of_text(tokenizer);
    if (tokenizer_encode(tokenizer, b->caches[omp_get_thread_num()], record->text,
                         record->text_bytes, tokens, &item->error))
        return -1;
    item->text_tokens = tokens->count - 1;
    return record->picture.pixels == NULL
               ? 0
               : encode_picture(b->pictures, &record->picture, tokenizer, tokens, &item->error);
}

int batch_process(struct batch *b, const struct manifest *manifest,
                  const struct jsonl_source *sources, const struct tokenizer *tokenizer,
                  struct error *error) {
#pragma omp parallel for schedule(dynamic, 1) num_threads((int)b->cache_count)
    for (size_t i = 0; i < b->count; i++) {
        struct batch_item *item = &b->items[i];
        item->has_failed = 0;
        if (!item->is_skipped)
            item->has_failed =
                process_item(b, item, manifest, sources[item->source].name, tokenizer);
    }
    for (size_t i = 0; i < b->count; i++)
        if (b->items[i].has_failed) {
            *error = b->items[i].error;
            return -1;
        }
    return 0;
}
