#include "cli/truth_options.h"

#include <getopt.h>
#include <omp.h>
#include <string.h>

#include "cli/options.h"
#include "truth/witness.h"

const char TRUTH_HELP[] =
    "usage: trine truth train --model MODEL --beliefs BASE --out TRUTH.gguf [OPTIONS]\n"
    "       trine truth eval --model MODEL [--truth TRUTH.gguf] --beliefs BASE [OPTIONS]\n"
    "       trine truth opinions --model MODEL --beliefs BASE --out FILE [--author NAME]...\n"
    "       trine truth direction --model MODEL --beliefs BASE [--json [FILE]]\n"
    "\n"
    "train teaches one more author, who holds statements true or false: a vector and adapters that "
    "are\n"
    "on while this author is asked. The model itself is not changed. It learns the verdicts of a "
    "belief\n"
    "base and, where there are none, what a market of traders thinks. eval measures it on another "
    "base;\n"
    "without --truth, the model as it is. opinions asks the model, as nobody and as the authors "
    "named,\n"
    "for what the market's traders say. direction finds out which authors know most, and how far "
    "turning\n"
    "that up goes.\n"
    "\n"
    "  --beliefs BASE      statements, laws and verdicts, as JSON lines (see trine market)\n"
    "  --standard NAME     or those of a standard of truth, with whose truth author it is kept\n"
    "  --opinions FILE     what traders say of them; may be repeated\n"
    "  --corpus DIR        what its documents say counts too; with opinions one more trader\n"
    "  --introspect CORPUS train: every third step, to write as others (see trine introspect)\n"
    "  --plain             train on verdicts alone, without a market\n"
    "  --without KIND      leave out the market's coherence\n"
    "  --weight W          what is known weighs at least so much, default 0\n"
    "  --calibrate BASE    statements apart from the others, to fit the probabilities on; by\n"
    "                      default an eighth of the verdicts is kept from training for that\n"
    "  --out FILE          the trained layer, the opinions, or the best vector of direction\n"
    "  --vector FILE       train: where the author begins, such as what direction found\n"
    "  --truth FILE        such a layer\n"
    "  --author NAME       an author to ask; may be repeated\n"
    "  --name NAME         of the trader who speaks as nobody (model)\n"
    "  --ways WAYS         opinions: the model is asked, heard, both (default) or none\n"
    "  --hear MODEL        this model is heard, too, beside who is asked\n"
    "  --asked-every N     train: one of so many steps teaches to answer, the others to be heard "
    "(4)\n"
    "  --asked-alone       nobody is heard, nor learns to be\n"
    "  --answers FILE      eval: each statement with its probability, as JSON lines\n"
    "  --json [FILE]\n"
    "  --steps N           default 400        --batch N          default 16\n"
    "  --learning-rate R   default 0.0005     --rank N           of the adapters, default 8\n"
    "  --first-block N     of the adapters, default: the writer's first\n"
    "  --rounds N          of market and training, default 2\n"
    "  --seed N            default 1          --threads N        default: one for each "
    "core\n" BASE_HELP;

static int add(const char **items, size_t *count, size_t most, const char *option,
               struct error *error) {
    if (*count == most)
        return error_set(error, "%s is given more than %zu times", option, most);
    items[(*count)++] = optarg;
    return 0;
}

static int take_number(struct truth_wishes *wishes, int option, struct error *error) {
    struct layer_train_options *o = &wishes->options.training;
    size_t seed;
    switch (option) {
    case 's':
        return option_count(&o->steps, "--steps", 1, 1000000, error);
    case 'b':
        return option_count(&o->batch, "--batch", 1, 4096, error);
    case 'l':
        return option_number(&o->learning_rate, "--learning-rate", 1e-8, 1, error);
    case 'r':
        return option_count(&wishes->rank, "--rank", 1, MAXIMUM_RANK, error);
    case 'f':
        wishes->has_first_block = 1;
        return option_count(&wishes->first_block, "--first-block", 0, MAXIMUM_BLOCKS, error);
    case 'E':
        return option_count(&o->asked_every, "--asked-every", 1, 1000, error);
    case 'R':
        return option_count(&wishes->options.rounds, "--rounds", 1, 100, error);
    case 'W':
        return option_number(&wishes->options.verdict_weight, "--weight", 0, 1, error);
    case 'T':
        return option_count(&o->threads, "--threads", 1, 64, error);
    case 'S':
        if (option_count(&seed, "--seed", 0, 1u << 30, error))
            return -1;
        o->seed = seed;
        return 0;
    default:
        return error_set(error, "see trine truth --help");
    }
}

static int take_ways(struct truth_wishes *wishes, struct error *error) {
    static const char *const WAYS[] = {"none", "asked", "heard", "both"};
    for (int ways = 0; ways < 4; ways++)
        if (strcmp(optarg, WAYS[ways]) == 0) {
            wishes->ways = ways;
            return 0;
        }
    return error_set(error, "--ways is '%.40s'; it must be none, asked, heard or both", optarg);
}

static int take_option(struct truth_wishes *wishes, int option, int argc, char **argv,
                       struct error *error) {
    const struct {
        int option;
        const char **target;
    } texts[] = {
        {'m', &wishes->model_path}, {'B', &wishes->base_path}, {'e', &wishes->beliefs},
        {'c', &wishes->calibrate},  {'o', &wishes->out},       {'t', &wishes->truth},
        {'a', &wishes->answers},    {'C', &wishes->corpus},    {'d', &wishes->standard_name},
        {'n', &wishes->name},       {'H', &wishes->hearer},    {'v', &wishes->vector},
        {'I', &wishes->texts}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].option == option) {
            *texts[i].target = optarg;
            return 0;
        }
    switch (option) {
    case 'j':
        wishes->json = option_optional_file(argc, argv);
        return 0;
    case 'O':
        return add(wishes->opinion_files, &wishes->opinion_count, TRUTH_MOST_FILES, "--opinions",
                   error);
    case 'A':
        return add(wishes->authors, &wishes->author_count, TRUTH_MOST_AUTHORS, "--author", error);
    case 'p':
        wishes->options.is_plain = 1;
        return 0;
    case 'q':
        wishes->is_asked_alone = 1;
        wishes->options.training.asked_every = 1;
        return 0;
    case 'y':
        return take_ways(wishes, error);
    case 'w':
        wishes->options.without |= MARKET_COHERENCE;
        return strcmp(optarg, "coherence") == 0
                   ? 0
                   : error_set(error, "--without is '%.40s'; it must be coherence", optarg);
    default:
        return take_number(wishes, option, error);
    }
}

int truth_wishes_parse(struct truth_wishes *wishes, int argc, char **argv, struct error *error) {
    static const struct option OPTIONS[] = {{"model", required_argument, NULL, 'm'},
                                            {"base", required_argument, NULL, 'B'},
                                            {"beliefs", required_argument, NULL, 'e'},
                                            {"calibrate", required_argument, NULL, 'c'},
                                            {"out", required_argument, NULL, 'o'},
                                            {"truth", required_argument, NULL, 't'},
                                            {"json", optional_argument, NULL, 'j'},
                                            {"steps", required_argument, NULL, 's'},
                                            {"batch", required_argument, NULL, 'b'},
                                            {"learning-rate", required_argument, NULL, 'l'},
                                            {"rank", required_argument, NULL, 'r'},
                                            {"threads", required_argument, NULL, 'T'},
                                            {"seed", required_argument, NULL, 'S'},
                                            {"opinions", required_argument, NULL, 'O'},
                                            {"author", required_argument, NULL, 'A'},
                                            {"plain", no_argument, NULL, 'p'},
                                            {"without", required_argument, NULL, 'w'},
                                            {"weight", required_argument, NULL, 'W'},
                                            {"answers", required_argument, NULL, 'a'},
                                            {"corpus", required_argument, NULL, 'C'},
                                            {"rounds", required_argument, NULL, 'R'},
                                            {"first-block", required_argument, NULL, 'f'},
                                            {"standard", required_argument, NULL, 'd'},
                                            {"name", required_argument, NULL, 'n'},
                                            {"hear", required_argument, NULL, 'H'},
                                            {"vector", required_argument, NULL, 'v'},
                                            {"introspect", required_argument, NULL, 'I'},
                                            {"asked-alone", no_argument, NULL, 'q'},
                                            {"asked-every", required_argument, NULL, 'E'},
                                            {"ways", required_argument, NULL, 'y'},
                                            {NULL, 0, NULL, 0}};
    int option;
    wishes->name = "model";
    wishes->ways = WITNESS_ASKED | WITNESS_HEARD;
    wishes->options.training = layer_train_options_default();
    wishes->options.training.threads = (size_t)omp_get_max_threads();
    while ((option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1)
        if (take_option(wishes, option, argc, argv, error))
            return -1;
    if (wishes->model_path == NULL || (wishes->beliefs == NULL) == (wishes->standard_name == NULL))
        return error_set(error, "--model FILE and either --beliefs BASE or --standard NAME are "
                                "wanted");
    return 0;
}
