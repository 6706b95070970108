/* trine principles: shows, verifies and signs what the good layer holds to. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "good/principles.h"

static const char HELP[] =
    "usage: trine principles show [DIR] [--key FILE]\n"
    "       trine principles check [DIR] [--key FILE]\n"
    "       trine principles sign DIR --key SECRET\n"
    "       trine principles key --out PREFIX\n"
    "\n"
    "What replies are held to: a directory of principles, signed by the operator. show lists them\n"
    "and says whether they are verified; check fails when they are not; sign signs a directory;\n"
    "key makes a pair of keys, PREFIX.pub and PREFIX.key. DIR is $TRINE_PRINCIPLES or those that\n"
    "come with Trine unless it is given.\n"
    "\n"
    "  --key FILE          show, check: the operator's public key ($TRINE_OPERATOR_KEY, or that "
    "of\n"
    "                      the principles that come with Trine); sign: the operator's secret key\n"
    "  --out PREFIX        where the keys are written; existing ones are not overwritten\n"
    "\n"
    "example: trine principles key --out me && trine principles sign mine --key me.key\n";

enum { PATH_LIMIT = 4096 };

struct run {
    const char *verb, *directory, *key, *out;
    int is_research;
};

static int show(const struct run *run, struct error *error) {
    struct public_key key;
    struct principles p;
    struct error no_key;
    char path[PATH_LIMIT], text[PUBLIC_KEY_TEXT];
    /* A key that was asked for must be there; without any, the principles can still be shown. */
    int has_key = principles_find_key(&key, run->key, &no_key) == 0;
    if (!has_key && (run->key != NULL || !run->is_research)) {
        *error = no_key;
        return -1;
    }
    if (principles_find(path, sizeof path, run->directory, error) ||
        principles_open(&p, path, has_key ? &key : NULL, run->is_research, error))
        return -1;
    if (p.is_verified) {
        signature_key_to_text(text, &key);
        printf("%zu principles in %s, verified: signed by %s\n", p.count, path, text);
    } else {
        printf("%zu principles in %s, NOT VERIFIED: %s\n", p.count, path,
               has_key ? p.doubt.message : no_key.message);
    }
    for (size_t i = 0; run->is_research && i < p.count; i++)
        printf("  %-28s  %-5s  from %.2f  %s\n", p.items[i].name,
               principle_action_name(p.items[i].action), p.items[i].threshold, p.items[i].reason);
    principles_close(&p);
    return 0;
}

static int sign(const struct run *run, struct error *error) {
    struct secret_key secret;
    struct public_key key;
    char text[PUBLIC_KEY_TEXT];
    if (signature_read_secret(&secret, run->key, error))
        return -1;
    int result = principles_sign(run->directory, &secret, error);
    signature_public_key(&key, &secret);
    signature_forget(&secret);
    if (result)
        return -1;
    signature_key_to_text(text, &key);
    printf("%s is signed by %s\n", run->directory, text);
    return 0;
}

static int make_key(const struct run *run, struct error *error) {
    char public_path[PATH_LIMIT], secret_path[PATH_LIMIT];
    struct public_key key;
    struct secret_key secret;
    if (snprintf(public_path, PATH_LIMIT, "%s.pub", run->out) >= PATH_LIMIT ||
        snprintf(secret_path, PATH_LIMIT, "%s.key", run->out) >= PATH_LIMIT)
        return error_set(error, "the path %.200s is too long", run->out);
    if (access(public_path, F_OK) == 0) /* before half of the pair is written */
        return error_set(error, "%s exists already; a key is not overwritten", public_path);
    if (signature_make_keys(&key, &secret, error))
        return -1;
    int result = signature_write_secret(&secret, secret_path, error) ||
                         signature_write_public(&key, public_path, error)
                     ? -1
                     : 0;
    signature_forget(&secret);
    if (result == 0)
        printf("%s is the public key, for everyone; %s the secret one, for you alone\n",
               public_path, secret_path);
    return result;
}

static int parse(struct run *run, int argc, char **argv, struct error *error) {
    static const struct option OPTIONS[] = {
        {"key", required_argument, NULL, 'k'}, {"out", required_argument, NULL, 'o'}, {0}};
    int option;
    while ((option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1)
        if (option == 'k')
            run->key = optarg;
        else if (option == 'o')
            run->out = optarg;
        else
            return error_set(error, "see trine principles --help");
    if (optind == argc)
        return error_set(error, "show, check, sign or key is wanted; see trine principles --help");
    run->verb = argv[optind++];
    run->directory = optind < argc ? argv[optind++] : NULL;
    if (optind < argc)
        return error_set(error, "'%.100s' is one argument too many", argv[optind]);
    int makes_key = strcmp(run->verb, "key") == 0, signs = strcmp(run->verb, "sign") == 0;
    run->is_research = strcmp(run->verb, "show") == 0;
    if (!makes_key && !signs && !run->is_research && strcmp(run->verb, "check") != 0)
        return error_set(error, "'%.40s' is none of show, check, sign and key", run->verb);
    if (makes_key != (run->out != NULL) ||
        (makes_key && (run->key != NULL || run->directory != NULL)))
        return error_set(error, "--out PREFIX belongs to key, which takes nothing else");
    if (signs && (run->directory == NULL || run->key == NULL))
        return error_set(error, "sign wants DIR and --key SECRET");
    return 0;
}

static int execute(const struct run *run, struct error *error) {
    if (strcmp(run->verb, "key") == 0)
        return make_key(run, error);
    return strcmp(run->verb, "sign") == 0 ? sign(run, error) : show(run, error);
}

int command_principles(int argc, char **argv) {
    struct run run = {0};
    struct error error;
    if (option_wants_help(argc, argv, HELP))
        return 0;
    int status = parse(&run, argc, argv, &error) ? 2 : execute(&run, &error) ? 1 : 0;
    if (status != 0)
        fprintf(stderr, "trine principles: %s\n", error.message);
    return status;
}
