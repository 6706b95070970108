#include "truth/polarity.h"

#include <string.h>

#include "base/memory.h"
#include "truth/statement.h"

struct polarity {
    sqlite3 *database; /* whose full-text search cuts words */
    struct word_cutter cutter;
    struct vocabulary vocabulary;
    struct word_list words;
};

int polarity_create(struct polarity **out, struct error *error) {
    *out = NULL;
    struct polarity *p = memory_allocate(1, sizeof *p, error);
    if (p == NULL)
        return -1;
    int result = sqlite3_open(":memory:", &p->database) != SQLITE_OK
                     ? error_set(error, "SQLite could not be started")
                     : 0;
    if (result != 0 || word_cutter_open(&p->cutter, p->database, error) ||
        vocabulary_create(&p->vocabulary, &p->cutter, error)) {
        polarity_destroy(p);
        return -1;
    }
    *out = p;
    return 0;
}

void polarity_destroy(struct polarity *p) {
    if (p == NULL)
        return;
    word_list_free(&p->words);
    vocabulary_free(&p->vocabulary);
    word_cutter_close(&p->cutter);
    sqlite3_close(p->database);
    memory_free(p);
}

int polarity_of(struct polarity *p, const char *statement, int *sign, struct error *error) {
    *sign = 1;
    if (words_cut(&p->cutter, statement, strlen(statement), &p->words, error))
        return -1;
    for (size_t i = 0; i < p->words.count; i++)
        if (is_negation(&p->vocabulary, statement, &p->words, i))
            *sign = -*sign;
    return 0;
}
