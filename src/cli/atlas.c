/* trine atlas: the authors laid out, what the directions mean, and pictures of it. */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/chart.h"
#include "base/memory.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "latent/atlas.h"
#include "train/dataset.h"

enum { MAXIMUM_PICTURES = 4, MAXIMUM_FACTS = 64, CONTEXT_TOKENS = 128, ENDS = 4, SHOWN_FACTS = 3 };

struct run {
    const char *model_path, *base_path, *corpus_path, *json_path, *slot_name;
    const char *pictures[MAXIMUM_PICTURES];
    size_t picture_count, components, samples;
    struct model *model;
    struct corpus *corpus;
    const struct slot *slot;
    struct dataset training, held_out;
    struct atlas_fact facts[MAXIMUM_FACTS];
    size_t fact_count;
    const double *years; /* of the first date slot's fact, or NULL */
    int *is_used;
    struct atlas atlas;
};

static const char HELP[] =
    "usage: trine atlas --model MODEL.gguf [--corpus DIR] [OPTIONS]\n\n"
    "Lays out the labels of a slot along their principal components, and tells of each component\n"
    "its share of the variance, what it goes along with, who stands at its ends, and the words it\n"
    "makes likelier on held-out texts. Without a corpus only the layout is known.\n\n"
    "  --slot NAME         a slot with labels (the first one)\n"
    "  --components N      so many (5)\n"
    "  --samples N         held-out texts for the words (8)\n"
    "  --picture FILE      the first two components as .svg or .png (may be given again)\n"
    "  --json [FILE]       everything as JSON\n" BASE_HELP "\n"
    "example: trine atlas --model demo/sotu.gguf --corpus demo/corpus --picture atlas.svg";

static int parse(struct run *run, int argc, char **argv, struct error *error) {
    static const struct option OPTIONS[] = {{"model", required_argument, NULL, 'm'},
                                            {"base", required_argument, NULL, 'B'},
                                            {"corpus", required_argument, NULL, 'c'},
                                            {"slot", required_argument, NULL, 's'},
                                            {"components", required_argument, NULL, 'n'},
                                            {"samples", required_argument, NULL, 'a'},
                                            {"picture", required_argument, NULL, 'p'},
                                            {"json", optional_argument, NULL, 'j'},
                                            {0}};
    int option;
    while ((option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1) {
        int result = 0;
        if (option == 'm')
            run->model_path = optarg;
        else if (option == 'B')
            run->base_path = optarg;
        else if (option == 'c')
            run->corpus_path = optarg;
        else if (option == 's')
            run->slot_name = optarg;
        else if (option == 'n')
            result = option_count(&run->components, "--components", 1, 256, error);
        else if (option == 'a')
            result = option_count(&run->samples, "--samples", 1, 1000, error);
        else if (option == 'p' && run->picture_count < MAXIMUM_PICTURES)
            run->pictures[run->picture_count++] = optarg;
        else if (option == 'j')
            run->json_path = option_optional_file(argc, argv);
        else
            result = error_set(error, "see trine atlas --help");
        if (result != 0)
            return -1;
    }
    if (optind < argc || run->model_path == NULL)
        return error_set(error, "--model is needed; see trine atlas --help");
    return 0;
}

static int choose_slot(struct run *run, struct error *error) {
    const struct slots *slots = &run->model->slots;
    if (slots->count == 0)
        return error_set(error, "%s was trained without latents: it has no atlas", run->model_path);
    for (size_t s = 0; s < slots->count && run->slot == NULL; s++)
        if (run->slot_name != NULL ? strcmp(slots->slots[s].name, run->slot_name) == 0
                                   : slots->slots[s].kind == LATENT_CATEGORICAL)
            run->slot = &slots->slots[s];
    if (run->slot == NULL)
        return error_set(error, "the model has no slot %s",
                         run->slot_name != NULL ? run->slot_name : "with labels");
    return 0;
}

/* A new fact of every label, all unknown. NULL when there is no room or memory. */
static struct atlas_fact *new_fact(struct run *run, struct error *error) {
    struct atlas_fact *fact = &run->facts[run->fact_count];
    if (run->fact_count == MAXIMUM_FACTS)
        return NULL;
    fact->values = memory_allocate(run->slot->point_count, sizeof *fact->values, error);
    if (fact->values == NULL)
        return NULL;
    run->fact_count++;
    return fact;
}

/* The mean over each label's training documents of a number that documents have: what value()
 * gives, NAN for none. */
static int add_mean(struct run *run, const char *name, size_t of_slot, size_t of_label,
                    struct error *error) {
    const struct slot *other = &run->model->slots.slots[of_slot];
    size_t own = (size_t)(run->slot - run->model->slots.slots), labels = run->slot->point_count;
    struct atlas_fact *fact = new_fact(run, error);
    double *counts = memory_allocate(labels, sizeof *counts, error);
    if (fact == NULL || counts == NULL) {
        memory_free(counts);
        return run->fact_count == MAXIMUM_FACTS ? 0 : -1;
    }
    snprintf(fact->name, sizeof fact->name, "%s", name);
    for (size_t i = 0; i < run->training.count; i++) {
        const struct dataset_document *document = &run->training.documents[i];
        if (!document->is_given[own] || !document->is_given[of_slot])
            continue;
        size_t label = document->target[own].index[0];
        counts[label]++;
        fact->values[label] += other->kind == LATENT_DATE
                                   ? document->year[of_slot]
                                   : document->target[of_slot].index[0] == of_label;
    }
    for (size_t i = 0; i < labels; i++)
        fact->values[i] = counts[i] > 0 ? fact->values[i] / counts[i] : NAN;
    memory_free(counts);
    return 0;
}

/* Dates come first, as a slot of many labels may leave no room for more. */
static int gather_facts(struct run *run, struct error *error) {
    const struct slots *slots = &run->model->slots;
    char name[160];
    for (size_t s = 0; s < slots->count; s++) {
        if (slots->slots[s].kind != LATENT_DATE)
            continue;
        snprintf(name, sizeof name, "mean %s", slots->slots[s].name);
        if (add_mean(run, name, s, 0, error))
            return -1;
    }
    run->years = run->fact_count > 0 ? run->facts[0].values : NULL;
    for (size_t s = 0; s < slots->count; s++) {
        const struct slot *other = &slots->slots[s];
        if (other->kind != LATENT_CATEGORICAL || other == run->slot)
            continue;
        for (size_t i = 0; i < other->point_count; i++) {
            snprintf(name, sizeof name, "%s %.80s", other->name, other->labels[i]);
            if (add_mean(run, name, s, i, error))
                return -1;
        }
    }
    return 0;
}

static int open_corpus(struct run *run, struct error *error) {
    size_t own = (size_t)(run->slot - run->model->slots.slots);
    if (corpus_open(&run->corpus, run->corpus_path, error) ||
        corpus_check_tokenizer(run->corpus, run->model->tokenizer, error) ||
        dataset_create(&run->training, run->corpus, &run->model->slots, DATASET_TRAIN, 0, error) ||
        dataset_create(&run->held_out, run->corpus, &run->model->slots, DATASET_HELD_OUT, 0, error))
        return -1;
    for (size_t i = 0; i < run->slot->point_count; i++)
        run->is_used[i] = 0;
    for (size_t i = 0; i < run->training.count; i++)
        if (run->training.documents[i].is_given[own])
            run->is_used[run->training.documents[i].target[own].index[0]] = 1;
    return gather_facts(run, error);
}

/* The middle of held-out documents spread over the corpus. */
static int measure_effects(struct run *run, struct error *error) {
    size_t count = run->samples < run->held_out.count ? run->samples : run->held_out.count;
    struct atlas_context *contexts = memory_allocate(count, sizeof *contexts, error);
    if (contexts == NULL)
        return -1;
    for (size_t i = 0; i < count; i++) {
        const struct sampler_document *text = &run->held_out.texts[i * run->held_out.count / count];
        size_t length = text->count < CONTEXT_TOKENS ? text->count : CONTEXT_TOKENS;
        contexts[i] = (struct atlas_context){text->tokens + (text->count - length) / 2, length};
    }
    int result = atlas_measure_effects(&run->atlas, contexts, count, error);
    memory_free(contexts);
    return result;
}

/* Facts by |r|, strongest first; the first SHOWN_FACTS. */
static size_t strongest(const struct run *run, const struct atlas_component *component,
                        size_t shown[SHOWN_FACTS]) {
    size_t count = 0;
    for (size_t k = 0; k < SHOWN_FACTS; k++) {
        size_t best = run->fact_count;
        for (size_t f = 0; f < run->fact_count; f++) {
            int is_taken = 0;
            for (size_t j = 0; j < count; j++)
                is_taken |= shown[j] == f;
            if (!is_taken && isfinite(component->correlations[f]) &&
                (best == run->fact_count ||
                 fabs(component->correlations[f]) > fabs(component->correlations[best])))
                best = f;
        }
        if (best == run->fact_count)
            break;
        shown[count++] = best;
    }
    return count;
}

static int compare_labels(const void *a, const void *b, void *context) {
    const double *x = context;
    double p = x[*(const size_t *)a], q = x[*(const size_t *)b];
    return (p > q) - (p < q);
}

/* order <- the laid out labels, lowest coordinate first. */
static size_t order_labels(const struct run *run, double *coordinates, size_t *order) {
    size_t count = 0;
    for (size_t i = 0; i < run->slot->point_count; i++)
        if (run->is_used[i])
            order[count++] = i;
    qsort_r(order, count, sizeof *order, compare_labels, coordinates);
    return count;
}

/* A token as a word that can be seen: a space becomes a middle dot. */
static void visible_token(char *out, size_t size, const struct tokenizer *tokenizer, uint32_t id) {
    struct token_bytes bytes = tokenizer_token(tokenizer, id);
    size_t at = 0;
    for (size_t i = 0; i < bytes.length && at + 5 < size; i++) {
        unsigned char c = (unsigned char)bytes.data[i];
        if (c == ' ')
            at += (size_t)snprintf(out + at, size - at, "·");
        else if (c < 0x20 || c == 0x7f)
            at += (size_t)snprintf(out + at, size - at, "\\x%02x", c);
        else
            out[at++] = (char)c;
    }
    out[at] = '\0';
}

static void print_effects(const struct run *run, const char *title,
                          const struct atlas_effect *effects) {
    printf("  %s", title);
    for (size_t i = 0; i < ATLAS_TOKENS && effects[i].weight > 0; i++) {
        char token[64];
        visible_token(token, sizeof token, run->model->tokenizer, effects[i].token);
        double ratio = effects[i].ratio > 1 ? effects[i].ratio : 1 / effects[i].ratio;
        printf("%s %s x%.1f", i > 0 ? "," : "", token, ratio);
    }
    printf("\n");
}

static void print_component(const struct run *run, size_t index, size_t *order) {
    const struct atlas_component *component = &run->atlas.components[index];
    size_t shown[SHOWN_FACTS], facts = strongest(run, component, shown);
    size_t count = order_labels(run, component->coordinates, order);
    printf("component %zu: %.1f %% of the variance\n", index + 1, 100 * component->share);
    for (size_t i = 0; i < facts; i++)
        printf("%s %s %+.2f", i == 0 ? "  goes along with" : ",", run->facts[shown[i]].name,
               component->correlations[shown[i]]);
    printf("%s  low end: ", facts > 0 ? "\n" : "");
    for (size_t i = 0; i < ENDS && i < count; i++)
        printf("%s %s %+.2f", i > 0 ? "," : "", run->slot->labels[order[i]],
               component->coordinates[order[i]]);
    printf("\n  high end:");
    for (size_t i = 0; i < ENDS && i < count; i++)
        printf("%s %s %+.2f", i > 0 ? "," : "", run->slot->labels[order[count - 1 - i]],
               component->coordinates[order[count - 1 - i]]);
    printf("\n");
    if (run->atlas.has_effects) {
        print_effects(run, "likelier at the low end: ", component->down);
        print_effects(run, "likelier at the high end:", component->up);
    }
}

static int print(const struct run *run, struct error *error) {
    size_t *order = memory_allocate(run->slot->point_count, sizeof *order, error);
    if (order == NULL)
        return -1;
    printf("slot %s: %zu labels in %zu dimensions%s\n", run->slot->name, run->atlas.label_count,
           run->slot->width,
           run->corpus == NULL      ? " (without --corpus, facts and words are not known)"
           : run->atlas.has_effects ? ""
                                    : " (the corpus holds out no documents: words are not known)");
    for (size_t c = 0; c < run->atlas.component_count; c++)
        print_component(run, c, order);
    memory_free(order);
    return 0;
}

static json_t *effects_to_json(const struct run *run, const struct atlas_effect *effects) {
    json_t *array = json_array();
    for (size_t i = 0; i < ATLAS_TOKENS && effects[i].weight > 0; i++) {
        char token[64];
        visible_token(token, sizeof token, run->model->tokenizer, effects[i].token);
        json_t *text = json_string(token); /* NULL for a part of a character */
        json_array_append_new(array, json_pack("{s:i, s:o, s:f}", "token", (int)effects[i].token,
                                               "text", text != NULL ? text : json_string("?"),
                                               "ratio", effects[i].ratio));
    }
    return array;
}

static json_t *component_to_json(const struct run *run, const struct atlas_component *component) {
    json_t *correlations = json_object(), *coordinates = json_object();
    for (size_t f = 0; f < run->fact_count; f++)
        if (isfinite(component->correlations[f]))
            json_object_set_new(correlations, run->facts[f].name,
                                json_real(component->correlations[f]));
    for (size_t i = 0; i < run->slot->point_count; i++)
        if (run->is_used[i])
            json_object_set_new(coordinates, run->slot->labels[i],
                                json_real(component->coordinates[i]));
    json_t *json = json_pack("{s:f, s:f, s:o, s:o}", "share_of_variance", component->share,
                             "standard_deviation", component->deviation, "correlations",
                             correlations, "coordinates", coordinates);
    if (json != NULL && run->atlas.has_effects) {
        json_object_set_new(json, "likelier_low", effects_to_json(run, component->down));
        json_object_set_new(json, "likelier_high", effects_to_json(run, component->up));
    }
    return json;
}

static int print_json(const struct run *run, struct error *error) {
    json_t *components = json_array();
    for (size_t c = 0; c < run->atlas.component_count; c++)
        json_array_append_new(components, component_to_json(run, &run->atlas.components[c]));
    json_t *json = json_pack("{s:s, s:I, s:o}", "slot", run->slot->name, "labels",
                             (json_int_t)run->atlas.label_count, "components", components);
    int result = json == NULL ? error_set(error, "out of memory")
                              : option_write_json(json, run->json_path, error);
    json_decref(json);
    return result;
}

static int draw(const struct run *run, const char *path, struct error *error) {
    const struct atlas *atlas = &run->atlas;
    char x_title[80], y_title[80], title[160];
    if (atlas->component_count < 2)
        return error_set(error, "a picture needs two components, and so three labels");
    struct chart_point *points = memory_allocate(atlas->label_count, sizeof *points, error);
    if (points == NULL)
        return -1;
    size_t count = 0;
    for (size_t i = 0; i < run->slot->point_count; i++)
        if (run->is_used[i])
            points[count++] =
                (struct chart_point){.x = atlas->components[0].coordinates[i],
                                     .y = atlas->components[1].coordinates[i],
                                     .colour = run->years != NULL ? run->years[i] : NAN,
                                     .label = run->slot->labels[i]};
    snprintf(title, sizeof title, "%.60s: %.60s", run->model->name, run->slot->name);
    snprintf(x_title, sizeof x_title, "component 1 (%.0f %% of the variance)",
             100 * atlas->components[0].share);
    snprintf(y_title, sizeof y_title, "component 2 (%.0f %%)", 100 * atlas->components[1].share);
    struct chart_scatter chart = {.title = title,
                                  .x_title = x_title,
                                  .y_title = y_title,
                                  .colour_title = run->years != NULL ? "mean year" : NULL,
                                  .points = points,
                                  .point_count = count,
                                  .is_equal_scale = true};
    int result = chart_scatter_write(path, &chart, error);
    memory_free(points);
    return result;
}

static int execute(struct run *run, struct error *error) {
    if (model_load_on(&run->model, run->model_path, run->base_path, PRECISION_BF16, error) ||
        choose_slot(run, error))
        return -1;
    run->is_used = memory_allocate(run->slot->point_count, sizeof *run->is_used, error);
    if (run->is_used == NULL)
        return -1;
    for (size_t i = 0; i < run->slot->point_count; i++)
        run->is_used[i] = 1;
    if ((run->corpus_path != NULL && open_corpus(run, error)) ||
        atlas_create(&run->atlas, run->model, run->slot, run->is_used, run->facts, run->fact_count,
                     run->components, error) ||
        (run->corpus_path != NULL && measure_effects(run, error)))
        return -1;
    for (size_t i = 0; i < run->picture_count; i++)
        if (draw(run, run->pictures[i], error))
            return -1;
    return run->json_path != NULL ? print_json(run, error) : print(run, error);
}

int command_atlas(int argc, char **argv) {
    struct run *run = calloc(1, sizeof *run);
    struct error error;
    if (option_wants_help(argc, argv, HELP)) {
        free(run);
        return 0;
    }
    if (run == NULL)
        return 1;
    run->components = 5;
    run->samples = 8;
    int status = parse(run, argc, argv, &error) ? 2 : execute(run, &error) ? 1 : 0;
    if (status != 0)
        fprintf(stderr, "trine atlas: %s\n", error.message);
    for (size_t f = 0; f < run->fact_count; f++)
        memory_free(run->facts[f].values);
    atlas_free(&run->atlas);
    memory_free(run->is_used);
    dataset_free(&run->training);
    dataset_free(&run->held_out);
    corpus_close(run->corpus);
    model_destroy(run->model);
    free(run);
    return status;
}
