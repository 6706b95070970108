/* The commands, one file each. A command gets its own name as argv[0] and returns the exit
 * status: 0 done, 1 failed, 2 called wrongly. */
#ifndef TRINE_CLI_COMMANDS_H
#define TRINE_CLI_COMMANDS_H

int command_corpus(int argc, char **argv);
int command_train(int argc, char **argv);

#define COMMAND_TABLE                                                                              \
    {"corpus", command_corpus, "build and show a corpus: documents, labels, tokens"},              \
    {"train", command_train, "train a model on a corpus"},                                         \
    {NULL, NULL, NULL},

#endif
