#include "good/signature.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "base/file.h"

static_assert(PUBLIC_KEY_BYTES == crypto_sign_PUBLICKEYBYTES, "libsodium's public keys");
static_assert(SECRET_KEY_BYTES == crypto_sign_SECRETKEYBYTES, "libsodium's secret keys");
static_assert(SIGNATURE_BYTES == crypto_sign_BYTES, "libsodium's signatures");

enum { SEED_BYTES = crypto_sign_SEEDBYTES, BASE64 = sodium_base64_VARIANT_ORIGINAL };
enum { SEED_TEXT = sodium_base64_ENCODED_LEN(SEED_BYTES, BASE64), LINE_LIMIT = 128 };
static const char PUBLIC_WORD[] = "trine-public-key ", SECRET_WORD[] = "trine-secret-key ";

/* libsodium may be asked for this as often as one likes, by any thread. */
static int start(struct error *error) {
    return sodium_init() >= 0 ? 0 : error_set(error, "libsodium finds no source of randomness");
}

int signature_make_keys(struct public_key *public_key, struct secret_key *secret_key,
                        struct error *error) {
    if (start(error))
        return -1;
    crypto_sign_keypair(public_key->bytes, secret_key->bytes);
    return 0;
}

void signature_public_key(struct public_key *public_key, const struct secret_key *secret_key) {
    crypto_sign_ed25519_sk_to_pk(public_key->bytes, secret_key->bytes);
}

void signature_forget(struct secret_key *secret_key) {
    sodium_memzero(secret_key, sizeof *secret_key);
}

int signature_sign(struct signature *signature, const void *data, size_t bytes,
                   const struct secret_key *key, struct error *error) {
    if (start(error))
        return -1;
    crypto_sign_detached(signature->bytes, NULL, data, bytes, key->bytes);
    return 0;
}

int signature_verify(const struct signature *signature, const void *data, size_t bytes,
                     const struct public_key *key, struct error *error) {
    if (start(error))
        return -1;
    if (crypto_sign_verify_detached(signature->bytes, data, bytes, key->bytes) != 0)
        return error_set(error, "the signature does not match");
    return 0;
}

void signature_key_to_text(char text[PUBLIC_KEY_TEXT], const struct public_key *key) {
    sodium_bin2base64(text, PUBLIC_KEY_TEXT, key->bytes, sizeof key->bytes, BASE64);
}

void signature_to_text(char text[SIGNATURE_TEXT], const struct signature *signature) {
    sodium_bin2base64(text, SIGNATURE_TEXT, signature->bytes, sizeof signature->bytes, BASE64);
}

/* bytes[size] <- text; libsodium refuses spaces, wrong padding and bits that are left over. */
static int from_text(unsigned char *bytes, size_t size, const char *text) {
    size_t length;
    return sodium_base642bin(bytes, size, text, strlen(text), NULL, &length, NULL, BASE64) == 0 &&
                   length == size
               ? 0
               : -1;
}

int signature_key_from_text(struct public_key *key, const char *text, struct error *error) {
    if (from_text(key->bytes, sizeof key->bytes, text))
        return error_set(error, "the key is not base64 of %d bytes", PUBLIC_KEY_BYTES);
    return 0;
}

int signature_from_text(struct signature *signature, const char *text, struct error *error) {
    if (from_text(signature->bytes, sizeof signature->bytes, text))
        return error_set(error, "the signature is not base64 of %d bytes", SIGNATURE_BYTES);
    return 0;
}

static int write_line(const char *line, const char *path, int is_secret, struct error *error) {
    struct file_writer writer;
    struct stat status;
    if (lstat(path, &status) == 0)
        return error_set(error, "%s exists already; a key is not overwritten", path);
    if (is_secret ? file_writer_open_private(&writer, path, error)
                  : file_writer_open(&writer, path, error))
        return -1;
    fwrite(line, 1, strlen(line), writer.stream); /* the commit looks at the stream's error */
    return file_writer_commit(&writer, error);
}

int signature_write_public(const struct public_key *key, const char *path, struct error *error) {
    char line[LINE_LIMIT], text[PUBLIC_KEY_TEXT];
    signature_key_to_text(text, key);
    snprintf(line, sizeof line, "%s%s\n", PUBLIC_WORD, text);
    return write_line(line, path, 0, error);
}

int signature_write_secret(const struct secret_key *key, const char *path, struct error *error) {
    char line[LINE_LIMIT], *end = stpcpy(line, SECRET_WORD);
    sodium_bin2base64(end, SEED_TEXT, key->bytes, SEED_BYTES, BASE64);
    strcat(end, "\n");
    int result = write_line(line, path, 1, error);
    sodium_memzero(line, sizeof line);
    return result;
}

/* Without stdio, whose buffers would keep a copy. `line` gets a NUL in place of the newline. */
static int read_line(char line[LINE_LIMIT], mode_t *mode, const char *path, struct error *error) {
    struct stat status = {0};
    ssize_t bytes = 0, got = 0;
    int result = 0, descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0)
        return error_set_errno(error, "cannot open %s", path);
    if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode))
        result = error_set(error, "%s is no file", path);
    while (result == 0 && bytes < LINE_LIMIT &&
           (got = read(descriptor, line + bytes, (size_t)(LINE_LIMIT - bytes))) > 0)
        bytes += got;
    if (result == 0 && got < 0)
        result = error_set_errno(error, "cannot read %s", path);
    close(descriptor);
    *mode = status.st_mode;
    if (result == 0 && bytes == LINE_LIMIT)
        return error_set(error, "%s is too long for a key", path);
    line[bytes] = '\0';
    if (result == 0 && memchr(line, '\0', (size_t)bytes) != NULL)
        return error_set(error, "%s is no key: it holds a byte of value 0", path);
    if (bytes > 0 && line[bytes - 1] == '\n')
        line[bytes - 1] = '\0';
    return result;
}

static int read_key(unsigned char *bytes, size_t size, const char *word, const char *path,
                    struct error *error) {
    char line[LINE_LIMIT] = {0};
    size_t skipped = strlen(word);
    mode_t mode = 0;
    int result = read_line(line, &mode, path, error);
    if (result == 0 &&
        (strncmp(line, word, skipped) != 0 || from_text(bytes, size, line + skipped)))
        result = error_set(error, "%s is no key: it must be one line, \"%s<base64 of %zu bytes>\"",
                           path, word, size);
    else if (result == 0 && word == SECRET_WORD && (mode & 077) != 0)
        result = error_set(error, "others may read or write %s, a secret key: chmod 600 it", path);
    sodium_memzero(line, sizeof line);
    return result;
}

int signature_read_public(struct public_key *key, const char *path, struct error *error) {
    return start(error) ? -1 : read_key(key->bytes, sizeof key->bytes, PUBLIC_WORD, path, error);
}

/* The public half is grown anew: one that does not belong to the seed would give the seed away. */
int signature_read_secret(struct secret_key *key, const char *path, struct error *error) {
    unsigned char seed[SEED_BYTES], public_bytes[PUBLIC_KEY_BYTES];
    int result = start(error) ? -1 : read_key(seed, sizeof seed, SECRET_WORD, path, error);
    if (result == 0)
        crypto_sign_seed_keypair(public_bytes, key->bytes, seed);
    sodium_memzero(seed, sizeof seed);
    return result;
}
