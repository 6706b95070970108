/* What each component means: what it goes along with, the words it makes likelier, and texts
 * written along it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "dream/atlas_words.h"
#include "dream/microscope_private.h"
#include "dream/write.h"

enum { STEPS = 3, SHOWN_FACTS = 5 };
static const double DEVIATIONS[STEPS] = {-2, 0, 2};
static const struct sampling SAMPLING = {.temperature = 0.9, .top_p = 0.95};

struct text {
    char *data;
    size_t length, capacity;
    struct error *error;
    int failed;
};

static int keep(void *context, const char *data, size_t length) {
    struct text *text = context;
    text->failed = memory_grow(&text->data, &text->capacity, text->length + length, 1, text->error);
    if (text->failed)
        return 1;
    memcpy(text->data + text->length, data, length);
    text->length += length;
    return 0;
}

/* The writer told the labels' mean and so many standard deviations along the component; all other
 * slots go on being inferred from what it writes. Every text has the same seed. */
static json_t *write_text(const struct microscope *m, struct writer *writer, size_t index,
                          double deviations, struct error *error) {
    double coordinates[MAXIMUM_SLOT_WIDTH] = {0}, point[MAXIMUM_SLOT_WIDTH];
    struct handle handle;
    struct text text = {.error = error};
    struct token_outcome outcome = {0};
    struct write_options options = {.outcome = &outcome,
                                    .prompt = m->options->prompt,
                                    .tokens = m->options->tokens,
                                    .seed = m->options->seed,
                                    .sampling = SAMPLING};
    if (handle_create(&handle, m->model, error))
        return NULL;
    coordinates[index] = deviations * m->atlas.components[index].deviation;
    pca_reconstruct(&m->atlas.pca, point, coordinates, index + 1);
    int failed = handle_tell_vector(&handle, m->slot->name, point, m->slot->width, error) ||
                 writer_write(writer, &handle, &options, keep, &text, error) || text.failed;
    json_t *json = failed
                       ? NULL
                       : json_pack("{s:f, s:o, s:b}", "deviations", deviations, "text",
                                   microscope_text(text.data != NULL ? text.data : "", text.length),
                                   "is_cut", outcome.end == TOKENS_FULL);
    if (!failed && json == NULL)
        error_set(error, "out of memory for a text");
    free(text.data);
    handle_free(&handle);
    return json;
}

static json_t *write_texts(struct microscope *m, struct writer *writer, size_t index,
                           struct error *error) {
    json_t *texts = json_array();
    for (size_t i = 0; i < STEPS; i++) {
        json_t *text = write_text(m, writer, index, DEVIATIONS[i], error);
        if (text == NULL || microscope_go_on(m, 1, "writing along the components", error)) {
            json_decref(text);
            json_decref(texts);
            return NULL;
        }
        json_array_append_new(texts, text);
    }
    return texts;
}

/* Tokens as a reader knows words: "which", "-s" for an ending, "," for itself. */
static json_t *word_to_json(const struct microscope *m, uint32_t token) {
    struct token_bytes bytes = tokenizer_token(m->model->tokenizer, token);
    char word[96];
    size_t from = bytes.length > 1 && bytes.data[0] == ' ', length = bytes.length - from, at = 0;
    const char *text = bytes.data + from;
    if (length == 1 && *text == ' ')
        return json_string("\xe2\x90\xa3"); /* an open box, as compositors mark a space */
    if (length == 1 && *text == '\n')
        return json_string("\xe2\x86\xb5"); /* the sign of a return */
    if (from == 0 && length > 0 &&
        (((*text | 32) >= 'a' && (*text | 32) <= 'z') || (unsigned char)*text >= 0x80))
        word[at++] = '-';
    length = length < sizeof word - at ? length : sizeof word - at;
    memcpy(word + at, text, length);
    return microscope_text(word, at + length);
}

static json_t *words_to_json(const struct microscope *m, const struct atlas_effect *effects) {
    json_t *words = json_array();
    for (size_t i = 0; i < ATLAS_TOKENS && effects[i].weight > 0; i++)
        json_array_append_new(
            words, json_pack("{s:o, s:f}", "word", word_to_json(m, effects[i].token), "times",
                             effects[i].ratio > 1 ? effects[i].ratio : 1 / effects[i].ratio));
    return words;
}

static json_t *facts_to_json(const struct microscope *m, const struct atlas_component *component) {
    size_t strongest[SHOWN_FACTS];
    size_t count = label_facts_strongest(&m->facts, component, strongest, SHOWN_FACTS);
    json_t *facts = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(facts,
                              json_pack("{s:o, s:f}", "fact",
                                        microscope_label(m->facts.items[strongest[i]].name),
                                        "correlation", component->correlations[strongest[i]]));
    return facts;
}

static json_t *component_to_json(struct microscope *m, struct writer *writer, size_t index,
                                 struct error *error) {
    const struct atlas_component *component = &m->atlas.components[index];
    json_t *texts = write_texts(m, writer, index, error);
    if (texts == NULL)
        return NULL;
    json_t *json =
        json_pack("{s:f, s:f, s:o, s:o}", "share", component->share, "deviation",
                  component->deviation, "facts", facts_to_json(m, component), "texts", texts);
    if (m->atlas.has_effects) {
        json_object_set_new(json, "low_words", words_to_json(m, component->down));
        json_object_set_new(json, "high_words", words_to_json(m, component->up));
    }
    if (json == NULL)
        error_set(error, "out of memory for a component");
    return json;
}

/* Words are read off some 256 tokens for each sample and component: as long as two texts take. */
static size_t words_work(const struct microscope *m) {
    size_t samples = m->options->samples;
    samples = samples < m->held_out.count ? samples : m->held_out.count;
    return 2 * samples * m->atlas.component_count;
}

size_t microscope_components_work(const struct microscope *m) {
    return words_work(m) + STEPS * m->atlas.component_count;
}

json_t *microscope_components(struct microscope *m, struct error *error) {
    struct writer *writer = NULL;
    if (microscope_go_on(m, 0, "comparing words", error) ||
        atlas_measure_words(&m->atlas, &m->held_out, m->options->samples, error) ||
        writer_create(&writer, m->model, error))
        return NULL;
    m->done += words_work(m);
    json_t *components = json_array();
    for (size_t i = 0; components != NULL && i < m->atlas.component_count; i++) {
        json_t *component = component_to_json(m, writer, i, error);
        if (component == NULL) {
            json_decref(components);
            components = NULL;
        } else {
            json_array_append_new(components, component);
        }
    }
    writer_destroy(writer);
    return components;
}
