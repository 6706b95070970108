/* The command `trine`: finds the verb and hands over. */
#include <stdio.h>
#include <string.h>

#include "base/progress.h"
#include "cli/commands.h"

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
};

static const struct command COMMANDS[] = {COMMAND_TABLE};

static void print_usage(FILE *stream) {
    fprintf(stream, "Trine " TRINE_VERSION ": a language model with handles.\n\n"
                    "usage: trine COMMAND [OPTIONS]\n\ncommands:\n");
    for (size_t i = 0; COMMANDS[i].name != NULL; i++)
        fprintf(stream, "  %-8s %s\n", COMMANDS[i].name, COMMANDS[i].summary);
    fprintf(stream, "\n`trine COMMAND --help` tells more.\n");
}

int main(int argc, char **argv) {
    if (argc < 2) {
        print_usage(stderr);
        return 2;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        print_usage(stdout);
        return 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("trine " TRINE_VERSION);
        return 0;
    }
    for (size_t i = 0; COMMANDS[i].name != NULL; i++)
        if (strcmp(argv[1], COMMANDS[i].name) == 0) {
            progress_set_name(argv[1]);
            return COMMANDS[i].run(argc - 1, argv + 1);
        }
    fprintf(stderr, "trine: there is no command '%s'; `trine --help` lists them\n", argv[1]);
    return 2;
}
