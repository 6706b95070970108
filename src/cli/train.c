/* trine train: a corpus and a recipe become a model. */
#include "cli/commands.h"
#include "cli/training.h"

static const struct training_kind TRAIN = {
    .name = "train",
    .help =
        "usage: trine train --corpus DIR --out MODEL.gguf [--recipe FILE] [SETTINGS]\n\n"
        "Trains a model on the training split of a corpus. Interrupted (Ctrl-C, or killed), the\n"
        "same command goes on from the last saved state, MODEL.gguf.state, and the result is the\n"
        "same to the last bit.\n\n"
        "  --recipe FILE      settings as a JSON object\n"
        "  --fresh            ignore a saved state\n"
        "  --slot-width S=N   dimensions of slot S\n\n"
        "settings (each may stand in a recipe):",
    .example =
        "\nexample: trine train --corpus corpus --recipe recipes/sotu/recipe.json --out m.gguf",
    .set_defaults = recipe_default,
};

int command_train(int argc, char **argv) {
    return training_command(&TRAIN, argc, argv);
}
