/* Signatures (Ed25519, through libsodium), and the files that keys lie in: one line of text,
 *
 *   trine-public-key <base64 of 32 bytes>
 *   trine-secret-key <base64 of the 32 bytes that the key pair grows from>
 *
 * and nothing else. Whoever holds a secret key wipes it with signature_forget. */
#ifndef TRINE_GOOD_SIGNATURE_H
#define TRINE_GOOD_SIGNATURE_H

#include <stddef.h>

#include "base/error.h"

enum {
    PUBLIC_KEY_BYTES = 32,
    SECRET_KEY_BYTES = 64,
    SIGNATURE_BYTES = 64,
    PUBLIC_KEY_TEXT = 45, /* as base64, with the NUL at its end */
    SIGNATURE_TEXT = 89
};

struct public_key {
    unsigned char bytes[PUBLIC_KEY_BYTES];
};

struct secret_key {
    unsigned char bytes[SECRET_KEY_BYTES]; /* the seed, then the public key */
};

struct signature {
    unsigned char bytes[SIGNATURE_BYTES];
};

int signature_make_keys(struct public_key *public_key, struct secret_key *secret_key,
                        struct error *error);
void signature_public_key(struct public_key *public_key, const struct secret_key *secret_key);
void signature_forget(struct secret_key *secret_key);

int signature_sign(struct signature *signature, const void *data, size_t bytes,
                   const struct secret_key *key, struct error *error);

/* 0 when the holder of the key's other half signed exactly these bytes. */
int signature_verify(const struct signature *signature, const void *data, size_t bytes,
                     const struct public_key *key, struct error *error);

/* An existing file is refused, not overwritten; the secret one has mode 0600. */
int signature_write_public(const struct public_key *key, const char *path, struct error *error);
int signature_write_secret(const struct secret_key *key, const char *path, struct error *error);

/* A secret key that others may read is refused. */
int signature_read_public(struct public_key *key, const char *path, struct error *error);
int signature_read_secret(struct secret_key *key, const char *path, struct error *error);

/* As base64 and back; `from` refuses anything but the one right spelling. */
void signature_key_to_text(char text[PUBLIC_KEY_TEXT], const struct public_key *key);
int signature_key_from_text(struct public_key *key, const char *text, struct error *error);
void signature_to_text(char text[SIGNATURE_TEXT], const struct signature *signature);
int signature_from_text(struct signature *signature, const char *text, struct error *error);

#endif
