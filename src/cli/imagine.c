/* trine imagine: who might have written then and there, though nobody did. */
#include <getopt.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/show.h"
#include "dream/imagining.h"
#include "text/corpus.h"
#include "train/conditions_gather.h"

struct run {
    const char *model_path, *corpus_path, *save_path, *json_path, *by;
    struct handle_wishes wishes;
    int is_evaluation, is_kept;
    size_t count, pieces, samples, validation_every;
    struct corpus *corpus;
    struct model *model;
    struct gazetteer *gazetteer;
    struct handle handle;
};

static const char HELP[] =
    "usage: trine imagine --model MODEL.gguf [HANDLE] [OPTIONS]\n"
    "       trine imagine --model MODEL.gguf --corpus DIR --keep\n"
    "       trine imagine --model MODEL.gguf --corpus DIR --evaluate [OPTIONS]\n\n"
    "What is to be expected of an author of whom only the handle is known, a date or whatever "
    "else\n"
    "the corpus declares; and authors drawn from that, with whom they resemble. trine write\n"
    "--author sampled writes as one.\n\n"
    "the handle, applied in the order given:\n" HANDLE_HELP "\n"
    "options:\n"
    "  --count N           draw so many authors (1)\n"
    "  --seed N            same seed, same authors (1)\n"
    "  --save FILE         the author as a handle, for --handle of other commands\n"
    "  --corpus DIR        when the authors wrote, for models whose file does not say so\n"
    "  --keep              and keep that in the model's file, in place of what it says\n"
    "  --evaluate          leave each author out in turn: is more known with the conditions?\n"
    "  --by SLOTS          the conditions that are evaluated, \"date,party\" (all but the "
    "authors')\n"
    "  --pieces N          pieces of each author's texts to predict; 0: none (12)\n"
    "  --samples N         draws for each author, to predict with (4)\n"
    "  --validation-every N  training documents kept apart; as in training (16)\n"
    "  --json [FILE]       everything as JSON\n" BASE_HELP GAZETTEER_HELP "\n"
    "example: trine imagine --model demo/sotu.gguf --date 1850 --seed 7 --save h.json";

static int parse_option(struct run *run, int option, int argc, char **argv, struct error *error) {
    double seed = 0;
    int is_wish = handle_wishes_add(&run->wishes, option, optarg, error);
    if (is_wish != 0)
        return is_wish < 0 ? -1 : 0;
    switch (option) {
    case 'm':
        run->model_path = optarg;
        return 0;
    case 'c':
        run->corpus_path = optarg;
        return 0;
    case 'o':
        run->save_path = optarg;
        return 0;
    case 'j':
        run->json_path = option_optional_file(argc, argv);
        return 0;
    case 'k':
        run->is_kept = 1;
        return 0;
    case 'e':
        run->is_evaluation = 1;
        return 0;
    case 'b':
        run->by = optarg;
        return 0;
    case 'n':
        return option_count(&run->count, "--count", 1, 1000, error);
    case 'p':
        return option_count(&run->pieces, "--pieces", 0, 10000, error);
    case 'a':
        return option_count(&run->samples, "--samples", 0, 64, error);
    case 'v':
        return option_count(&run->validation_every, "--validation-every", 0, 1 << 20, error);
    case 's':
        if (option_number(&seed, "--seed", 0, 0x1p53, error))
            return -1;
        run->wishes.seed = (uint64_t)seed;
        return 0;
    default:
        return error_set(error, "see trine imagine --help");
    }
}

static int parse(struct run *run, int argc, char **argv, struct error *error) {
    static const struct option OPTIONS[] = {HANDLE_OPTIONS,
                                            {"model", required_argument, NULL, 'm'},
                                            {"corpus", required_argument, NULL, 'c'},
                                            {"count", required_argument, NULL, 'n'},
                                            {"seed", required_argument, NULL, 's'},
                                            {"save", required_argument, NULL, 'o'},
                                            {"keep", no_argument, NULL, 'k'},
                                            {"evaluate", no_argument, NULL, 'e'},
                                            {"by", required_argument, NULL, 'b'},
                                            {"pieces", required_argument, NULL, 'p'},
                                            {"samples", required_argument, NULL, 'a'},
                                            {"validation-every", required_argument, NULL, 'v'},
                                            {"json", optional_argument, NULL, 'j'},
                                            {0}};
    int option;
    while ((option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1)
        if (parse_option(run, option, argc, argv, error))
            return -1;
    if (optind < argc || run->model_path == NULL)
        return error_set(error, "--model is needed, and nothing else without a flag");
    if ((run->is_kept || run->is_evaluation) && run->corpus_path == NULL)
        return error_set(error, "--keep and --evaluate need --corpus DIR");
    if ((run->is_evaluation || run->is_kept) &&
        (run->wishes.count > 0 || run->save_path != NULL || run->is_evaluation == run->is_kept))
        return error_set(error, "--keep and --evaluate stand alone; conditions to be evaluated go "
                                "after --by");
    if (run->by != NULL && !run->is_evaluation)
        return error_set(error, "--by goes with --evaluate");
    if (run->save_path != NULL && run->count > 1)
        return error_set(error, "--save stores one author: --count is %zu", run->count);
    return 0;
}

static int gather(struct run *run, struct error *error) {
    struct dataset training;
    if (corpus_open(&run->corpus, run->corpus_path, error) ||
        corpus_check_tokenizer(run->corpus, run->model->tokenizer, error) ||
        dataset_create(&training, run->corpus, &run->model->slots, DATASET_TRAIN,
                       run->validation_every, error))
        return -1;
    int result = conditions_gather(run->model, &training, error);
    dataset_free(&training);
    return result;
}

/* is_used <- the slots that --by lists, or all but the authors'. */
static int choose_conditions(const struct run *run, int *is_used, struct error *error) {
    const struct slots *slots = &run->model->slots;
    size_t own = conditions_slot(slots);
    for (size_t s = 0; s < MAXIMUM_SLOTS; s++)
        is_used[s] = run->by == NULL && s < slots->count && s != own;
    for (const char *at = run->by; at != NULL && *at != '\0';) {
        char name[64];
        size_t length = strcspn(at, ",");
        snprintf(name, sizeof name, "%.*s", (int)length, at);
        const struct slot *slot = slots_find(slots, name);
        if (slot == NULL || (size_t)(slot - slots->slots) == own)
            return error_set(error, "--by: '%s' is no slot that authors could be told by", name);
        is_used[slot - slots->slots] = 1;
        at += length + (at[length] == ',');
    }
    return 0;
}

static int evaluate(struct run *run, struct error *error) {
    struct dataset held_out = {0}, training = {0};
    struct imagining imagining;
    int is_used[MAXIMUM_SLOTS];
    struct imagining_options options = {.is_used = is_used,
                                        .pieces = run->pieces,
                                        .samples = run->samples,
                                        .seed = run->wishes.seed,
                                        .threads = (size_t)omp_get_max_threads()};
    const struct slots *slots = &run->model->slots;
    int result =
        choose_conditions(run, is_used, error) ||
                dataset_create(&held_out, run->corpus, slots, DATASET_HELD_OUT, 0, error) ||
                dataset_create(&training, run->corpus, slots, DATASET_TRAIN, run->validation_every,
                               error) ||
                imagining_create(&imagining, run->model, &held_out, &training, &options, error)
            ? -1
            : 0;
    if (result == 0 && run->json_path != NULL) {
        json_t *json = imagining_to_json(&imagining);
        result = json == NULL ? error_set(error, "out of memory")
                              : option_write_json(json, run->json_path, error);
        json_decref(json);
    } else if (result == 0) {
        imagining_print(stdout, &imagining);
    }
    if (result == 0)
        imagining_free(&imagining);
    dataset_free(&held_out);
    dataset_free(&training);
    return result;
}

/* What is drawn from, and what it is compared with: an author of whom nothing is known. */
struct expectation {
    struct imagined_prior prior, anybody;
    struct prior_gaussian gaussian, of_anybody;
    int is_used[MAXIMUM_SLOTS];
};

static int expect(struct expectation *e, const struct run *run, struct error *error) {
    *e = (struct expectation){0};
    imagine_conditions(&run->handle, e->is_used);
    return imagine_fit(&e->prior, run->model, e->is_used, -1, NULL, error) ||
                   imagine_fit(&e->anybody, run->model, NULL, -1, NULL, error) ||
                   imagine_predict(&e->gaussian, &e->prior, &run->handle, error) ||
                   imagine_predict(&e->of_anybody, &e->anybody, &run->handle, error)
               ? -1
               : 0;
}

static void expectation_free(struct expectation *e) {
    prior_gaussian_free(&e->gaussian);
    prior_gaussian_free(&e->of_anybody);
    imagine_free(&e->prior);
    imagine_free(&e->anybody);
}

static double nats_narrower(const struct expectation *e) {
    return prior_entropy(&e->of_anybody) - prior_entropy(&e->gaussian);
}

/* How wide a dimension is in the geometric mean, against that of anybody. */
static double width_ratio(const struct expectation *e) {
    return exp(-nats_narrower(e) / (double)e->prior.slot->width);
}

static double unknown_share(const struct expectation *e) {
    return 1 - 1 / e->gaussian.scale;
}

static void print_prior(const struct expectation *e, const struct run *run) {
    const struct slots *slots = &run->model->slots;
    struct imagined middle;
    printf("an author of whom is known:");
    for (size_t i = 0; i < e->prior.input_count; i++)
        printf("%s %s %s", i > 0 ? "," : "", slots->slots[e->prior.inputs[i]].name,
               run->handle.source[e->prior.inputs[i]]);
    printf("%s\nlearned from %zu authors who wrote\n", e->prior.input_count > 0 ? "" : " nothing",
           e->prior.prior.count);
    double nats = nats_narrower(e);
    if (e->prior.input_count > 0 && fabs(nats) < 0.5)
        printf("width: that says next to nothing, %.2f nats of %zu dimensions\n", nats,
               e->prior.slot->width);
    else if (e->prior.input_count > 0)
        printf(
            "width: %.1f nats %s than for anybody; %zu dimensions, %.2f times as wide on average\n",
            fabs(nats), nats > 0 ? "narrower" : "wider", e->prior.slot->width, width_ratio(e));
    printf("       %.0f %% of the variance would go with more authors like that, the rest is how "
           "they differ\n",
           100 * unknown_share(e));
    imagine_middle(&middle, &e->prior, &e->gaussian);
    printf("the mean is nearest to ");
    show_neighbours(stdout, e->prior.slot, &middle);
    printf("\n");
}

static void print_author(const struct expectation *e, const struct imagined *author, size_t index) {
    printf("author %zu\n  nearest to ", index + 1);
    show_neighbours(stdout, e->prior.slot, author);
    printf("\n  region: %.1f times as far from %s as that author's own documents spread%s; %.0f %% "
           "of authors lie nearer to the mean\n",
           author->spreads, e->prior.slot->labels[author->neighbours[0]],
           author->spreads > 2 ? ", so nobody's double" : "", 100 * author->nearer);
}

static json_t *numbers(const double *values, size_t count) {
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_real(values[i]));
    return array;
}

static json_t *author_to_json(const struct expectation *e, const struct imagined *author) {
    json_t *neighbours = json_array();
    for (size_t i = 0; i < author->neighbour_count; i++)
        json_array_append_new(neighbours, json_pack("{s:s, s:f}", "label",
                                                    e->prior.slot->labels[author->neighbours[i]],
                                                    "distance", author->distances[i]));
    return json_pack("{s:o, s:f, s:f, s:f, s:o}", "neighbours", neighbours, "typical_distance",
                     author->typical, "spreads_from_nearest", author->spreads, "share_nearer",
                     author->nearer, "vector", numbers(author->point, e->prior.slot->width));
}

static int print_json(const struct expectation *e, const struct run *run,
                      const struct imagined *authors, struct error *error) {
    struct imagined middle;
    json_t *list = json_array(), *told = json_object();
    for (size_t i = 0; i < run->count; i++)
        json_array_append_new(list, author_to_json(e, &authors[i]));
    for (size_t i = 0; i < e->prior.input_count; i++)
        json_object_set_new(told, run->model->slots.slots[e->prior.inputs[i]].name,
                            json_string(run->handle.source[e->prior.inputs[i]]));
    imagine_middle(&middle, &e->prior, &e->gaussian);
    json_t *json = json_pack("{s:s, s:o, s:I, s:f, s:f, s:f, s:f, s:o, s:I, s:o}", "slot",
                             e->prior.slot->name, "conditions", told, "learned_from",
                             (json_int_t)e->prior.prior.count, "nats_narrower", nats_narrower(e),
                             "width_ratio", width_ratio(e), "entropy", prior_entropy(&e->gaussian),
                             "unknown_share", unknown_share(e), "mean", author_to_json(e, &middle),
                             "seed", (json_int_t)run->wishes.seed, "authors", list);
    int result = json == NULL ? error_set(error, "out of memory")
                              : option_write_json(json, run->json_path, error);
    json_decref(json);
    return result;
}

static int draw(struct run *run, const struct expectation *e, struct error *error) {
    struct imagined *authors = memory_allocate(run->count, sizeof *authors, error);
    if (authors == NULL)
        return -1;
    for (size_t i = 0; i < run->count; i++)
        imagine_draw(&authors[i], &e->prior, &e->gaussian, run->wishes.seed, i);
    int result = 0;
    if (run->json_path != NULL) {
        result = print_json(e, run, authors, error);
    } else {
        print_prior(e, run);
        for (size_t i = 0; i < run->count; i++)
            print_author(e, &authors[i], i);
    }
    if (result == 0 && run->save_path != NULL)
        result = imagine_tell(&run->handle, &e->prior, &authors[0], run->wishes.seed, error) ||
                         handle_save(&run->handle, run->save_path, error)
                     ? -1
                     : 0;
    memory_free(authors);
    return result;
}

static int execute(struct run *run, struct error *error) {
    struct expectation expectation;
    if (model_load_on(&run->model, run->model_path, run->wishes.base, PRECISION_BF16, error) ||
        (run->corpus_path != NULL && gather(run, error)))
        return -1;
    if (run->is_evaluation)
        return evaluate(run, error);
    if (run->is_kept)
        return model_save(run->model, run->model_path, error);
    if (option_gazetteer(&run->gazetteer, run->model, run->wishes.gazetteer, error) ||
        handle_wishes_grant(&run->handle, &run->wishes, run->model, error))
        return -1;
    int result = expect(&expectation, run, error);
    if (result == 0)
        result = draw(run, &expectation, error);
    expectation_free(&expectation);
    return result;
}

int command_imagine(int argc, char **argv) {
    struct run run = {
        .count = 1, .pieces = 12, .samples = 4, .validation_every = 16, .wishes = {.seed = 1}};
    struct error error;
    if (option_wants_help(argc, argv, HELP))
        return 0;
    int status = parse(&run, argc, argv, &error) ? 2 : execute(&run, &error) ? 1 : 0;
    if (status != 0)
        fprintf(stderr, "trine imagine: %s\n", error.message);
    handle_free(&run.handle);
    model_destroy(run.model);
    gazetteer_close(run.gazetteer);
    corpus_close(run.corpus);
    return status;
}
