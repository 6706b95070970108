#include "good/principles.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>
#include <sodium.h>

#include "base/file.h"
#include "base/memory.h"

#ifndef TRINE_SHARE
#define TRINE_SHARE "/usr/local/share/trine"
#endif

enum { PATH_LIMIT = 4096, SIGNATURE_FILE_LIMIT = 1024, DIGEST_BYTES = 64 };
static const char SIGNED_AS[] = "trine principles 1\n", SIGNATURE_FILE[] = "principles.sig";

/* A file as it was read: what is verified is what is parsed. */
struct source {
    char *name, *content;
    size_t bytes;
};

struct sources {
    const char *directory;
    struct source items[PRINCIPLES_MOST];
    size_t count;
    char foreign[NAME_MAX + 1]; /* a file that is none of the set, or "" */
};

int principles_find(char *path, size_t size, const char *directory, struct error *error) {
    static const char *const PLACES[] = {"recipes/principles", TRINE_SHARE "/principles"};
    struct stat status;
    const char *given = directory != NULL ? directory : getenv("TRINE_PRINCIPLES");
    for (size_t i = 0; i < 2; i++) {
        const char *place = given != NULL ? given : PLACES[i];
        if (stat(place, &status) != 0 || !S_ISDIR(status.st_mode))
            continue;
        if (strlen(place) >= size)
            return error_set(error, "the path %.200s is too long", place);
        strcpy(path, place);
        return 0;
    }
    if (given != NULL)
        return error_set(error, "there is no directory %.200s of principles", given);
    return error_set(error, "there are no principles in %s or %s; $TRINE_PRINCIPLES names others",
                     PLACES[0], PLACES[1]);
}

int principles_find_key(struct public_key *key, const char *path, struct error *error) {
    static const char *const PLACES[] = {"recipes/operator.pub", TRINE_SHARE "/operator.pub"};
    struct stat status;
    const char *given = path != NULL ? path : getenv("TRINE_OPERATOR_KEY");
    if (given != NULL)
        return signature_read_public(key, given, error);
    for (size_t i = 0; i < 2; i++)
        if (stat(PLACES[i], &status) == 0)
            return signature_read_public(key, PLACES[i], error);
    return error_set(error,
                     "there is no operator's key %s or %s; $TRINE_OPERATOR_KEY names another",
                     PLACES[0], PLACES[1]);
}

/* Two digits, a hyphen, anything, ".json": what stands between must be the principle's name. */
static int is_principle(const char *name) {
    size_t length = strlen(name);
    return length > 8 && isdigit((unsigned char)name[0]) && isdigit((unsigned char)name[1]) &&
           name[2] == '-' && strcmp(name + length - 5, ".json") == 0;
}

static int path_of(char path[PATH_LIMIT], const char *directory, const char *name,
                   struct error *error) {
    if (snprintf(path, PATH_LIMIT, "%s/%s", directory, name) >= PATH_LIMIT)
        return error_set(error, "the path of %.100s is too long", name);
    return 0;
}

/* A pipe or a device would be waited for, or never end. */
static int read_file(const char *directory, const char *name, size_t limit, char **content,
                     size_t *bytes, struct error *error) {
    char path[PATH_LIMIT];
    struct stat status;
    if (path_of(path, directory, name, error))
        return -1;
    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
        return error_set(error, "%s is no file", path);
    return file_read_all(path, limit, content, bytes, error);
}

static int add_name(struct sources *s, const char *name, struct error *error) {
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, SIGNATURE_FILE) == 0 ||
        strcmp(name, "README.md") == 0)
        return 0;
    if (!is_principle(name)) {
        snprintf(s->foreign, sizeof s->foreign, "%s", name);
        return 0;
    }
    if (s->count == PRINCIPLES_MOST)
        return error_set(error, "%s has more than %d principles", s->directory, PRINCIPLES_MOST);
    s->items[s->count].name = strdup(name);
    if (s->items[s->count].name == NULL)
        return error_set(error, "out of memory for principles");
    s->count++;
    return 0;
}

static int list_names(struct sources *s, struct error *error) {
    const struct dirent *entry;
    int result = 0;
    DIR *listing = opendir(s->directory);
    if (listing == NULL)
        return error_set_errno(error, "cannot open directory %s", s->directory);
    while (result == 0 && (errno = 0, entry = readdir(listing)) != NULL)
        result = add_name(s, entry->d_name, error);
    if (result == 0 && errno != 0)
        result = error_set_errno(error, "cannot list directory %s", s->directory);
    closedir(listing);
    if (result == 0 && s->count == 0)
        result = error_set(error, "%s has no principles, files NN-name.json", s->directory);
    return result;
}

static int compare_names(const void *left, const void *right) {
    const struct source *a = left, *b = right;
    return strcmp(a->name, b->name); /* as unsigned bytes, in any locale */
}

static int read_sources(struct sources *s, const char *directory, struct error *error) {
    s->directory = directory;
    if (list_names(s, error))
        return -1;
    qsort(s->items, s->count, sizeof *s->items, compare_names);
    for (size_t i = 0; i < s->count; i++)
        if (read_file(directory, s->items[i].name, PRINCIPLE_FILE_LIMIT, &s->items[i].content,
                      &s->items[i].bytes, error))
            return -1;
    return 0;
}

static void free_sources(struct sources *s) {
    for (size_t i = 0; i < s->count; i++) {
        free(s->items[i].name);
        free(s->items[i].content);
    }
}

static void digest_bytes(crypto_generichash_state *state, const char *data, size_t bytes) {
    unsigned char length[8];
    for (int i = 0; i < 8; i++)
        length[i] = (unsigned char)((uint64_t)bytes >> 8 * i);
    crypto_generichash_update(state, length, sizeof length);
    crypto_generichash_update(state, (const unsigned char *)data, bytes);
}

static void make_digest(unsigned char digest[DIGEST_BYTES], const struct sources *s) {
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, DIGEST_BYTES);
    crypto_generichash_update(&state, (const unsigned char *)SIGNED_AS, sizeof SIGNED_AS - 1);
    for (size_t i = 0; i < s->count; i++) {
        digest_bytes(&state, s->items[i].name, strlen(s->items[i].name));
        digest_bytes(&state, s->items[i].content, s->items[i].bytes);
    }
    crypto_generichash_final(&state, digest, DIGEST_BYTES);
}

static int check_foreign(const struct sources *s, struct error *error) {
    if (*s->foreign == '\0')
        return 0;
    return error_set(error, "%s/%s is not part of the signed set; move it elsewhere", s->directory,
                     s->foreign);
}

static int parse_signature(struct public_key *key, struct signature *signature, const char *text,
                           size_t bytes, struct error *error) {
    json_error_t problem;
    const char *key_text, *signature_text;
    json_t *json = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &problem);
    if (json == NULL || json_unpack_ex(json, &problem, JSON_STRICT, "{s:s, s:s}", "key", &key_text,
                                       "signature", &signature_text) != 0) {
        json_decref(json);
        return error_set(error, "\"key\" and \"signature\" are wanted, nothing else: %s",
                         problem.text);
    }
    int result = signature_key_from_text(key, key_text, error) ||
                         signature_from_text(signature, signature_text, error)
                     ? -1
                     : 0;
    json_decref(json);
    return result;
}

static int read_signature(struct public_key *key, struct signature *signature,
                          const char *directory, struct error *error) {
    char path[PATH_LIMIT], *text;
    size_t bytes;
    struct stat status;
    struct error own;
    if (path_of(path, directory, SIGNATURE_FILE, error))
        return -1;
    if (stat(path, &status) != 0)
        return error_set(error, "%s is not signed: it has no %s (trine principles sign)", directory,
                         SIGNATURE_FILE);
    if (read_file(directory, SIGNATURE_FILE, SIGNATURE_FILE_LIMIT, &text, &bytes, error))
        return -1;
    int result = parse_signature(key, signature, text, bytes, &own);
    free(text);
    return result ? error_set(error, "%s is damaged: %s", path, own.message) : 0;
}

static int verify(const struct sources *s, const struct public_key *operator_key,
                  struct error *error) {
    struct public_key key;
    struct signature signature;
    char signer[PUBLIC_KEY_TEXT], wanted[PUBLIC_KEY_TEXT];
    unsigned char digest[DIGEST_BYTES];
    if (check_foreign(s, error) || read_signature(&key, &signature, s->directory, error))
        return -1;
    if (operator_key == NULL)
        return error_set(error, "there is no operator's key to verify %s by", s->directory);
    signature_key_to_text(signer, &key);
    signature_key_to_text(wanted, operator_key);
    if (strcmp(signer, wanted) != 0)
        return error_set(error, "%s is signed by the key %s, which is not the operator's, %s",
                         s->directory, signer, wanted);
    make_digest(digest, s);
    if (signature_verify(&signature, digest, sizeof digest, operator_key, error))
        return error_set(error,
                         "%s is not what was signed: a principle was changed, renamed, added or "
                         "removed since, or the signature was",
                         s->directory);
    return 0;
}

/* The file's name names the principle, so that neither can be misread. */
static int check_name(const struct principles *p, size_t i, const struct source *source,
                      struct error *error) {
    const char *name = p->items[i].name;
    for (size_t j = 0; j < i; j++)
        if (strcmp(p->items[j].name, name) == 0)
            return error_set(error, "the name \"%s\" is taken by an earlier principle", name);
    if (strlen(source->name) != strlen(name) + 8 ||
        strncmp(source->name + 3, name, strlen(name)) != 0)
        return error_set(error, "a file of the principle \"%s\" must be called NN-%s.json", name,
                         name);
    return 0;
}

static int parse_all(struct principles *p, const struct sources *s, struct error *error) {
    struct error own;
    p->directory = strdup(s->directory);
    p->items = memory_allocate(s->count, sizeof *p->items, error);
    if (p->items == NULL || p->directory == NULL)
        return error_set(error, "out of memory for principles");
    for (size_t i = 0; i < s->count; i++) {
        const struct source *source = &s->items[i];
        int result = principle_parse(&p->items[i], source->content, source->bytes, &own);
        if (result == 0) {
            p->count++;
            result = check_name(p, i, source, &own);
        }
        if (result)
            return error_set(error, "%s/%s: %s", s->directory, source->name, own.message);
    }
    return 0;
}

int principles_open(struct principles *p, const char *directory,
                    const struct public_key *operator_key, int is_research, struct error *error) {
    struct sources sources = {0};
    *p = (struct principles){0};
    int result = read_sources(&sources, directory, error);
    if (result == 0) {
        p->is_verified = verify(&sources, operator_key, &p->doubt) == 0;
        if (!p->is_verified && !is_research)
            result = (*error = p->doubt, -1);
    }
    if (result == 0)
        result = parse_all(p, &sources, error);
    free_sources(&sources);
    if (result)
        principles_close(p);
    return result;
}

void principles_close(struct principles *p) {
    for (size_t i = 0; i < p->count; i++)
        principle_free(&p->items[i]);
    memory_free(p->items);
    free(p->directory);
    *p = (struct principles){0};
}

static int write_signature(const char *directory, const struct public_key *key,
                           const struct signature *signature, struct error *error) {
    struct file_writer writer;
    char path[PATH_LIMIT], key_text[PUBLIC_KEY_TEXT], text[SIGNATURE_TEXT];
    if (path_of(path, directory, SIGNATURE_FILE, error) || file_writer_open(&writer, path, error))
        return -1;
    signature_key_to_text(key_text, key);
    signature_to_text(text, signature);
    fprintf(writer.stream, "{\"key\": \"%s\",\n \"signature\": \"%s\"}\n", key_text, text);
    return file_writer_commit(&writer, error);
}

int principles_sign(const char *directory, const struct secret_key *secret_key,
                    struct error *error) {
    struct sources sources = {0};
    struct principles p = {0};
    struct public_key key;
    struct signature signature;
    unsigned char digest[DIGEST_BYTES];
    int result = read_sources(&sources, directory, error) || check_foreign(&sources, error) ||
                         parse_all(&p, &sources, error)
                     ? -1
                     : 0;
    if (result == 0) {
        make_digest(digest, &sources);
        signature_public_key(&key, secret_key);
        result = signature_sign(&signature, digest, sizeof digest, secret_key, error) ||
                         write_signature(directory, &key, &signature, error)
                     ? -1
                     : 0;
    }
    principles_close(&p);
    free_sources(&sources);
    return result;
}
