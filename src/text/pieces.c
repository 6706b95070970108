#include "text/pieces.h"

#include <stdint.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/memory.h"

/* The published GPT-2 pattern. */
static const char PATTERN[] = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+"
                              "|\\s+(?!\\S)|\\s+";

struct piece_cutter {
    pcre2_code *code;
    pcre2_match_data *match;
    pcre2_match_context *context;
};

int piece_cutter_create(struct piece_cutter **out, struct error *error) {
    *out = NULL;
    struct piece_cutter *cutter = memory_allocate(1, sizeof *cutter, error);
    if (cutter == NULL)
        return -1;
    int code;
    PCRE2_SIZE at;
    cutter->code = pcre2_compile((PCRE2_SPTR)PATTERN, PCRE2_ZERO_TERMINATED,
                                 PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF, &code, &at, NULL);
    if (cutter->code != NULL) {
        pcre2_jit_compile(cutter->code, PCRE2_JIT_COMPLETE); /* without it: slower, the same */
        cutter->match = pcre2_match_data_create_from_pattern(cutter->code, NULL);
        cutter->context = pcre2_match_context_create(NULL);
    }
    if (cutter->match == NULL || cutter->context == NULL) {
        piece_cutter_destroy(cutter);
        return error_set(error, "PCRE2 could not prepare the pre-tokenizer's pattern");
    }
    pcre2_set_match_limit(cutter->context, 1 << 20);
    *out = cutter;
    return 0;
}

void piece_cutter_destroy(struct piece_cutter *cutter) {
    if (cutter == NULL)
        return;
    pcre2_match_context_free(cutter->context);
    pcre2_match_data_free(cutter->match);
    pcre2_code_free(cutter->code);
    memory_free(cutter);
}

static int is_letter(unsigned char c) {
    return (c | 32) >= 'a' && (c | 32) <= 'z';
}

/* What nearly all pieces of English are, an optional space and letters, without the pattern: such
 * a run ends where an ASCII character that is no letter follows. 0: ask the pattern. */
static size_t plain_word_length(const unsigned char *text, size_t bytes) {
    size_t i = text[0] == ' ';
    size_t start = i;
    while (i < bytes && i <= PIECE_LIMIT && is_letter(text[i])) /* long runs cost no square */
        i++;
    return i > start && i < bytes && text[i] < 128 && i <= PIECE_LIMIT ? i : 0;
}

size_t piece_length(struct piece_cutter *cutter, const char *text, size_t bytes, size_t at) {
    size_t length = plain_word_length((const unsigned char *)text + at, bytes - at);
    if (length > 0)
        return length;
    /* A window bounds the work on endless runs; what reaches its end is cut there. */
    size_t window = bytes - at < PIECE_LIMIT ? bytes - at : PIECE_LIMIT;
    int found = pcre2_match(cutter->code, (PCRE2_SPTR)text + at, window, 0, PCRE2_ANCHORED,
                            cutter->match, cutter->context);
    if (found < 0)
        return 1; /* a byte that is no UTF-8 stands alone */
    PCRE2_SIZE end = pcre2_get_ovector_pointer(cutter->match)[1];
    return end > 0 ? end : 1;
}
