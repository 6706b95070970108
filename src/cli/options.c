#include "cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json_file.h"
#include "cli/show.h"
#include "dream/document.h"
#include "dream/naming.h"
#include "dream/read.h"
#include "latent/conditions.h"
#include "latent/place.h"

#define INSTALLED_GAZETTEER TRINE_SHARE "/places.tsv"

int option_wants_help(int argc, char **argv, const char *help) {
    if (argc != 2 || strcmp(argv[1], "--help") != 0)
        return 0;
    puts(help);
    return 1;
}

int option_number(double *value, const char *name, double least, double most, struct error *error) {
    char *end;
    double number = strtod(optarg, &end);
    if (end == optarg || *end != '\0' || !(number >= least && number <= most))
        return error_set(error, "%s is '%.40s'; it must be a number from %g to %g", name, optarg,
                         least, most);
    *value = number;
    return 0;
}

int option_count(size_t *value, const char *name, size_t least, size_t most, struct error *error) {
    double number = 0;
    if (option_number(&number, name, (double)least, (double)most, error))
        return -1;
    if (number != floor(number))
        return error_set(error, "%s is '%.40s'; it must be a whole number", name, optarg);
    *value = (size_t)number;
    return 0;
}

const char *option_optional_file(int argc, char **argv) {
    if (optarg != NULL)
        return optarg;
    /* getopt sees "--json FILE" as two words; a word that is no flag belongs to it. */
    if (optind < argc && argv[optind][0] != '-')
        return argv[optind++];
    return "-";
}

int option_write_json(const json_t *json, const char *path, struct error *error) {
    const size_t flags = JSON_INDENT(2) | JSON_REAL_PRECISION(6);
    if (strcmp(path, "-") == 0) {
        if (json_dumpf(json, stdout, flags) != 0 || putchar('\n') == EOF || fflush(stdout) != 0)
            return error_set(error, "standard output: %s", strerror(errno));
        return 0;
    }
    return json_file_write(json, path, flags, error);
}

int option_document(struct token_list *list, const struct model *model, const char *path,
                    const char *caption, int wants_some, struct error *error) {
    char *data;
    size_t bytes;
    struct error inner;
    *list = (struct token_list){0};
    if (file_read_all(path, OPTION_TEXT_LIMIT, &data, &bytes, error))
        return -1;
    int result = document_encode(list, model->tokenizer, data, bytes, caption, &inner);
    free(data);
    if (result != 0)
        return error_set(error, "%.400s: %.500s", path, inner.message);
    size_t least = tokenizer_end_of_text(model->tokenizer) != UINT32_MAX;
    if (wants_some && list->count <= least)
        return error_set(error, "%s is empty: there is nothing to read", path);
    return 0;
}

const char *option_gazetteer_path(const char *path) {
    if (path == NULL)
        path = getenv("TRINE_GAZETTEER");
    return path == NULL && access(INSTALLED_GAZETTEER, R_OK) == 0 ? INSTALLED_GAZETTEER : path;
}

int option_gazetteer(struct gazetteer **gazetteer, struct model *model, const char *path,
                     struct error *error) {
    *gazetteer = NULL;
    path = option_gazetteer_path(path);
    if (slots_place(&model->slots) == NULL || path == NULL)
        return 0;
    if (gazetteer_open(gazetteer, path, error))
        return -1;
    model->gazetteer = *gazetteer;
    return 0;
}

int handle_wishes_add(struct handle_wishes *wishes, int option, const char *argument,
                      struct error *error) {
    if (option == 'B') {
        wishes->base = argument;
        return 1;
    }
    if (option == 'G') {
        wishes->gazetteer = argument;
        return 1;
    }
    if (option == 0 || strchr("ADPTMLVH", option) == NULL)
        return 0;
    if (wishes->count == sizeof wishes->items / sizeof *wishes->items)
        return error_set(error, "too many flags that set the handle");
    wishes->items[wishes->count++] = (struct handle_wish){(char)option, argument};
    return 1;
}

/* Splits "SLOT=REST"; without "=", the slot is the default and the rest is all. */
static const char *split(char slot[64], const char *argument, const char *otherwise) {
    const char *equals = strchr(argument, '=');
    snprintf(slot, 64, "%.*s", equals != NULL ? (int)(equals - argument) : 63,
             equals != NULL ? argument : otherwise);
    return equals != NULL ? equals + 1 : argument;
}

static int tell_vector(struct handle *handle, const char *argument, struct error *error) {
    char slot[64];
    double vector[MAXIMUM_SLOT_WIDTH];
    json_error_t where;
    const char *path = split(slot, argument, "author");
    json_t *json = json_load_file(path, JSON_REJECT_DUPLICATES, &where);
    if (json == NULL)
        return error_set(error, "%s:%d: %s", path, where.line, where.text);
    size_t count = json_array_size(json);
    int result = 0;
    if (!json_is_array(json) || count > MAXIMUM_SLOT_WIDTH)
        result = error_set(error, "%s is no array of at most %d numbers", path, MAXIMUM_SLOT_WIDTH);
    for (size_t i = 0; result == 0 && i < count; i++) {
        if (!json_is_number(json_array_get(json, i)))
            result = error_set(error, "%s: item %zu is no number", path, i);
        vector[i] = json_number_value(json_array_get(json, i));
    }
    json_decref(json);
    return result ? result : handle_tell_vector(handle, slot, vector, count, error);
}

static int tell_like(struct handle *handle, const char *path, struct error *error) {
    struct token_list list;
    int result = option_document(&list, handle->model, path, NULL, 0, error) ||
                 read_document(handle, NULL, handle->model, &list, NULL, NULL, error);
    free(list.ids);
    return result ? -1 : 0;
}

/* A place that was told by name is shown as what it was taken for. */
static int tell(struct handle *handle, const char *name, const char *label, struct error *error) {
    struct location ignored;
    const struct slot *slot = slots_find(&handle->model->slots, name);
    struct naming_note note;
    if (naming_tell(handle, name, label, &note, error))
        return -1;
    if (note.text[0] != '\0')
        fprintf(stderr, "%s: %s\n", label, note.text);
    if (slot->kind == LATENT_PLACE && location_parse(label, &ignored) != 0)
        fprintf(stderr, "%s: %s\n", name, handle->source[slot - handle->model->slots.slots]);
    return 0;
}

static int grant(struct handle *handle, const struct handle_wish *wish, struct error *error) {
    char slot[64];
    const char *rest;
    switch (wish->kind) {
    case 'A':
        return tell(handle, "author", wish->text, error);
    case 'D':
        return handle_tell(handle, "date", wish->text, error);
    case 'P':
        return tell(handle, "place", wish->text, error);
    case 'L':
        return tell_like(handle, wish->text, error);
    case 'V':
        return tell_vector(handle, wish->text, error);
    case 'H':
        return handle_load(handle, wish->text, error);
    case 'M':
        rest = split(slot, wish->text, "author");
        return handle_tell_mixture(handle, slot, rest, error);
    default:
        if (strchr(wish->text, '=') == NULL)
            return error_set(error, "--tell is '%.80s'; it must be SLOT=LABEL", wish->text);
        rest = split(slot, wish->text, "");
        return tell(handle, slot, rest, error);
    }
}

/* A label of that name is a label. */
static int is_sampled(const struct handle_wish *wish, const struct model *model) {
    size_t own = conditions_slot(&model->slots);
    char told[96];
    if (own == MAXIMUM_SLOTS || slot_find_label(&model->slots.slots[own], "sampled") >= 0)
        return 0;
    snprintf(told, sizeof told, "%s=sampled", model->slots.slots[own].name);
    return (wish->kind == 'A' && strcmp(wish->text, "sampled") == 0) ||
           (wish->kind == 'T' && strcmp(wish->text, told) == 0);
}

static int grant_sampled(struct handle *handle, uint64_t seed, struct error *error) {
    struct imagined imagined;
    const struct slots *slots = &handle->model->slots;
    if (imagine_author(handle, seed, &imagined, error))
        return -1;
    fprintf(stderr, "an author who never wrote, nearest to ");
    show_neighbours(stderr, &slots->slots[conditions_slot(slots)], &imagined);
    fprintf(stderr, "\n");
    return 0;
}

int handle_wishes_grant(struct handle *handle, const struct handle_wishes *wishes,
                        const struct model *model, struct error *error) {
    int result = handle_create(handle, model, error), wants_sampled = 0;
    if (result != 0)
        return -1;
    for (size_t i = 0; i < wishes->count && result == 0; i++) {
        int is = is_sampled(&wishes->items[i], model);
        wants_sampled |= is;
        result = is ? 0 : grant(handle, &wishes->items[i], error);
    }
    if (result == 0)
        show_loose(stderr, handle);
    if (result == 0 && wants_sampled)
        result = grant_sampled(handle, wishes->seed, error);
    if (result != 0)
        handle_free(handle);
    return result;
}
