#include "text/string_pool.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"

enum { CHUNK_BYTES = 1 << 16, FIRST_SIZE = 64 };

const char *string_pool_add(struct string_pool *pool, const char *text, size_t length,
                            struct error *error) {
    if (length > STRING_POOL_LONGEST) {
        error_set(error, "a name or label of %zu bytes is longer than %d", length,
                  STRING_POOL_LONGEST);
        return NULL;
    }
    if (pool->chunk_count == 0 || CHUNK_BYTES - pool->used < length + 1) {
        if (memory_grow(&pool->chunks, &pool->chunk_capacity, pool->chunk_count + 1,
                        sizeof *pool->chunks, error))
            return NULL;
        char *chunk = memory_allocate(CHUNK_BYTES, 1, error);
        if (chunk == NULL)
            return NULL;
        pool->chunks[pool->chunk_count++] = chunk;
        pool->used = 0;
    }
    char *at = pool->chunks[pool->chunk_count - 1] + pool->used;
    memcpy(at, text, length);
    at[length] = '\0';
    pool->used += length + 1;
    return at;
}

static const char **find(const struct string_pool *pool, const char *text) {
    uint64_t hash = 0;
    for (const char *at = text; *at != '\0'; at++)
        hash = (hash ^ (unsigned char)*at) * 0x100000001b3u;
    size_t i = random_mix(hash) % pool->size;
    while (pool->table[i] != NULL && strcmp(pool->table[i], text) != 0)
        i = (i + 1) % pool->size;
    return &pool->table[i];
}

static int grow_table(struct string_pool *pool, struct error *error) {
    struct string_pool bigger = {.size = pool->size > 0 ? 2 * pool->size : FIRST_SIZE};
    bigger.table = memory_allocate(bigger.size, sizeof *bigger.table, error);
    if (bigger.table == NULL)
        return -1;
    for (size_t i = 0; i < pool->size; i++)
        if (pool->table[i] != NULL)
            *find(&bigger, pool->table[i]) = pool->table[i];
    memory_free(pool->table);
    pool->table = bigger.table;
    pool->size = bigger.size;
    return 0;
}

const char *string_pool_intern(struct string_pool *pool, const char *text, struct error *error) {
    if (2 * (pool->interned + 1) > pool->size && grow_table(pool, error))
        return NULL;
    const char **entry = find(pool, text);
    if (*entry == NULL) {
        *entry = string_pool_add(pool, text, strlen(text), error);
        pool->interned += *entry != NULL;
    }
    return *entry;
}

void string_pool_free(struct string_pool *pool) {
    for (size_t i = 0; i < pool->chunk_count; i++)
        memory_free(pool->chunks[i]);
    free(pool->chunks);
    memory_free(pool->table);
    *pool = (struct string_pool){0};
}
