#include "dream/document.h"

#include <string.h>

#include "base/memory.h"
#include "picture/raster.h"
#include "text/picture_tokens.h"

int document_encode_text(struct token_list *list, const struct tokenizer *tokenizer,
                         const char *text, size_t bytes, struct error *error) {
    struct tokenizer_cache *cache;
    uint32_t begin = tokenizer_end_of_text(tokenizer);
    if (memory_grow(&list->ids, &list->capacity, list->count + 1, sizeof *list->ids, error) ||
        tokenizer_cache_create(&cache, error))
        return -1;
    if (begin != UINT32_MAX)
        list->ids[list->count++] = begin;
    int result = tokenizer_encode(tokenizer, cache, text, bytes, list, error);
    tokenizer_cache_destroy(cache);
    return result;
}

static int encode_picture(struct token_list *list, const struct tokenizer *tokenizer,
                          const char *data, size_t bytes, struct error *error) {
    struct picture_tokens pictures = {0};
    struct raster raster = {0};
    int result = picture_tokens_create(&pictures, tokenizer, error) ||
                 raster_from_png(&raster, data, bytes, error) ||
                 picture_tokens_encode(&pictures, &raster, list, error);
    raster_free(&raster);
    picture_tokens_free(&pictures);
    return result ? -1 : 0;
}

int document_encode(struct token_list *list, const struct tokenizer *tokenizer, const char *data,
                    size_t bytes, const char *caption, struct error *error) {
    if (!raster_is_png(data, bytes)) {
        if (caption != NULL)
            return error_set(error, "it is text: only a picture (a PNG file) has a caption");
        return document_encode_text(list, tokenizer, data, bytes, error);
    }
    const char *words = caption != NULL ? caption : "";
    return document_encode_text(list, tokenizer, words, strlen(words), error) ||
                   encode_picture(list, tokenizer, data, bytes, error)
               ? -1
               : 0;
}
