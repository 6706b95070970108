/* trine adapt: a checkpoint of another program becomes a dream model. */
#include "cli/commands.h"
#include "cli/training.h"

static const struct training_kind ADAPT = {
    .name = "adapt",
    .help =
        "usage: trine adapt --base CHECKPOINT --corpus DIR --out MODEL.gguf [--recipe FILE]\n"
        "                   [SETTINGS]\n\n"
        "Gives a checkpoint authors, dates and whatever else the corpus declares. The base stays "
        "as\n"
        "it is, quantised or not; what is trained stands beside it: low-rank adapters, an "
        "evidence\n"
        "head, one injection a block. The corpus must have the base's tokenizer: trine corpus "
        "build\n"
        "--tokenizer CHECKPOINT. Interrupted, the same command goes on.\n\n"
        "  --base PATH        a GGUF file, or a directory with config.json, tokenizer.json and\n"
        "                     safetensors\n"
        "  --recipe FILE      settings as a JSON object\n"
        "  --fresh            ignore a saved state\n"
        "  --slot-width S=N   dimensions of slot S\n\n"
        "settings (each may stand in a recipe):",
    .example = "\nexample: trine adapt --base SmolLM2.gguf --corpus corpus --out adapted.gguf",
    .set_defaults = recipe_default_adapter,
    .takes_base = 1,
};

int command_adapt(int argc, char **argv) {
    return training_command(&ADAPT, argc, argv);
}
