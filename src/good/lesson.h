/* Dialogues in tokens, laid out as a model's chats are. */
#ifndef TRINE_GOOD_LESSON_H
#define TRINE_GOOD_LESSON_H

#include "good/dialogue.h"
#include "latent/model.h"

/* The system's message, before every dialogue. */
#define GOOD_SYSTEM "You are Trine."

/* Tokens of a dialogue, and of its reply. What is too long loses its beginning; a reply, its end.
 */
enum { LESSON_TIME = 384, LESSON_REPLY = 192 };

/* axis[width] <- the unit vector along which examples teach a named value: drawn by the name's
 * hash, so that all trainings agree. Axes of different names are nearly at right angles. */
void values_axis(real *axis, size_t width, const char *name);

struct lesson {
    int32_t *tokens; /* [count] owned */
    size_t count;
    size_t reply; /* tokens from here on are the reply's, the mark that ends it included */
    real *values; /* [Z] owned: the example's values along their axes, 1 for a radius; NULL: none */
};

/* What lays dialogues out for a model. One thread uses it. */
struct lesson_maker {
    const struct model *model; /* borrowed */
    const struct chat_format *format;
    struct tokenizer_cache *cache;
    struct token_list list;
};

/* Lays out as the model's checkpoint does, or plainly; refuses a template that is not known. */
int lesson_maker_create(struct lesson_maker *maker, const struct model *model, struct error *error);
void lesson_maker_free(struct lesson_maker *maker);

/* The messages and the beginning of a reply: maker->list, valid until the next call. */
int lesson_make_prompt(struct lesson_maker *maker, const struct chat_message *messages,
                       size_t count, struct error *error);

/* A reply to the messages. Free the lesson with lesson_free. */
int lesson_make(struct lesson *lesson, struct lesson_maker *maker,
                const struct chat_message *messages, size_t count, const char *reply,
                struct error *error);
void lesson_free(struct lesson *lesson);

/* Lessons of dialogues: lessons[count], or of pairs [2 * count], the better reply first. The caller
 * frees *lessons with lessons_free. Dialogues must all be pairs, or none. */
int lessons_make(struct lesson **lessons, struct lesson_maker *maker,
                 const struct dialogues *dialogues, int are_pairs, struct error *error);
void lessons_free(struct lesson *lessons, size_t count);

#endif
