/* The principles that the good layer holds to whatever its tuning: a directory of files
 * NN-name.json (good/principle.h), read in the order of their names, and principles.sig, the
 * operator's signature over all of them, {"key": base64, "signature": base64}.
 *
 * What is signed is BLAKE2b-512 of the line "trine principles 1\n" and then, for each file in the
 * byte order of names, the length of its name (64 bits, little-endian), its name, the length of its
 * content and its content: no file can be changed, renamed, added, removed or joined with another.
 * Nothing else may lie in the directory but a README.md.
 *
 * A set that is not verified is refused. In research mode it is loaded and says that it is not
 * verified, for whoever answers by it to say so too. */
#ifndef TRINE_GOOD_PRINCIPLES_H
#define TRINE_GOOD_PRINCIPLES_H

#include "good/principle.h"
#include "good/signature.h"

enum { PRINCIPLES_MOST = 64 };

struct principles {
    struct principle *items;
    size_t count;
    char *directory;
    int is_verified;
    struct error doubt; /* why it is not */
};

/* path[size] <- `directory`, or when it is NULL $TRINE_PRINCIPLES, recipes/principles or where they
 * were installed: the first that is given or there. */
int principles_find(char *path, size_t size, const char *directory, struct error *error);

/* The operator's public key: of the file `path`, or when it is NULL of $TRINE_OPERATOR_KEY,
 * recipes/operator.pub or the installed one. A file that is named but wrong is an error. */
int principles_find_key(struct public_key *key, const char *path, struct error *error);

/* The same files are read once, verified and parsed. Each malformed one is an error in research
 * mode too. Without an operator's key (NULL) nothing is verified. */
int principles_open(struct principles *principles, const char *directory,
                    const struct public_key *operator_key, int is_research, struct error *error);
void principles_close(struct principles *principles);

/* Signs what lies in the directory, if principles_open would take all of it. */
int principles_sign(const char *directory, const struct secret_key *key, struct error *error);

#endif
