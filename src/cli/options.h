/* What the commands' option parsing shares. */
#ifndef TRINE_CLI_OPTIONS_H
#define TRINE_CLI_OPTIONS_H

#include <jansson.h>

#include "base/error.h"
#include "latent/handle.h"
#include "text/gazetteer.h"

/* Prints the help and returns 1 when --help is the only argument. */
int option_wants_help(int argc, char **argv, const char *help);

/* From getopt's optarg, with the limits included. */
int option_count(size_t *value, const char *name, size_t least, size_t most, struct error *error);
int option_number(double *value, const char *name, double least, double most, struct error *error);

/* The file of an option whose argument may be absent ("--json FILE", "--json=FILE", "--json"):
 * "-" when it is. */
const char *option_optional_file(int argc, char **argv);

/* Writes JSON to a file, or to standard output when the path is "-". */
int option_write_json(const json_t *json, const char *path, struct error *error);

/* The longest text that a command reads as one. */
enum { OPTION_TEXT_LIMIT = 1 << 28 };

/* *list <- the tokens of a file (- for standard input), a text or a picture with `caption` before
 * it (NULL: none); a file of which nothing is left to read is refused if `wants_some`. The caller
 * frees list->ids. */
int option_document(struct token_list *list, const struct model *model, const char *path,
                    const char *caption, int wants_some, struct error *error);

/* The file of names of places: `path`, or, when that is NULL, the one that $TRINE_GAZETTEER names,
 * or the installed one; NULL: there is none. */
const char *option_gazetteer_path(const char *path);

/* Gives the model names of places if it has a place slot. The caller closes *gazetteer (NULL: there
 * is none) after the model's last use. */
int option_gazetteer(struct gazetteer **gazetteer, struct model *model, const char *path,
                     struct error *error);

/* What the flags --author, --date, --place, --tell, --mix, --like, --vector and --handle ask for.
 */
struct handle_wish {
    char kind;        /* the flag's letter below */
    const char *text; /* its argument, borrowed */
};
struct handle_wishes {
    struct handle_wish items[32];
    size_t count;
    const char *base;      /* --base, for model_load_on */
    const char *gazetteer; /* --gazetteer, for option_gazetteer */
    uint64_t seed;         /* of an author who is sampled */
};

/* clang-format off */
#define HANDLE_OPTIONS                                                                            \
    {"author", required_argument, NULL, 'A'}, {"date", required_argument, NULL, 'D'},             \
    {"tell", required_argument, NULL, 'T'},   {"mix", required_argument, NULL, 'M'},              \
    {"like", required_argument, NULL, 'L'},   {"vector", required_argument, NULL, 'V'},           \
    {"handle", required_argument, NULL, 'H'}, {"base", required_argument, NULL, 'B'},             \
    {"place", required_argument, NULL, 'P'},  {"gazetteer", required_argument, NULL, 'G'}
/* clang-format on */

#define BASE_HELP                                                                                  \
    "  --base PATH         the checkpoint that an adapted model stands on, when it is not "        \
    "beside\n"                                                                                     \
    "                      it or here\n"

#define GAZETTEER_HELP                                                                             \
    "  --gazetteer FILE    where names of places are found (else TRINE_GAZETTEER, else the\n"      \
    "                      installed one)\n"

#define HANDLE_HELP                                                                                \
    "  --author NAME       a label of the slot \"author\", or a name if the model was taught\n"    \
    "                      names; sampled: one who never wrote, by what the other flags\n"         \
    "                      say (see trine imagine)\n"                                              \
    "  --date YEAR         any year, such as 1863, 1863.5; 2100 is held the more loosely the\n"    \
    "                      farther it lies beyond the corpus\n"                                    \
    "  --place PLACE       latitude,longitude (41.9,-87.6), or a name (\"Chicago\", \"Paris, "     \
    "FR\")\n"                                                                                      \
    "  --tell SLOT=LABEL   a label of any slot\n"                                                  \
    "  --mix [SLOT=]MIX    a mixture of labels, \"A:0.6,B:0.4\"; of authors by default\n"          \
    "  --like FILE         what the reader makes of a text or a picture (.png; - for standard\n"   \
    "                      input)\n"                                                               \
    "  --vector [SLOT=]FILE  a JSON array of numbers; of the author by default\n"                  \
    "  --handle FILE       a handle stored by `trine handle`\n"

/* 1 when the option is one of HANDLE_OPTIONS and was kept, 0 when it is another, -1 on
 * failure. */
int handle_wishes_add(struct handle_wishes *wishes, int option, const char *argument,
                      struct error *error);

/* handle <- the prior, then the wishes in their order; a sampled author last, by all the others.
 * Says on standard error what is told loosely and whom a sampled author resembles. */
int handle_wishes_grant(struct handle *handle, const struct handle_wishes *wishes,
                        const struct model *model, struct error *error);

#endif
