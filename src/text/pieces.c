#include "text/pieces.h"

#include <stdint.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/memory.h"

/* The published patterns. SmolLM first cuts out every digit, and what stands between digits is then
 * cut by GPT-2's pattern as if the text ended there: hence the digit in its last lookahead. */
#define LETTER_PREFIXED "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+"
#define CONTRACTIONS "'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]"
#define SYMBOLS_AND_LINES " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
static const struct {
    const char *name, *expression;
} PATTERNS[PIECES_COUNT] = {
    [PIECES_GPT2] = {"gpt-2", "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+"
                              "|\\s+(?!\\S)|\\s+"},
    [PIECES_SMOLLM] = {"smollm", "\\p{N}|'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+"
                                 "| ?[^\\s\\p{L}\\p{N}]+|\\s+(?![^\\s\\p{N}])|\\s+"},
    [PIECES_LLAMA3] = {"llama-bpe",
                       CONTRACTIONS "|" LETTER_PREFIXED "|\\p{N}{1,3}|" SYMBOLS_AND_LINES},
    [PIECES_QWEN2] = {"qwen2", CONTRACTIONS "|" LETTER_PREFIXED "|\\p{N}|" SYMBOLS_AND_LINES},
};

const char *piece_pattern_name(enum piece_pattern pattern) {
    return PATTERNS[pattern].name;
}

int piece_pattern_find(const char *name, size_t length) {
    for (int i = 0; i < PIECES_COUNT; i++)
        if (strlen(PATTERNS[i].name) == length && memcmp(PATTERNS[i].name, name, length) == 0)
            return i;
    return -1;
}

enum { FIRST_WINDOW = 256, LONGEST_CHARACTER = 4 /* bytes of UTF-8 */ };

struct piece_cutter {
    pcre2_code *code;
    pcre2_match_data *match;
    pcre2_match_context *context;
};

int piece_cutter_create(struct piece_cutter **out, enum piece_pattern pattern,
                        struct error *error) {
    *out = NULL;
    struct piece_cutter *cutter = memory_allocate(1, sizeof *cutter, error);
    if (cutter == NULL)
        return -1;
    int code;
    PCRE2_SIZE at;
    cutter->code = pcre2_compile((PCRE2_SPTR)PATTERNS[pattern].expression, PCRE2_ZERO_TERMINATED,
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
    pcre2_set_match_limit(cutter->context, UINT32_MAX); /* every pattern is linear */
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
    while (i < bytes && is_letter(text[i]))
        i++;
    return i > start && i < bytes && text[i] < 128 ? i : 0;
}

size_t piece_length(struct piece_cutter *cutter, const char *text, size_t bytes, size_t at) {
    size_t length = plain_word_length((const unsigned char *)text + at, bytes - at);
    if (length > 0)
        return length;
    /* PCRE2 looks at all it is given for bytes that are no UTF-8, so it is given little: a match
     * that ends where the window may have cut a character or a lookahead is tried on more. */
    size_t left = bytes - at;
    for (size_t window = FIRST_WINDOW;; window *= 4) {
        size_t given = left < window ? left : window;
        int found = pcre2_match(cutter->code, (PCRE2_SPTR)text + at, given, 0, PCRE2_ANCHORED,
                                cutter->match, cutter->context);
        const PCRE2_SIZE *match = pcre2_get_ovector_pointer(cutter->match);
        /* PCRE2 passes over broken bytes even when it is anchored. */
        PCRE2_SIZE end = found < 0 || match[0] > 0 ? 0 : match[1];
        if (given == left || end + LONGEST_CHARACTER < given)
            return end > 0 ? end : 1; /* a byte that is no UTF-8 stands alone */
    }
}
