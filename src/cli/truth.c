/* trine truth: trains and measures the truth author, and asks models for opinions. */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/progress.h"
#include "base/random.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/truth_options.h"
#include "math/matmul.h"
#include "truth/direction.h"
#include "truth/introspection.h"
#include "truth/judging.h"
#include "truth/standard.h"
#include "truth/truth_train.h"
#include "truth/witness.h"

struct run {
    struct truth_wishes wishes;
    struct model *model;
    struct layer *layer;
    struct asking asking, beside; /* beside: of another model, where there is one */
    struct model *beside_model;
    struct belief_base base, calibration_base;
    struct opinions opinions;
    struct standard standard;
    struct judging judging;
    struct unpacked *asked_weights, *beside_weights;
    struct corpus *text_corpus; /* of texts to write as others wrote them */
    struct dataset dataset;
    struct introspection *introspection;
    struct progress progress;
    double losses[2]; /* of answers, and of what is heard */
};

/* The beliefs are a file's, or a standard's. */
static const struct belief_base *beliefs_of(const struct run *run) {
    return run->wishes.standard_name != NULL ? &run->standard.base : &run->base;
}

static int open_beliefs(struct run *run, struct error *error) {
    if (run->wishes.standard_name != NULL)
        return standard_open(&run->standard, run->wishes.standard_name, error);
    return belief_base_read(&run->base, run->wishes.beliefs, error) ||
           belief_base_check(&run->base, run->wishes.options.verdict_weight, error);
}

/* Who is heard: who is asked, and maybe another model beside. */
static int open_hearing(struct run *run, struct error *error) {
    if (polarity_create(&run->judging.polarity, error))
        return -1;
    if (run->wishes.hearer == NULL)
        return 0;
    run->judging.beside = &run->beside;
    return model_load(&run->beside_model, run->wishes.hearer, matmul_fast_precision(), error) ||
                   asking_create(&run->beside, run->beside_model, error)
               ? -1
               : 0;
}

static int open_all(struct run *run, struct error *error) {
    if (open_beliefs(run, error) ||
        (run->wishes.calibrate != NULL &&
         belief_base_read(&run->calibration_base, run->wishes.calibrate, error)) ||
        model_load_on(&run->model, run->wishes.model_path, run->wishes.base_path,
                      matmul_fast_precision(), error) ||
        asking_create(&run->asking, run->model, error) ||
        (run->wishes.truth != NULL &&
         layer_load(&run->layer, run->model, run->wishes.truth, error)) ||
        (run->wishes.corpus != NULL &&
         library_open(&run->judging.library, run->wishes.corpus, error)))
        return -1;
    run->judging.asking = &run->asking;
    if (!run->wishes.is_asked_alone && open_hearing(run, error))
        return -1;
    run->judging.asked.layer = run->layer;
    run->judging.filter = run->wishes.standard_name != NULL ? &run->standard.filter : NULL;
    run->judging.threads = run->wishes.options.training.threads;
    return 0;
}

static int show_progress(void *context, const struct layer_train_report *report) {
    struct run *run = context;
    if (!report->is_introspection)
        run->losses[report->is_heard] =
            run->losses[report->is_heard] == 0
                ? report->loss
                : 0.95 * run->losses[report->is_heard] + 0.05 * report->loss;
    progress_show(&run->progress, report->step, report->step == run->wishes.options.training.steps,
                  "loss %.3f nats per answer, %.3f heard", run->losses[0], run->losses[1]);
    return progress_stop_wanted();
}

static int make_layer(struct run *run, struct error *error) {
    struct overlay_config overlay = {0};
    if (run->wishes.rank > 0 || run->wishes.has_first_block)
        overlay =
            (struct overlay_config){.rank = run->wishes.rank > 0 ? run->wishes.rank : 8,
                                    .first = run->wishes.has_first_block ? run->wishes.first_block
                                                                         : run->model->config.split,
                                    .targets = 15,
                                    .scale = 2};
    const char *name = run->wishes.standard_name != NULL ? run->standard.name : run->model->name;
    return layer_create(&run->layer, run->model, "truth", name, &overlay,
                        run->wishes.options.training.seed, error);
}

/* Where the author begins: a vector of the author slot. */
static int set_vector(struct run *run, struct error *error) {
    struct handle_wishes wishes = {.items = {{'V', run->wishes.vector}}, .count = 1};
    struct handle handle;
    size_t width = run->model->config.latent_width;
    real *vector = run->layer->values + run->layer->overlay.layout.count;
    if (handle_wishes_grant(&handle, &wishes, run->model, error))
        return -1;
    for (size_t d = 0; d < width; d++)
        vector[d] = handle.mean[d];
    layer_refresh_operands(run->layer);
    handle_free(&handle);
    return 0;
}

/* Every so many steps it also learns to write as others. */
static int add_introspection(struct run *run, struct error *error) {
    enum { EVERY = 3, VALIDATION_EVERY = 16 };
    struct layer_train_options *o = &run->wishes.options.training;
    struct introspection_options options = introspection_options_default();
    options.threads = o->threads;
    options.seed = o->seed;
    if (corpus_open(&run->text_corpus, run->wishes.texts, error) ||
        corpus_check_tokenizer(run->text_corpus, run->model->tokenizer, error) ||
        dataset_create(&run->dataset, run->text_corpus, &run->model->slots, DATASET_TRAIN,
                       VALIDATION_EVERY, error) ||
        introspection_create(&run->introspection, run->layer, &run->dataset, &options, error))
        return -1;
    o->introspection = run->introspection;
    o->introspection_every = EVERY;
    return 0;
}

static void print_training(const struct run *run, const struct truth_train_report *r) {
    printf("learned from %zu verdicts and %zu prices\n", r->known, r->priced);
    if (run->wishes.options.is_plain)
        return;
    printf("market over %zu days: %zu verdicts, the day before each a Brier score of %.4f and a "
           "log loss of %.4f\n",
           r->market.days, r->market.resolved, r->market.brier, r->market.log_loss);
    if (isfinite(r->wealth))
        printf("the truth author's own wealth among the traders: %.4f\n", r->wealth);
}

static int read_opinions(struct run *run, struct error *error) {
    for (size_t i = 0; i < run->wishes.opinion_count; i++)
        if (opinions_read(&run->opinions, run->wishes.opinion_files[i], beliefs_of(run), error))
            return -1;
    return 0;
}

/* Where nothing is given to calibrate on, an eighth of the verdicts is kept from training for that:
 * what was learned by heart says nothing of how sure to be. */
static int keep_apart(struct run *run, struct error *error) {
    enum { SHARE = 8 };
    struct belief_base *base = run->wishes.standard_name != NULL ? &run->standard.base : &run->base;
    struct belief_base *kept = &run->calibration_base;
    if (sentences_create(&kept->sentences, error))
        return -1;
    for (size_t i = 0; i < base->count; i++) {
        struct belief *b = &base->items[i], copy = *b;
        const struct sentence *s = sentences_get(base->sentences, b->sentence);
        if (b->is_constraint || s->kind != SENTENCE_ATOM || b->verdict == VERDICT_UNKNOWN ||
            random_hash(s->text, strlen(s->text)) % SHARE != 0)
            continue;
        if (sentences_add_atom(kept->sentences, s->text, &copy.sentence, error) ||
            belief_base_add(kept, &copy, error))
            return -1;
        b->verdict = VERDICT_UNKNOWN;
    }
    return 0;
}

/* What the layer says is made probabilities by what is kept apart; of a base of a few statements by
 * what it learned. */
static int calibrate(struct run *run, struct error *error) {
    struct listened listened;
    run->judging.asked.layer = run->layer;
    if (judging_listen(&listened, &run->judging,
                       run->calibration_base.count > 0 ? &run->calibration_base : beliefs_of(run),
                       error))
        return -1;
    int result = judging_fit(&run->judging, &listened, EVIDENCE_OWN, error);
    memcpy(run->layer->calibration, run->judging.calibration, sizeof run->layer->calibration);
    if (result == 0 && run->beside_model != NULL) {
        result = judging_fit(&run->judging, &listened, EVIDENCE_ALL, error);
        memcpy(run->layer->beside, run->judging.calibration, sizeof run->layer->beside);
        run->layer->beside_model = layer_model_fingerprint(run->beside_model);
    }
    listened_free(&listened);
    return result;
}

static int train(struct run *run, struct error *error) {
    struct truth_train_report report;
    char kept[4096];
    if (run->wishes.out == NULL && run->wishes.standard_name == NULL)
        return error_set(error, "--out FILE is wanted");
    if (open_all(run, error) || read_opinions(run, error) ||
        (run->wishes.calibrate == NULL && keep_apart(run, error)) ||
        (run->layer == NULL && make_layer(run, error)) ||
        (run->wishes.vector != NULL && set_vector(run, error)) ||
        (run->wishes.texts != NULL && add_introspection(run, error)))
        return -1;
    fprintf(stderr, "%zu beliefs, %zu traders; %zu numbers to train; %zu steps of %zu\n",
            beliefs_of(run)->count, run->opinions.trader_count, run->layer->count,
            run->wishes.options.training.steps, run->wishes.options.training.batch);
    progress_catch_signals();
    progress_start(&run->progress, 0, run->wishes.options.training.steps);
    int result = truth_train(run->layer, &run->asking, beliefs_of(run), &run->opinions,
                             &run->wishes.options, show_progress, run, &report, error);
    progress_finish(&run->progress);
    if (result != 0 || calibrate(run, error))
        return -1;
    print_training(run, &report);
    if (run->wishes.out == NULL)
        standard_truth_path(&run->standard, kept, sizeof kept);
    return layer_save(run->layer, run->wishes.out != NULL ? run->wishes.out : kept, error);
}

/* One way of judging: printed, or added to the JSON under its name. */
static int report_on(struct run *run, const char *name, struct listened *listened,
                     const char *answers, json_t *json, struct error *error) {
    struct judging_report as_judged, projected;
    judging_weigh(&run->judging, listened);
    if (judging_evaluate(&as_judged, &projected, &run->judging, listened, answers, error))
        return -1;
    if (run->wishes.json == NULL) {
        printf("%s\n", name);
        judging_report_print(stdout, &as_judged);
        printf("%s, made coherent with the laws\n", name);
        judging_report_print(stdout, &projected);
        return 0;
    }
    json_t *item = judging_report_to_json(&as_judged);
    json_object_set_new(item, "projected", judging_report_to_json(&projected));
    return json_object_set_new(json, name, item) == 0 ? 0 : error_set(error, "out of memory");
}

/* Fitted to statements kept apart, or else as the layer has it. */
static int set_calibration(struct run *run, struct listened *kept_apart,
                           enum evidence_kind evidence, struct error *error) {
    const struct layer *layer = run->layer;
    if (kept_apart != NULL)
        return judging_fit(&run->judging, kept_apart, evidence, error);
    if (evidence == EVIDENCE_ALL &&
        (layer == NULL || layer->beside_model != layer_model_fingerprint(run->beside_model)))
        return error_set(error,
                         "nothing says what is heard of %s is worth beside %s: --calibrate "
                         "BASE is wanted",
                         run->wishes.hearer, layer == NULL ? "the model" : "this truth author");
    judging_uncalibrated(&run->judging);
    if (layer != NULL)
        memcpy(run->judging.calibration,
               evidence == EVIDENCE_ALL ? layer->beside : layer->calibration,
               sizeof layer->calibration);
    return 0;
}

/* Plainly: the answer's log odds as they are; asked: calibrated; judged: what is heard and read
 * weighed too; beside: and what is heard of another model. Answers are the last way's. */
static int evaluate_listened(struct run *run, struct listened *listened,
                             struct listened *kept_apart, json_t *json, struct error *error) {
    const char *answers = run->wishes.answers;
    int has_other = run->judging.beside != NULL;
    judging_uncalibrated(&run->judging);
    run->judging.is_as_worded = 1;
    if (report_on(run, "plainly", listened, NULL, json, error))
        return -1;
    run->judging.is_as_worded = 0;
    if (kept_apart != NULL && (set_calibration(run, kept_apart, EVIDENCE_ASKED, error) ||
                               report_on(run, "asked", listened, NULL, json, error)))
        return -1;
    if (set_calibration(run, kept_apart, EVIDENCE_OWN, error) ||
        report_on(run, "judged", listened, has_other ? NULL : answers, json, error))
        return -1;
    if (has_other && (set_calibration(run, kept_apart, EVIDENCE_ALL, error) ||
                      report_on(run, "beside", listened, answers, json, error)))
        return -1;
    return 0;
}

/* What will not change any more is unpacked once. */
static int unpack(struct run *run, struct error *error) {
    struct weights asked =
        run->layer != NULL ? layer_weights(run->layer) : model_weights(run->model);
    if (weights_unpack(&run->asked_weights, &asked, error))
        return -1;
    run->judging.asked.unpacked = run->asked_weights;
    if (run->beside_model == NULL)
        return 0;
    struct weights beside = model_weights(run->beside_model);
    if (weights_unpack(&run->beside_weights, &beside, error))
        return -1;
    run->judging.beside_asked.unpacked = run->beside_weights;
    return 0;
}

static int evaluate(struct run *run, struct error *error) {
    struct listened listened, kept_apart;
    if (open_all(run, error) || unpack(run, error) ||
        judging_listen(&listened, &run->judging, beliefs_of(run), error))
        return -1;
    if (run->wishes.calibrate != NULL &&
        judging_listen(&kept_apart, &run->judging, &run->calibration_base, error)) {
        listened_free(&listened);
        return -1;
    }
    json_t *json = json_object();
    int result = evaluate_listened(run, &listened,
                                   run->wishes.calibrate != NULL ? &kept_apart : NULL, json, error);
    if (result == 0 && run->wishes.json != NULL)
        result = option_write_json(json, run->wishes.json, error);
    json_decref(json);
    listened_free(&listened);
    if (run->wishes.calibrate != NULL)
        listened_free(&kept_apart);
    return result;
}

/* As nobody, then as each author. */
static int testify(struct run *run, struct error *error) {
    size_t width = run->model->config.latent_width;
    size_t threads = run->wishes.options.training.threads;
    struct asked asked = {.layer = run->layer};
    real *mask = memory_allocate(width, sizeof *mask, error);
    struct handle handle = {0};
    const struct belief_base *base = beliefs_of(run);
    int result = mask == NULL || witness_testify(&run->opinions, run->wishes.name, run->wishes.ways,
                                                 &run->asking, &asked, base, 1, threads, error)
                     ? -1
                     : 0;
    for (size_t i = 0; result == 0 && i < run->wishes.author_count; i++) {
        result = handle_create(&handle, run->model, error) ||
                 handle_tell(&handle, "author", run->wishes.authors[i], error);
        struct pass_handle told = {.told = handle.mean, .told_mask = mask};
        if (result == 0) {
            handle_told_mask(&handle, mask);
            result = witness_testify(&run->opinions, run->wishes.authors[i], run->wishes.ways,
                                     &run->asking, &(struct asked){.handle = &told}, base, 1,
                                     threads, error);
        }
        handle_free(&handle);
    }
    memory_free(mask);
    if (result == 0 && run->judging.library != NULL)
        result = witness_read(&run->opinions, "library", run->judging.library, run->judging.filter,
                              base, error);
    return result ? -1 : 0;
}

static int ask_for_opinions(struct run *run, struct error *error) {
    if (run->wishes.out == NULL)
        return error_set(error, "--out FILE is wanted");
    if (open_all(run, error) || testify(run, error) ||
        opinions_write(&run->opinions, run->wishes.out, beliefs_of(run), error))
        return -1;
    printf("%zu traders, %zu opinions\n", run->opinions.trader_count, run->opinions.count);
    return 0;
}

/* As --vector reads it. */
static int write_vector(const struct direction *direction, const char *path, struct error *error) {
    json_t *json = json_array();
    for (size_t d = 0; d < direction->slot->width; d++)
        json_array_append_new(json, json_real(direction->best[d]));
    int result = json_array_size(json) == direction->slot->width
                     ? option_write_json(json, path, error)
                     : error_set(error, "out of memory");
    json_decref(json);
    return result;
}

static int find_direction(struct run *run, struct error *error) {
    struct direction direction;
    if (open_all(run, error) || direction_find(&direction, &run->asking, beliefs_of(run),
                                               run->wishes.options.training.threads, error))
        return -1;
    int result = 0;
    if (run->wishes.json == NULL) {
        direction_print(stdout, &direction);
    } else {
        json_t *json = direction_to_json(&direction);
        result = json == NULL ? error_set(error, "out of memory")
                              : option_write_json(json, run->wishes.json, error);
        json_decref(json);
    }
    if (result == 0 && run->wishes.out != NULL)
        result = write_vector(&direction, run->wishes.out, error);
    direction_free(&direction);
    return result;
}

static void finish(struct run *run) {
    unpacked_destroy(run->asked_weights);
    unpacked_destroy(run->beside_weights);
    introspection_destroy(run->introspection);
    dataset_free(&run->dataset);
    corpus_close(run->text_corpus);
    opinions_free(&run->opinions);
    library_close(run->judging.library);
    standard_close(&run->standard);
    belief_base_free(&run->base);
    belief_base_free(&run->calibration_base);
    asking_free(&run->asking);
    asking_free(&run->beside);
    polarity_destroy(run->judging.polarity);
    model_destroy(run->beside_model);
    layer_destroy(run->layer);
    model_destroy(run->model);
    free(run);
}

static int execute(struct run *run, int argc, char **argv, struct error *error) {
    static const struct {
        const char *verb;
        int (*execute)(struct run *, struct error *);
    } VERBS[] = {{"train", train},
                 {"eval", evaluate},
                 {"opinions", ask_for_opinions},
                 {"direction", find_direction}};
    const char *verb = optind < argc ? argv[optind] : "";
    for (size_t i = 0; i < sizeof VERBS / sizeof *VERBS; i++)
        if (strcmp(verb, VERBS[i].verb) == 0)
            return VERBS[i].execute(run, error);
    return error_set(error, "'%.40s' is none of train, eval, opinions, direction", verb);
}

int command_truth(int argc, char **argv) {
    struct error error;
    if (option_wants_help(argc, argv, TRUTH_HELP))
        return 0;
    struct run *run = calloc(1, sizeof *run);
    if (run == NULL)
        return 1;
    int status = truth_wishes_parse(&run->wishes, argc, argv, &error) ? 2
                 : execute(run, argc, argv, &error)                   ? 1
                                                                      : 0;
    if (status != 0)
        fprintf(stderr, "trine truth: %s\n", error.message);
    finish(run);
    return status;
}
