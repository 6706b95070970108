/* What `trine train` and `trine adapt` share: settings, the loop, calibration, saving. */
#ifndef TRINE_CLI_TRAINING_H
#define TRINE_CLI_TRAINING_H

#include "train/recipe.h"

struct training_kind {
    const char *name; /* of the command */
    const char *help, *example;
    void (*set_defaults)(struct recipe *recipe);
    int takes_base;
};

/* Runs the command; returns its exit status. */
int training_command(const struct training_kind *kind, int argc, char **argv);

#endif
