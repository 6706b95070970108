#include "train/recipe.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum setting_kind { SETTING_COUNT, SETTING_NUMBER, SETTING_SWITCH };

struct setting {
    const char *name;
    enum setting_kind kind;
    size_t offset;
    const char *meaning;
};

#define COUNT(name, field, meaning)                                                                \
    { name, SETTING_COUNT, offsetof(struct recipe, field), meaning }
#define NUMBER(name, field, meaning)                                                               \
    { name, SETTING_NUMBER, offsetof(struct recipe, field), meaning }
#define SWITCH(name, field, meaning)                                                               \
    { name, SETTING_SWITCH, offsetof(struct recipe, field), meaning }

static const struct setting SETTINGS[] = {
    COUNT("width", config.width, "width of the residual stream"),
    COUNT("blocks", config.blocks, "blocks, reader and writer together"),
    COUNT("split", config.split, "blocks of the reader"),
    COUNT("heads", config.heads, "attention heads"),
    COUNT("key_value_heads", config.key_value_heads, "key/value heads; divides heads"),
    COUNT("head_width", config.head_width, "width of a head"),
    COUNT("inner", config.inner, "inner width of the feed-forward part"),
    COUNT("context", config.context, "tokens of a piece"),
    COUNT("ngram_orders", config.ngram_orders, "longest n-gram that gives evidence"),
    COUNT("ngram_rows", config.ngram_rows, "rows of each n-gram table"),
    NUMBER("rope_base", config.rope_base, "base of the rotary positions"),
    COUNT("adapter_rank", config.adapter_rank, "rank of the adapters; 0: none"),
    COUNT("adapter_first", config.adapter_first, "the first block that is adapted"),
    NUMBER("adapter_alpha", adapter_alpha, "adapters count alpha / rank times"),
    COUNT("adapt_qkv", adapts_qkv, "1: adapt queries, keys and values; 0: not"),
    COUNT("adapt_attention_out", adapts_attention_out, "1: adapt the attention's output"),
    COUNT("adapt_gate_up", adapts_gate_up, "1: adapt the feed-forward part's gate and up"),
    COUNT("adapt_down", adapts_down, "1: adapt the feed-forward part's output"),
    COUNT("seed", options.seed, "seed of every random draw"),
    COUNT("steps", options.steps, "steps of the whole run"),
    COUNT("evidence_steps", options.evidence_steps,
          "the first n steps train the evidence alone, several times as fast"),
    COUNT("batch", options.batch, "pieces a step"),
    COUNT("pass_sequences", options.pass_sequences, "pieces that a thread runs at once"),
    COUNT("threads", options.threads, "threads; results are the same for the same number"),
    NUMBER("learning_rate", options.learning_rate, "peak learning rate"),
    NUMBER("warmup_steps", options.warmup_steps, "steps of linear warm-up"),
    NUMBER("final_rate", options.final_rate, "last learning rate as a share of the peak"),
    NUMBER("decay", options.decay, "weight decay of matrices"),
    NUMBER("beta1", options.beta1, "AdamW"),
    NUMBER("beta2", options.beta2, "AdamW"),
    NUMBER("clip", options.clip, "gradient norm limit, network and latents apart"),
    NUMBER("labelled_share", options.labelled_share,
           "share of the pieces that have a label at least"),
    NUMBER("told_probability", options.told_probability, "how often a given slot is told"),
    NUMBER("score_weight", options.score_weight, "weight of each slot's score"),
    COUNT("score_every", options.score_every, "tokens between scores"),
    NUMBER("score_focus", options.score_focus, "later scores count more: (position / context)^n"),
    NUMBER("evidence_gradient", options.evidence_gradient, "share that reaches the reader"),
    NUMBER("handle_gradient", options.handle_gradient,
           "share of the writer's that reaches handles"),
    NUMBER("ngram_rate", options.ngram_rate, "learning rate of n-gram evidence"),
    NUMBER("ngram_damping", options.ngram_damping, "what its Adagrad starts from"),
    NUMBER("ngram_decay", options.ngram_decay, "shrinkage of rows when touched"),
    COUNT("names", options.names.count, "attributions a step that are read as names; 0: none"),
    NUMBER("bylines", options.names.bylines,
           "share of the pieces that begin with a byline, where there are names"),
    COUNT("candidates", candidates, "labels that the writer decides among when it is calibrated"),
    COUNT("validation_every", validation_every, "one training document in n is for calibration"),
    COUNT("report_every", report_every, "steps between looks at unseen text"),
    COUNT("save_every", save_every, "steps between saved states"),
    SWITCH("no_latents", is_plain, "train the plain model of the same size"),
    SWITCH("f32", is_f32, "products in f32 instead of bf16"),
};

enum { SETTINGS_COUNT = sizeof SETTINGS / sizeof *SETTINGS };

void recipe_default(struct recipe *recipe) {
    *recipe = (struct recipe){.config = {.width = 192,
                                         .blocks = 6,
                                         .heads = 3,
                                         .key_value_heads = 3,
                                         .head_width = 64,
                                         .inner = 512,
                                         .context = 256,
                                         .split = 2,
                                         .ngram_orders = 3,
                                         .ngram_rows = 65536,
                                         .rope_base = 10000,
                                         .epsilon = 1e-5},
                              .options = train_options_default(),
                              .name = "trine",
                              .validation_every = 16,
                              .candidates = 5,
                              .report_every = 250,
                              .save_every = 250};
}

void recipe_default_adapter(struct recipe *recipe) {
    recipe_default(recipe);
    recipe->config = (struct config){.context = 256,
                                     .ngram_orders = 3,
                                     .ngram_rows = 32768,
                                     .adapter_rank = 16,
                                     .adapter_first = 0};
    recipe->adapts_qkv = recipe->adapts_attention_out = 1;
    recipe->adapts_gate_up = recipe->adapts_down = 1;
    recipe->adapter_alpha = 32;
    recipe->options.learning_rate = 1e-3;
    recipe->options.decay = 0;
    recipe->options.batch = 8;
    recipe->options.pass_sequences = 4;
    recipe->options.steps = 640;
    recipe->options.warmup_steps = 30;
    recipe->candidates = 0; /* the writer is slow to ask */
}

struct config recipe_adapter_config(const struct recipe *recipe) {
    struct config config = recipe->config;
    const size_t wanted[ADAPTER_TARGETS] = {recipe->adapts_qkv, recipe->adapts_attention_out,
                                            recipe->adapts_gate_up, recipe->adapts_down};
    config.adapter_targets = 0;
    for (int target = 0; target < ADAPTER_TARGETS; target++)
        config.adapter_targets |= (size_t)(wanted[target] != 0) << target;
    config.adapter_scale =
        config.adapter_rank > 0 ? recipe->adapter_alpha / (double)config.adapter_rank : 0;
    return config;
}

int recipe_setting_applies(const char *name, int is_on_base) {
    static const char *const SIZES[] = {"width", "blocks",     "heads",    "key_value_heads",
                                        "inner", "head_width", "rope_base"};
    for (size_t i = 0; i < sizeof SIZES / sizeof *SIZES; i++)
        if (strcmp(name, SIZES[i]) == 0)
            return !is_on_base;
    return strncmp(name, "adapt", 5) != 0 || is_on_base;
}

static const struct setting *find_setting(const char *name) {
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        const char *a = SETTINGS[i].name, *b = name;
        while (*a != '\0' && (*a == *b || (*a == '_' && *b == '-')))
            a++, b++;
        if (*a == '\0' && *b == '\0')
            return &SETTINGS[i];
    }
    return NULL;
}

static int store(struct recipe *recipe, const struct setting *setting, double value,
                 struct error *error) {
    void *field = (char *)recipe + setting->offset;
    int is_whole = value >= 0 && value < 1e15 && floor(value) == value;
    if (!isfinite(value) || (setting->kind != SETTING_NUMBER && !is_whole))
        return error_set(error, "setting %s: %g is not %s", setting->name, value,
                         setting->kind == SETTING_NUMBER ? "a number" : "a whole number");
    if (setting->kind == SETTING_COUNT)
        memcpy(field, &(size_t){(size_t)value}, sizeof(size_t));
    else if (setting->kind == SETTING_NUMBER)
        memcpy(field, &value, sizeof value);
    else
        memcpy(field, &(int){value != 0}, sizeof(int));
    return 0;
}

int recipe_set(struct recipe *recipe, const char *name, const char *value, struct error *error) {
    const struct setting *setting = find_setting(name);
    if (setting == NULL)
        return error_set(error, "there is no setting '%.60s'", name);
    char *end;
    double number = strtod(value, &end);
    if (end == value || *end != '\0')
        return error_set(error, "setting %s: '%.60s' is no number", setting->name, value);
    return store(recipe, setting, number, error);
}

static int add_width(struct recipe *recipe, const char *slot, double width, struct error *error) {
    if (recipe->width_count == MAXIMUM_WIDTHS || strlen(slot) >= sizeof recipe->widths[0].name ||
        !(width >= 1 && width <= MAXIMUM_SLOT_WIDTH))
        return error_set(error, "slot width %.60s=%g makes no sense", slot, width);
    struct slot_width *entry = &recipe->widths[recipe->width_count++];
    strcpy(entry->name, slot);
    entry->width = (size_t)width;
    return 0;
}

int recipe_set_width(struct recipe *recipe, const char *assignment, struct error *error) {
    char copy[128];
    snprintf(copy, sizeof copy, "%s", assignment);
    char *equals = strchr(copy, '=');
    if (equals == NULL)
        return error_set(error, "'%.60s' is not SLOT=WIDTH", assignment);
    *equals = '\0';
    return add_width(recipe, copy, atof(equals + 1), error);
}

/* ["President", "Mr."]: what stands before names. */
static int load_titles(struct recipe *recipe, const json_t *list, struct error *error) {
    struct name_titles *titles = &recipe->options.names.titles;
    *titles = (struct name_titles){.count = json_array_size(list)};
    if (titles->count > NAME_TITLES)
        return error_set(error, "there are more than %d titles", NAME_TITLES);
    for (size_t i = 0; i < titles->count; i++) {
        const json_t *item = json_array_get(list, i);
        size_t length = json_string_length(item);
        if (length < 1 || length >= NAME_TITLE_BYTES)
            return error_set(error, "title %zu is no text of 1 to %d bytes", i,
                             NAME_TITLE_BYTES - 1);
        strcpy(titles->items[i], json_string_value(item));
    }
    return 0;
}

static int load_item(struct recipe *recipe, const char *name, const json_t *item,
                     struct error *error) {
    if (strcmp(name, "name") == 0 && json_is_string(item) &&
        json_string_length(item) < sizeof recipe->name) {
        strcpy(recipe->name, json_string_value(item));
        return 0;
    }
    if (strcmp(name, "titles") == 0 && json_is_array(item))
        return load_titles(recipe, item, error);
    if (strcmp(name, "slot_width") == 0 && json_is_object(item)) {
        const char *slot;
        json_t *width;
        json_object_foreach(
            (json_t *)(uintptr_t)item, slot,
            width) if (add_width(recipe, slot, json_number_value(width), error)) return -1;
        return 0;
    }
    const struct setting *setting = find_setting(name);
    if (setting == NULL)
        return error_set(error, "there is no setting '%.60s'", name);
    if (setting->kind == SETTING_SWITCH ? !json_is_boolean(item) : !json_is_number(item))
        return error_set(error, "setting %s must be %s", name,
                         setting->kind == SETTING_SWITCH ? "true or false" : "a number");
    return store(recipe, setting,
                 json_is_number(item) ? json_number_value(item) : json_is_true(item), error);
}

int recipe_load(struct recipe *recipe, const char *path, struct error *error) {
    json_error_t problem;
    json_t *json = json_load_file(path, JSON_REJECT_DUPLICATES, &problem), *item;
    const char *name;
    if (json == NULL)
        return error_set(error, "%s:%d: %s", path, problem.line, problem.text);
    int result = json_is_object(json) ? 0 : error_set(error, "%s holds no JSON object", path);
    json_object_foreach(json, name, item) {
        struct error inner;
        if (result == 0 && load_item(recipe, name, item, &inner))
            result = error_set(error, "%s: %.900s", path, inner.message);
    }
    json_decref(json);
    return result;
}

const char *recipe_setting(const struct recipe *recipe, size_t index, const char **meaning,
                           char value[32]) {
    if (index >= SETTINGS_COUNT)
        return NULL;
    const struct setting *setting = &SETTINGS[index];
    const char *field = (const char *)recipe + setting->offset;
    size_t count;
    double number;
    int is_on;
    memcpy(&count, field, sizeof count);
    memcpy(&number, field, sizeof number);
    memcpy(&is_on, field, sizeof is_on);
    if (setting->kind == SETTING_COUNT)
        snprintf(value, 32, "%zu", count);
    else if (setting->kind == SETTING_NUMBER)
        snprintf(value, 32, "%g", number);
    else
        snprintf(value, 32, "%s", is_on ? "yes" : "no");
    *meaning = setting->meaning;
    return setting->name;
}
