/* Formulas as text: reading and printing. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "truth/sentence.h"

static const struct {
    const char *word;
    int binding; /* the larger, the tighter */
} OPERATORS[] = {
    [SENTENCE_NOT] = {"not", 6}, [SENTENCE_AND] = {"and", 5},         [SENTENCE_XOR] = {"xor", 4},
    [SENTENCE_OR] = {"or", 3},   [SENTENCE_IMPLIES] = {"implies", 2}, [SENTENCE_IFF] = {"iff", 1},
};
enum { TIGHTEST = 6 };

enum token_type { TOKEN_END, TOKEN_OPEN, TOKEN_CLOSE, TOKEN_WORD, TOKEN_QUOTED, TOKEN_OPERATOR };

struct reader {
    struct sentences *sentences;
    const char *text;
    size_t at;    /* behind the token */
    size_t token; /* where it starts */
    enum token_type type;
    enum sentence_kind connective;
    char *word; /* of the token: a word, or a quoted text without its quotes */
    int depth, size;
    struct error *error;
};

static int is_word(char c) {
    return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '-' || c == ':' ||
           (c & 0x80) != 0;
}

static int fails(struct reader *r, const char *what) {
    size_t characters = 1;
    for (size_t i = 0; i < r->token; i++)
        characters += (r->text[i] & 0xc0) != 0x80;
    return error_set(r->error, "formula \"%.300s\": at character %zu: %s", r->text, characters,
                     what);
}

static int read_quoted(struct reader *r) {
    size_t length = 0;
    for (r->at++; r->text[r->at] != '"'; r->at++) {
        if (r->text[r->at] == '\\' && (r->text[r->at + 1] == '"' || r->text[r->at + 1] == '\\'))
            r->at++;
        if (r->text[r->at] == '\0')
            return fails(r, "this quotation has no end");
        r->word[length++] = r->text[r->at];
    }
    r->at++;
    r->word[length] = '\0';
    r->type = TOKEN_QUOTED;
    return length > 0 ? 0 : fails(r, "this quotation is empty");
}

static void read_word(struct reader *r) {
    size_t length = 0;
    while (is_word(r->text[r->at]))
        r->word[length++] = r->text[r->at++];
    r->word[length] = '\0';
    r->type = TOKEN_WORD;
    for (int kind = SENTENCE_NOT; kind <= SENTENCE_XOR; kind++)
        if (strcmp(r->word, OPERATORS[kind].word) == 0) {
            r->type = TOKEN_OPERATOR;
            r->connective = (enum sentence_kind)kind;
        }
}

static int next(struct reader *r) {
    while (isspace((unsigned char)r->text[r->at]))
        r->at++;
    r->token = r->at;
    char c = r->text[r->at];
    if (c == '"')
        return read_quoted(r);
    if (is_word(c)) {
        read_word(r);
        return 0;
    }
    if (c == '\0')
        r->type = TOKEN_END;
    else if (c == '(')
        r->type = TOKEN_OPEN;
    else if (c == ')')
        r->type = TOKEN_CLOSE;
    else
        return fails(r, "this character belongs into a quotation");
    r->at += c != '\0';
    return 0;
}

static int read_formula(struct reader *r, int binding, uint32_t *id);

static int read_atom(struct reader *r, uint32_t *id) {
    *id = r->type == TOKEN_WORD ? sentences_find_name(r->sentences, r->word) : UINT32_MAX;
    if (*id == UINT32_MAX && sentences_add_atom(r->sentences, r->word, id, r->error))
        return -1;
    return next(r);
}

static int read_operand(struct reader *r, uint32_t *id) {
    if (r->type == TOKEN_WORD || r->type == TOKEN_QUOTED)
        return read_atom(r, id);
    if (r->type == TOKEN_OPERATOR && r->connective == SENTENCE_NOT)
        return next(r) || read_formula(r, TIGHTEST, id) ||
                       sentences_add_formula(r->sentences, SENTENCE_NOT, *id, *id, id, r->error)
                   ? -1
                   : 0;
    if (r->type != TOKEN_OPEN)
        return fails(r, "a sentence is expected here");
    if (next(r) || read_formula(r, 0, id))
        return -1;
    if (r->type != TOKEN_CLOSE)
        return fails(r, "\")\" is expected here");
    return next(r);
}

/* Precedence climbing: an operand, then operators that bind at least as tightly as `binding`. */
static int read_formula(struct reader *r, int binding, uint32_t *id) {
    if (++r->depth > FORMULA_DEPTH_LIMIT)
        return fails(r, "too many formulas inside each other");
    if (read_operand(r, id))
        return -1;
    while (r->type == TOKEN_OPERATOR && r->connective != SENTENCE_NOT &&
           OPERATORS[r->connective].binding >= binding) {
        enum sentence_kind connective = r->connective;
        uint32_t right;
        if (++r->size > FORMULA_SIZE_LIMIT)
            return fails(r, "this formula is too long");
        int above = OPERATORS[connective].binding + (connective != SENTENCE_IMPLIES);
        if (next(r) || read_formula(r, above, &right) ||
            sentences_add_formula(r->sentences, connective, *id, right, id, r->error))
            return -1;
    }
    r->depth--;
    return 0;
}

int sentences_parse(struct sentences *sentences, const char *text, uint32_t *id,
                    struct error *error) {
    struct reader r = {.sentences = sentences, .text = text, .error = error};
    r.word = malloc(strlen(text) + 1);
    if (r.word == NULL)
        return error_set(error, "out of memory reading a formula");
    int result = next(&r) || read_formula(&r, 0, id);
    if (result == 0 && r.type != TOKEN_END)
        result = fails(&r, "an operator (and, or, xor, implies, iff) is expected here");
    free(r.word);
    return result ? -1 : 0;
}

static void print_quoted(const char *text, FILE *stream) {
    fputc('"', stream);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', stream);
        fputc(*text, stream);
    }
    fputc('"', stream);
}

static void print(const struct sentences *sentences, uint32_t id, int binding, FILE *stream) {
    const struct sentence *s = sentences_get(sentences, id);
    if (s->kind == SENTENCE_ATOM) {
        print_quoted(s->text, stream);
        return;
    }
    int own = OPERATORS[s->kind].binding;
    if (own < binding)
        fputc('(', stream);
    if (s->kind == SENTENCE_NOT) {
        fputs("not ", stream);
        print(sentences, s->left, own, stream);
    } else {
        int is_right = s->kind == SENTENCE_IMPLIES;
        print(sentences, s->left, own + is_right, stream);
        fprintf(stream, " %s ", OPERATORS[s->kind].word);
        print(sentences, s->right, own + !is_right, stream);
    }
    if (own < binding)
        fputc(')', stream);
}

void sentences_print(const struct sentences *sentences, uint32_t id, int plain, FILE *stream) {
    const struct sentence *s = sentences_get(sentences, id);
    if (plain && s->kind == SENTENCE_ATOM)
        fputs(s->text, stream);
    else
        print(sentences, id, 0, stream);
}

char *sentences_text(const struct sentences *sentences, uint32_t id, int plain) {
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    if (stream == NULL)
        return NULL;
    sentences_print(sentences, id, plain, stream);
    if (fclose(stream) != 0) {
        free(text);
        return NULL;
    }
    return text;
}
