#include "dream/atlas_words.h"

#include "base/memory.h"

enum { CONTEXT_TOKENS = 128 };

int atlas_measure_words(struct atlas *atlas, const struct dataset *documents, size_t samples,
                        struct error *error) {
    size_t count = samples < documents->count ? samples : documents->count;
    struct atlas_context *contexts = memory_allocate(count, sizeof *contexts, error);
    if (contexts == NULL)
        return -1;
    for (size_t i = 0; i < count; i++) {
        const struct sampler_document *text = &documents->texts[i * documents->count / count];
        size_t length = text->count < CONTEXT_TOKENS ? text->count : CONTEXT_TOKENS;
        contexts[i] = (struct atlas_context){text->tokens + (text->count - length) / 2, length};
    }
    int result = atlas_measure_effects(atlas, contexts, count, error);
    memory_free(contexts);
    return result;
}
