#include "text/picture_tokens.h"

#include <string.h>

#include "base/memory.h"
#include "picture/patches.h"

static const struct token_bytes IMAGE = {"<|image|>", 9}, ROW = {"<|row|>", 7};

static int find_patches(struct picture_tokens *out, const struct tokenizer *tokenizer,
                        uint64_t patches[CODE_BOOK_MOST], size_t *found, struct error *error) {
    size_t count = tokenizer_vocabulary_size(tokenizer);
    *found = 0;
    for (uint32_t id = 0; id < count; id++) {
        struct token_bytes bytes = tokenizer_token(tokenizer, id);
        uint64_t patch;
        if (!tokenizer_is_special(tokenizer, id) ||
            patch_parse(&patch, bytes.data, bytes.length) != 0)
            continue;
        if (*found == CODE_BOOK_MOST)
            return error_set(error, "the vocabulary has more than %d patches of pictures",
                             CODE_BOOK_MOST);
        out->patches[*found] = id;
        patches[(*found)++] = patch;
    }
    return 0;
}

int picture_tokens_create(struct picture_tokens *out, const struct tokenizer *tokenizer,
                          struct error *error) {
    *out = (struct picture_tokens){.image =
                                       tokenizer_find_special(tokenizer, IMAGE.data, IMAGE.length),
                                   .row = tokenizer_find_special(tokenizer, ROW.data, ROW.length)};
    size_t count = 0;
    uint64_t *patches = memory_allocate(CODE_BOOK_MOST, sizeof *patches, error);
    out->patches = memory_allocate(CODE_BOOK_MOST, sizeof *out->patches, error);
    int result =
        !patches || !out->patches ? -1 : find_patches(out, tokenizer, patches, &count, error);
    if (result == 0 && (out->image == UINT32_MAX || out->row == UINT32_MAX || count == 0))
        result = error_set(error, "the vocabulary has no pictures (it lacks <|image|>, <|row|> or "
                                  "patches): it must be learnt from a corpus with pictures");
    result = result || code_book_create(&out->book, patches, count, error) ? -1 : 0;
    memory_free(patches);
    if (result != 0)
        picture_tokens_free(out);
    return result;
}

void picture_tokens_free(struct picture_tokens *pictures) {
    memory_free(pictures->patches);
    code_book_free(&pictures->book);
    *pictures = (struct picture_tokens){0};
}

long picture_tokens_patch(const struct picture_tokens *p, uint32_t id) {
    size_t low = 0, high = p->book.count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (p->patches[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < p->book.count && p->patches[low] == id ? (long)low : -1;
}

int picture_tokens_encode(const struct picture_tokens *p, const struct raster *raster,
                          struct token_list *list, struct error *error) {
    size_t columns = patches_along(raster->width), rows = patches_along(raster->height);
    if (columns > PATCHES_A_SIDE || rows > PATCHES_A_SIDE)
        return error_set(error, "the picture has %zu by %zu pixels; there may be %d a side",
                         raster->width, raster->height, RASTER_READ_LIMIT);
    if (memory_grow(&list->ids, &list->capacity, list->count + 1 + rows * (columns + 1),
                    sizeof *list->ids, error))
        return -1;
    list->ids[list->count++] = p->image;
    for (size_t row = 0; row < rows; row++) {
        for (size_t column = 0; column < columns; column++) {
            uint64_t patch = patch_take(raster, column, row);
            list->ids[list->count++] = p->patches[code_book_nearest(&p->book, patch)];
        }
        list->ids[list->count++] = p->row;
    }
    return 0;
}

/* Where a picture's tokens lie. */
struct layout {
    size_t columns, rows; /* of patches */
    size_t end;           /* of its tokens */
};

static struct layout measure(const struct picture_tokens *p, const uint32_t *ids, size_t start,
                             size_t count) {
    struct layout layout = {.end = start};
    size_t columns = 0;
    for (; layout.end < count; layout.end++) {
        uint32_t id = ids[layout.end];
        if (id != p->row && picture_tokens_patch(p, id) < 0)
            break;
        columns = id == p->row ? 0 : columns + 1;
        layout.rows += columns == 1; /* a row without patches is none */
        layout.columns = columns > layout.columns ? columns : layout.columns;
    }
    return layout;
}

int picture_tokens_decode(const struct picture_tokens *p, const uint32_t *ids, size_t count,
                          struct raster *out, struct error *error) {
    *out = (struct raster){0};
    size_t start = count > 0 && ids[0] == p->image ? 1 : 0;
    struct layout layout = measure(p, ids, start, count);
    if (layout.columns == 0)
        return error_set(error, "there is no picture: no patch follows");
    if (layout.columns > PATCHES_A_SIDE || layout.rows > PATCHES_A_SIDE)
        return error_set(error, "the picture has %zu by %zu patches; there may be %d a side",
                         layout.columns, layout.rows, PATCHES_A_SIDE);
    if (raster_create(out, layout.columns * PATCH_SIDE, layout.rows * PATCH_SIDE, error))
        return -1;
    size_t column = 0, row = 0;
    for (size_t i = start; i < layout.end; i++) {
        long patch = picture_tokens_patch(p, ids[i]);
        if (patch >= 0) {
            patch_draw(out, column++, row, p->book.patches[patch]);
        } else if (column > 0) {
            column = 0;
            row++;
        }
    }
    return 0;
}

/* A vocabulary while it is put together. */
struct vocabulary {
    struct token_bytes *tokens;
    uint8_t *kinds;
    size_t count;
    char (*spellings)[PATCH_SPELLING + 1]; /* of the patches */
    uint32_t *merges;
    size_t merge_count;
};

static void add_special(struct vocabulary *v, struct token_bytes bytes) {
    v->kinds[v->count] = TOKEN_SPECIAL;
    v->tokens[v->count++] = bytes;
}

static void fill(struct vocabulary *v, const struct tokenizer *tokenizer,
                 const struct code_book *book) {
    for (uint32_t id = 0; id < tokenizer_vocabulary_size(tokenizer); id++, v->count++) {
        v->tokens[id] = tokenizer_token(tokenizer, id);
        v->kinds[id] = (uint8_t)tokenizer_kind(tokenizer, id);
    }
    for (; v->merge_count < tokenizer_merge_count(tokenizer); v->merge_count++)
        memcpy(v->merges + 2 * v->merge_count, tokenizer_merge(tokenizer, v->merge_count),
               2 * sizeof *v->merges);
    add_special(v, IMAGE);
    add_special(v, ROW);
    for (size_t i = 0; i < book->count; i++) {
        patch_spell(v->spellings[i], book->patches[i]);
        add_special(v, (struct token_bytes){v->spellings[i], PATCH_SPELLING});
    }
}

int picture_tokens_add(struct tokenizer **out, const struct tokenizer *tokenizer,
                       const struct code_book *book, struct error *error) {
    *out = NULL;
    size_t count = tokenizer_vocabulary_size(tokenizer) + 2 + book->count;
    struct vocabulary v = {0};
    v.tokens = memory_allocate(count, sizeof *v.tokens, error);
    v.kinds = memory_allocate(count, 1, error);
    v.spellings = memory_allocate(book->count, sizeof *v.spellings, error);
    v.merges = memory_allocate(2 * tokenizer_merge_count(tokenizer), sizeof *v.merges, error);
    int result = !v.tokens || !v.kinds || !v.spellings || !v.merges ? -1 : 0;
    if (result == 0) {
        fill(&v, tokenizer, book);
        result = tokenizer_create(out, v.tokens, v.kinds, v.count, v.merges, v.merge_count, error);
    }
    if (result == 0) {
        tokenizer_set_pieces(*out, tokenizer_pattern(tokenizer),
                             tokenizer_takes_whole_pieces(tokenizer));
        tokenizer_set_ends(*out, tokenizer_end_of_text(tokenizer), tokenizer_end(tokenizer));
    }
    memory_free(v.tokens);
    memory_free(v.kinds);
    memory_free(v.spellings);
    memory_free(v.merges);
    return result;
}
