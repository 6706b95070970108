#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "good/odds.h"
#include "truth/passage.h"

/* Fewer words than this are no sentence that could be judged by itself. */
enum { SENTENCE_WORDS = 4 };

/* What is asked, and what the author says of itself, is neither true nor false of the world. */
static int is_claim(const char *text, size_t bytes) {
    static const char *const ABOUT_ONESELF[] = {"I ",    "I'm ",  "I'd ", "I'll ",
                                                "I've ", "Sure,", "Sorry"};
    for (size_t i = 0; i < sizeof ABOUT_ONESELF / sizeof *ABOUT_ONESELF; i++) {
        size_t length = strlen(ABOUT_ONESELF[i]);
        if (bytes >= length && strncmp(text, ABOUT_ONESELF[i], length) == 0)
            return 0;
    }
    return text[bytes - 1] != '?' && text[bytes - 1] != ':';
}

static int add(struct claims *claims, char *text, struct error *error) {
    if (text == NULL)
        return error_set(error, "out of memory for claims");
    claims->probabilities[claims->count] = NAN;
    claims->texts[claims->count++] = text;
    return 0;
}

/* A few words are an answer only together with what was asked. */
static char *answer_to_question(const char *question, const char *reply) {
    char *text;
    size_t bytes = strcspn(reply, "\n");
    while (bytes > 0 && (isspace((unsigned char)reply[bytes - 1]) || reply[bytes - 1] == '.'))
        bytes--;
    return asprintf(&text, "The answer to the question \"%s\" is \"%.*s\".", question, (int)bytes,
                    reply) < 0
               ? NULL
               : text;
}

static int find_sentences(struct claims *claims, const char *question, const char *reply,
                          size_t bytes, struct error *error) {
    size_t words, end;
    for (size_t at = 0; at < bytes && claims->count < CLAIMS_MOST; at = end) {
        end = sentence_end(reply, bytes, at, &words);
        size_t length = end - at;
        while (length > 0 && reply[at + length - 1] == ' ')
            length--;
        if (length == 0 || !is_claim(reply + at, length))
            continue;
        int is_whole = words >= SENTENCE_WORDS;
        if ((is_whole || (at == 0 && end == bytes)) &&
            add(claims,
                is_whole ? strndup(reply + at, length) : answer_to_question(question, reply),
                error))
            return -1;
    }
    return 0;
}

int claims_find(struct claims *claims, const char *question, const char *reply,
                struct error *error) {
    *claims = (struct claims){.count = 0};
    char *tidy = strdup(reply);
    if (tidy == NULL)
        return error_set(error, "out of memory for claims");
    size_t bytes = text_tidy(tidy, strlen(tidy));
    tidy[bytes] = '\0';
    int result = find_sentences(claims, question, tidy, bytes, error);
    free(tidy);
    if (result != 0)
        claims_free(claims);
    return result;
}

/* Who is cited for a claim; NULL: nobody, or no memory, which a citation can do without. */
static char *source_of(const struct ruling *ruling) {
    char *text;
    for (size_t i = 0; i < ruling->testimony.citation_count; i++) {
        const struct citation *c = &ruling->testimony.citations[i];
        const char *who = c->author != NULL ? c->author : c->document;
        if (c->support <= 0)
            continue;
        int length = isfinite(c->year) ? asprintf(&text, "%s, %.0f", who, c->year)
                                       : asprintf(&text, "%s", who);
        return length < 0 ? NULL : text;
    }
    return NULL;
}

int claims_price(struct claims *claims, struct judge *judge, struct error *error) {
    for (size_t i = 0; i < claims->count; i++) {
        struct ruling ruling;
        if (judge_statement(judge, claims->texts[i], 0, &ruling, error))
            return -1;
        claims->probabilities[i] = ruling.probability;
        claims->sources[i] = ruling.probability >= 0.5 ? source_of(&ruling) : NULL;
        ruling_free(&ruling);
    }
    return 0;
}

static int price_by_judge(void *context, struct claims *claims, struct error *error) {
    return claims_price(claims, context, error);
}

struct claims_pricer claims_pricer_of(struct judge *judge) {
    return (struct claims_pricer){judge != NULL ? price_by_judge : NULL, judge};
}

void claims_free(struct claims *claims) {
    for (size_t i = 0; i < claims->count; i++) {
        free(claims->texts[i]);
        free(claims->sources[i]);
    }
    claims->count = 0;
}

/* Letters and digits in words parted by single blanks, with one at either end; letters small.
 * Bytes beyond ASCII count as letters. The caller frees. */
static char *plain_words(const char *text) {
    char *out = malloc(strlen(text) + 3);
    size_t length = 0;
    if (out == NULL)
        return NULL;
    out[length++] = ' ';
    for (const char *at = text; *at != '\0'; at++) {
        unsigned char c = (unsigned char)*at;
        if (isalnum(c) || c >= 0x80)
            out[length++] = (char)tolower(c);
        else if (out[length - 1] != ' ')
            out[length++] = ' ';
    }
    if (out[length - 1] != ' ')
        out[length++] = ' ';
    out[length] = '\0';
    return out;
}

int reply_holds(const char *reply, const char *const *answers, size_t count) {
    char *words = plain_words(reply);
    int is_held = 0;
    for (size_t i = 0; words != NULL && !is_held && i < count; i++) {
        char *answer = plain_words(answers[i]);
        is_held = answer != NULL && strlen(answer) > 1 && strstr(words, answer) != NULL;
        free(answer);
    }
    free(words);
    return is_held;
}

int odds_are_wanted(const char *message) {
    return strchr(message, '?') != NULL;
}
