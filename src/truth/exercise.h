/* A text to be written as somebody, laid out twice: for the dream, which is told a handle,
 *
 *     BEGIN body
 *
 * and for a layer's author, who is told in words:
 *
 *     BEGIN "Write as Abraham Lincoln, 1862.\n" body
 *
 * so that each says of the same next token what it expects. */
#ifndef TRINE_TRUTH_EXERCISE_H
#define TRINE_TRUTH_EXERCISE_H

#include "truth/telling.h"

/* How the model's tokenizer cuts instructions, and how much room they need. */
struct exercise_maker {
    struct telling_slots slots;
    struct tokenizer_cache *cache;
    struct token_list instruction;
    size_t room; /* tokens of the longest instruction */
    size_t time; /* tokens of a body, at most */
};

/* `time` 0: as many as fit the model's context. Not to be used by two threads at once. */
int exercise_maker_create(struct exercise_maker *maker, const struct model *model, size_t time,
                          struct error *error);
void exercise_maker_free(struct exercise_maker *maker);
/* Rows of the layer's text. The dream's has maker->time. */
size_t exercise_layer_time(const struct exercise_maker *maker);

/* One text in rows that predict; arrays of the maker's sizes, zeros where no text is. */
struct exercise {
    size_t count;                          /* tokens of the body that are predicted */
    int32_t *dream_tokens, *dream_targets; /* [time] */
    int32_t *layer_tokens, *layer_targets; /* [layer time] */
    int32_t *teachers;                     /* [layer time]: the dream's row, or -1 */
    real *told, *mask;                     /* [Z]: what the dream is told */
};

int exercise_create(struct exercise *exercise, const struct exercise_maker *maker,
                    struct error *error);
void exercise_free(struct exercise *exercise);

/* Lays out body[count] under what is told; telling NULL: the layer's author is told nothing. */
int exercise_lay(struct exercise *exercise, struct exercise_maker *maker,
                 const struct telling *telling, const uint32_t *body, size_t count,
                 struct error *error);

#endif
