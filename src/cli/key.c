/* trine key: makes, lists and revokes the access keys of a server. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "serve/keys.h"

static const char HELP[] =
    "usage: trine key new --scope good|truth|dream [--rate N] [--days N] [--name TEXT] [--keys "
    "FILE]\n"
    "       trine key list [--keys FILE]\n"
    "       trine key revoke ID [--keys FILE]\n"
    "\n"
    "Who may use a server (trine serve --keys FILE). new prints a key, once: only a hash of it is\n"
    "kept. list shows all keys, revoke takes one back; a running server knows from the next\n"
    "request on.\n"
    "\n"
    "  --scope SCOPE       what the key opens: good (chat under the principles), truth (judging "
    "and\n"
    "                      asking, too) or dream (all, without the guard)\n"
    "  --rate N            requests a minute, on average; unlimited unless given. Ten seconds' "
    "worth\n"
    "                      may come at once\n"
    "  --days N            for how long it works; for ever unless given\n"
    "  --name TEXT         a note of whose it is\n"
    "  --keys FILE         where the keys are; $TRINE_KEYS or trine-keys.sqlite unless given\n"
    "\n"
    "example: trine key new --scope good --rate 60 --name 'reading room' --days 30\n";

enum { LONGEST_LIFE = 36500, SECONDS_A_DAY = 86400 }; /* days */

struct run {
    const char *verb, *path, *id, *scope, *name;
    struct key_terms terms; /* of new */
    size_t days;
};

/* Without stdio, whose buffers would keep a copy. */
static int print_secret(const char *text, struct error *error) {
    char line[KEY_TEXT + 1];
    size_t bytes = (size_t)snprintf(line, sizeof line, "%s\n", text), done = 0;
    while (done < bytes) {
        ssize_t written = write(STDOUT_FILENO, line + done, bytes - done);
        if (written <= 0)
            break;
        done += (size_t)written;
    }
    sodium_memzero(line, sizeof line);
    return done == bytes ? 0 : error_set_errno(error, "standard output");
}

static int make(const struct run *run, struct error *error) {
    struct keys *keys;
    struct error ignored;
    char text[KEY_TEXT], id[KEY_ID];
    if (keys_open(&keys, run->path, 1, error))
        return -1;
    int result = keys_new(keys, &run->terms, text, id, error);
    if (result == 0 && (result = print_secret(text, error)) != 0)
        keys_revoke(keys, id, &ignored); /* nobody has seen it */
    sodium_memzero(text, sizeof text);
    keys_close(keys);
    if (result == 0)
        fprintf(stderr, "This key, %s, is shown once and not kept: %s holds a hash of it.\n", id,
                run->path);
    return result;
}

static const char *date_text(char text[16], int64_t seconds) {
    time_t time = (time_t)seconds;
    struct tm date;
    if (gmtime_r(&time, &date) == NULL || strftime(text, 16, "%Y-%m-%d", &date) == 0)
        return "?";
    return text;
}

static int print_key(void *context, const struct key_entry *entry) {
    char rate[32] = "-", created[16], expires[16];
    size_t *count = context;
    if ((*count)++ == 0)
        puts("id                scope  a minute  made        until       name");
    if (entry->terms.rate > 0)
        snprintf(rate, sizeof rate, "%g", entry->terms.rate);
    printf("%s  %-5s  %8s  %-10s  %-10s  %s%s\n", entry->id, scope_name(entry->terms.scope), rate,
           date_text(created, entry->created),
           entry->terms.expires == 0 ? "-" : date_text(expires, entry->terms.expires),
           entry->terms.name, entry->has_expired ? " (expired)" : "");
    return 0;
}

static int list(const struct run *run, struct error *error) {
    struct keys *keys;
    size_t count = 0;
    if (keys_open(&keys, run->path, 0, error))
        return -1;
    int result = keys_list(keys, print_key, &count, error);
    keys_close(keys);
    if (result == 0 && count == 0)
        printf("%s holds no keys\n", run->path);
    if (result == 0 && fflush(stdout) != 0)
        result = error_set_errno(error, "standard output");
    return result;
}

static int take_back(const struct run *run, struct error *error) {
    struct keys *keys;
    if (keys_open(&keys, run->path, 0, error))
        return -1;
    int was_there = keys_revoke(keys, run->id, error);
    keys_close(keys);
    if (was_there == 0)
        return error_set(error, "%s holds no key %.40s; trine key list shows them", run->path,
                         run->id);
    if (was_there == 1)
        printf("%s does not work any more\n", run->id);
    return was_there == 1 ? 0 : -1;
}

static int complete_terms(struct run *run, struct error *error) {
    const char *name = run->name != NULL ? run->name : "";
    if (run->scope == NULL)
        return error_set(error, "new wants --scope good, truth or dream");
    if (strlen(name) >= KEY_NAME)
        return error_set(error, "--name has %zu bytes; at most %d are allowed", strlen(name),
                         KEY_NAME - 1);
    strcpy(run->terms.name, name);
    if (run->days > 0)
        run->terms.expires = time(NULL) + (int64_t)run->days * SECONDS_A_DAY;
    return scope_from_name(&run->terms.scope, run->scope, error);
}

/* Which arguments belong to which verb. */
static int check(struct run *run, struct error *error) {
    int is_new = strcmp(run->verb, "new") == 0, is_revoke = strcmp(run->verb, "revoke") == 0;
    if (!is_new && !is_revoke && strcmp(run->verb, "list") != 0)
        return error_set(error, "'%.40s' is none of new, list and revoke", run->verb);
    if (is_revoke != (run->id != NULL))
        return error_set(error, "revoke wants the ID of a key, the others none");
    if (is_new)
        return complete_terms(run, error);
    if (run->scope != NULL || run->name != NULL || run->terms.rate > 0 || run->days > 0)
        return error_set(error, "--scope, --rate, --days and --name belong to new");
    return 0;
}

static int parse(struct run *run, int argc, char **argv, struct error *error) {
    static const struct option OPTIONS[] = {
        {"keys", required_argument, NULL, 'k'}, {"scope", required_argument, NULL, 's'},
        {"rate", required_argument, NULL, 'r'}, {"days", required_argument, NULL, 'd'},
        {"name", required_argument, NULL, 'n'}, {0}};
    int option;
    while ((option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1)
        if (option == 'k')
            run->path = optarg;
        else if (option == 's')
            run->scope = optarg;
        else if (option == 'n')
            run->name = optarg;
        else if (option == '?')
            return error_set(error, "see trine key --help");
        else if (option == 'r'
                     ? option_number(&run->terms.rate, "--rate", 0.01, KEY_RATE_LIMIT, error)
                     : option_count(&run->days, "--days", 1, LONGEST_LIFE, error))
            return -1;
    if (optind == argc)
        return error_set(error, "new, list or revoke is wanted; see trine key --help");
    run->verb = argv[optind++];
    run->id = optind < argc ? argv[optind++] : NULL;
    if (optind < argc)
        return error_set(error, "'%.100s' is one argument too many", argv[optind]);
    return check(run, error);
}

static int execute(struct run *run, struct error *error) {
    if (run->path == NULL && (run->path = getenv("TRINE_KEYS")) == NULL)
        run->path = "trine-keys.sqlite";
    if (strcmp(run->verb, "new") == 0)
        return make(run, error);
    return strcmp(run->verb, "list") == 0 ? list(run, error) : take_back(run, error);
}

int command_key(int argc, char **argv) {
    struct run run = {0};
    struct error error;
    if (option_wants_help(argc, argv, HELP))
        return 0;
    int status = parse(&run, argc, argv, &error) ? 2 : execute(&run, &error) ? 1 : 0;
    if (status != 0)
        fprintf(stderr, "trine key: %s\n", error.message);
    return status;
}
