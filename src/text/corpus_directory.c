#include "text/corpus_directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The names that a corpus is made of, also half-written; the library (truth/library.h) is made
 * from it again. */
static int is_of_corpus(const char *name) {
    return strncmp(name, "catalogue.sqlite", 16) == 0 || strncmp(name, "tokens-", 7) == 0 ||
           strncmp(name, "library.sqlite", 14) == 0;
}

/* Calls for each entry; `removes`: unlinks those of a corpus. Returns 1 when all are of a corpus, 0
 * when one is not, -1 when the directory cannot be read. */
static int visit(const char *path, int removes) {
    DIR *listing = opendir(path);
    if (listing == NULL)
        return -1;
    int result = 1;
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (!is_of_corpus(entry->d_name))
            result = 0;
        else if (removes)
            unlinkat(dirfd(listing), entry->d_name, 0);
    }
    closedir(listing);
    return result;
}

static void remove_corpus(const char *path) {
    visit(path, 1);
    rmdir(path);
}

static int check_target(const char *path, int is_forced, struct error *error) {
    struct stat status;
    if (lstat(path, &status) != 0)
        return errno == ENOENT ? 0 : error_set_errno(error, "cannot inspect %s", path);
    if (!is_forced)
        return error_set(error, "%s exists; --force replaces it", path);
    if (!S_ISDIR(status.st_mode) || visit(path, 0) != 1)
        return error_set(error, "%s holds more than a corpus and is not replaced", path);
    return 0;
}

int corpus_directory_create(struct corpus_directory *d, const char *path, int is_forced,
                            struct error *error) {
    d->temporary[0] = '\0';
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    if (length == 0 || length >= sizeof d->path)
        return error_set(error, "the path of the corpus is %s", length == 0 ? "empty" : "too long");
    memcpy(d->path, path, length);
    d->path[length] = '\0';
    if (check_target(d->path, is_forced, error))
        return -1;
    char temporary[sizeof d->temporary];
    snprintf(temporary, sizeof temporary, "%s.tmp-%ld", d->path, (long)getpid());
    if (mkdir(temporary, 0777) != 0)
        return error_set_errno(error, "cannot make directory %s", temporary);
    strcpy(d->temporary, temporary);
    return 0;
}

int corpus_directory_spool(const struct corpus_directory *d, struct error *error) {
    char path[sizeof d->temporary + 16];
    snprintf(path, sizeof path, "%s/tokens-XXXXXX", d->temporary);
    int descriptor = mkostemp(path, O_CLOEXEC);
    if (descriptor < 0)
        return error_set_errno(error, "cannot create a temporary file in %s", d->temporary);
    unlink(path);
    return descriptor;
}

static int sync_path(const char *path, struct error *error) {
    int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0)
        return error_set_errno(error, "cannot open directory %s", path);
    int failed = fsync(descriptor) != 0 && errno != EINVAL; /* some file systems cannot */
    if (failed)
        error_set_errno(error, "cannot sync directory %s", path);
    close(descriptor);
    return failed ? -1 : 0;
}

/* Puts the new directory in the old one's place; afterwards the old one has the temporary name. */
static int exchange(const struct corpus_directory *d, struct error *error) {
    if (renameat2(AT_FDCWD, d->temporary, AT_FDCWD, d->path, RENAME_EXCHANGE) == 0)
        return 0;
    /* File systems that cannot exchange: for a moment there is no corpus. */
    char old[sizeof d->path + 32];
    snprintf(old, sizeof old, "%s.old-%ld", d->path, (long)getpid());
    if (rename(d->path, old) != 0)
        return error_set_errno(error, "cannot rename %s to %s", d->path, old);
    if (rename(d->temporary, d->path) != 0) {
        error_set_errno(error, "cannot rename %s to %s", d->temporary, d->path);
        rename(old, d->path);
        return -1;
    }
    if (rename(old, d->temporary) != 0)
        return error_set_errno(error, "cannot remove the old corpus, now %s", old);
    return 0;
}

int corpus_directory_commit(struct corpus_directory *d, struct error *error) {
    struct stat status;
    if (sync_path(d->temporary, error))
        return -1;
    if (lstat(d->path, &status) == 0) {
        /* It was looked at when the build began; it may have changed since. */
        if (!S_ISDIR(status.st_mode) || visit(d->path, 0) != 1)
            return error_set(error, "%s holds more than a corpus and is not replaced", d->path);
        if (exchange(d, error))
            return -1;
        remove_corpus(d->temporary);
    } else if (rename(d->temporary, d->path) != 0) {
        return error_set_errno(error, "cannot rename %s to %s", d->temporary, d->path);
    }
    d->temporary[0] = '\0';
    char copy[sizeof d->path];
    strcpy(copy, d->path);
    return sync_path(dirname(copy), error);
}

void corpus_directory_abort(struct corpus_directory *d) {
    if (d->temporary[0] != '\0')
        remove_corpus(d->temporary);
    d->temporary[0] = '\0';
}
