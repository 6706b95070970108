#include "good/statement_question.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "good/odds.h"

enum { LEAST_WORDS = 3, STATEMENT_BYTES_MOST = 400 };

static const char *const BEFORE[] = {
    "is it true that ",     "is it correct that ", "is it the case that ",    "do you think that ",
    "do you believe that ", "would you say that ", "true or false: ",         "true or false? ",
    "true or false, ",      "is this true: ",      "is this statement true: "};
static const char *const AFTER[] = {" true or false?", " is that true?", " is this true?",
                                    " is that correct?", " right or wrong?"};

struct span {
    const char *text;
    size_t bytes;
};

static void trim(struct span *s) {
    while (s->bytes > 0 && isspace((unsigned char)s->text[0])) {
        s->text++;
        s->bytes--;
    }
    while (s->bytes > 0 && isspace((unsigned char)s->text[s->bytes - 1]))
        s->bytes--;
}

/* Takes off what begins, or ends, the question. */
static int take_off(struct span *s) {
    for (size_t i = 0; i < sizeof BEFORE / sizeof *BEFORE; i++) {
        size_t length = strlen(BEFORE[i]);
        if (s->bytes > length && strncasecmp(s->text, BEFORE[i], length) == 0) {
            *s = (struct span){s->text + length, s->bytes - length};
            return 1;
        }
    }
    for (size_t i = 0; i < sizeof AFTER / sizeof *AFTER; i++) {
        size_t length = strlen(AFTER[i]);
        if (s->bytes > length && strncasecmp(s->text + s->bytes - length, AFTER[i], length) == 0) {
            s->bytes -= length;
            return 1;
        }
    }
    return 0;
}

static void take_off_quotes(struct span *s) {
    if (s->bytes >= 2 && s->text[0] == '"' && s->text[s->bytes - 1] == '"')
        *s = (struct span){s->text + 1, s->bytes - 2};
}

/* Whom or what these mean was said before: the statement cannot be judged by itself. */
static int points_back(const struct span *s) {
    static const char *const POINTERS[] = {"he ",    "she ",   "it ",  "they ", "this ", "that ",
                                           "these ", "those ", "you ", "i ",    "we "};
    for (size_t i = 0; i < sizeof POINTERS / sizeof *POINTERS; i++)
        if (s->bytes > strlen(POINTERS[i]) &&
            strncasecmp(s->text, POINTERS[i], strlen(POINTERS[i])) == 0)
            return 1;
    return 0;
}

/* Of one sentence, so that one verdict fits it. */
static int is_statement(const struct span *s) {
    size_t words = 0;
    if (points_back(s))
        return 0;
    for (size_t i = 0; i < s->bytes; i++) {
        int begins = i == 0 || s->text[i - 1] == ' ';
        int ends_early =
            i + 1 < s->bytes && s->text[i + 1] == ' ' && strchr("?!;", s->text[i]) != NULL;
        if (s->text[i] == '\n' || ends_early)
            return 0;
        words += begins && s->text[i] != ' ';
    }
    return words >= LEAST_WORDS && s->bytes <= STATEMENT_BYTES_MOST;
}

int statement_question(char **statement, const char *message, struct error *error) {
    struct span s = {message, strlen(message)};
    *statement = NULL;
    trim(&s);
    if (!take_off(&s))
        return 0;
    trim(&s);
    while (s.bytes > 0 && strchr("?.,", s.text[s.bytes - 1]) != NULL)
        s.bytes--;
    trim(&s);
    take_off_quotes(&s);
    if (s.bytes > 0 && s.text[s.bytes - 1] == '.')
        s.bytes--;
    if (!is_statement(&s))
        return 0;
    char *text = malloc(s.bytes + 2);
    if (text == NULL)
        return error_set(error, "out of memory for a statement");
    memcpy(text, s.text, s.bytes);
    text[0] = (char)toupper((unsigned char)text[0]);
    text[s.bytes] = '.';
    text[s.bytes + 1] = '\0';
    *statement = text;
    return 1;
}

const char *statement_answer(double probability) {
    int tenth = odds_tenth(probability);
    return tenth >= 6   ? "Yes, I think that is true."
           : tenth <= 4 ? "No, I think that is false."
                        : NULL;
}
