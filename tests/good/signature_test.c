/* Signatures hold for the bytes and the key they were made of and no others; key files are read
 * strictly. */
#include "good/signature.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmocka_all.h"

static char directory[] = "/tmp/trine-signature-XXXXXX";

static const char *at(const char *name) {
    static char paths[4][96];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", directory, name);
    return path;
}

static int enter(void **state) {
    (void)state;
    return mkdtemp(directory) == NULL;
}

static int leave(void **state) {
    (void)state;
    char command[96];
    snprintf(command, sizeof command, "rm -r %s", directory);
    return system(command);
}

static void write_file(const char *name, const char *text, size_t bytes, mode_t mode) {
    FILE *stream = fopen(at(name), "w");
    assert_non_null(stream);
    fwrite(text, 1, bytes, stream);
    fclose(stream);
    assert_int_equal(chmod(at(name), mode), 0);
}

static void refuse_secret(const char *name, const char *complaint) {
    struct secret_key key;
    struct error error;
    assert_int_equal(signature_read_secret(&key, at(name), &error), -1);
    if (strstr(error.message, complaint) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error.message, complaint);
}

/* RFC 8032, section 7.1, test 1: the seed, the public key and the signature of no bytes. */
static void test_published_vector(void **state) {
    (void)state;
    static const char LINE[] = "trine-secret-key nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=\n";
    struct secret_key secret;
    struct public_key key;
    struct signature signature;
    struct error error;
    char text[SIGNATURE_TEXT];
    write_file("rfc.key", LINE, sizeof LINE - 1, 0600);
    if (signature_read_secret(&secret, at("rfc.key"), &error))
        fail_msg("%s", error.message);
    signature_public_key(&key, &secret);
    signature_key_to_text(text, &key);
    assert_string_equal(text, "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
    assert_int_equal(signature_sign(&signature, "", 0, &secret, &error), 0);
    signature_to_text(text, &signature);
    assert_string_equal(text, "5VZDAMNgrHKQhuLMgG6CioSHfx645dl02HPgZSJJAVVf"
                              "uIIVkKM7rMYeOXAc+bRr0lv18FlbviRlUUFDjnoQCw==");
    assert_int_equal(signature_verify(&signature, "", 0, &key, &error), 0);
}

static void test_signing(void **state) {
    (void)state;
    struct secret_key secret, other_secret, forgotten = {{0}};
    struct public_key key, other;
    struct signature signature;
    struct error error;
    char data[] = "what was said";
    assert_int_equal(signature_make_keys(&key, &secret, &error), 0);
    assert_int_equal(signature_make_keys(&other, &other_secret, &error), 0);
    assert_memory_not_equal(&key, &other, sizeof key);
    assert_int_equal(signature_sign(&signature, data, sizeof data, &secret, &error), 0);
    assert_int_equal(signature_verify(&signature, data, sizeof data, &key, &error), 0);
    assert_int_equal(signature_verify(&signature, data, sizeof data, &other, &error), -1);
    assert_int_equal(signature_verify(&signature, data, sizeof data - 1, &key, &error), -1);
    data[3] ^= 1;
    assert_int_equal(signature_verify(&signature, data, sizeof data, &key, &error), -1);
    data[3] ^= 1;
    for (size_t i = 0; i < 8 * sizeof signature.bytes; i++) {
        signature.bytes[i / 8] ^= (unsigned char)(1 << i % 8);
        assert_int_equal(signature_verify(&signature, data, sizeof data, &key, &error), -1);
        signature.bytes[i / 8] ^= (unsigned char)(1 << i % 8);
    }
    signature_forget(&secret);
    assert_memory_equal(&secret, &forgotten, sizeof secret);
}

static void test_files(void **state) {
    (void)state;
    struct secret_key secret, secret_again;
    struct public_key key, key_again;
    struct stat status;
    struct error error;
    assert_int_equal(signature_make_keys(&key, &secret, &error), 0);
    umask(0);
    assert_int_equal(signature_write_public(&key, at("a.pub"), &error), 0);
    assert_int_equal(signature_write_secret(&secret, at("a.key"), &error), 0);
    umask(022);
    assert_int_equal(stat(at("a.key"), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(signature_read_public(&key_again, at("a.pub"), &error), 0);
    assert_int_equal(signature_read_secret(&secret_again, at("a.key"), &error), 0);
    assert_memory_equal(&key, &key_again, sizeof key);
    assert_memory_equal(&secret, &secret_again, sizeof secret);
    assert_int_equal(signature_write_public(&key, at("a.pub"), &error), -1);
    assert_int_equal(signature_write_secret(&secret, at("a.key"), &error), -1);
    assert_non_null(strstr(error.message, "exists already"));
    assert_int_equal(signature_read_public(&key_again, at("a.key"), &error), -1);
    chmod(at("a.key"), 0640);
    refuse_secret("a.key", "chmod 600");
    refuse_secret("none", "cannot open");
    assert_int_equal(mkdir(at("folder"), 0700), 0);
    refuse_secret("folder", "no file");
    assert_int_equal(mkfifo(at("pipe"), 0600), 0);
    refuse_secret("pipe", "no file");
}

static void test_strict_lines(void **state) {
    (void)state;
#define KEY "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2"
    static const struct {
        const char *text;
        size_t bytes;
    } CASES[] = {
#define CASE(text) {text, sizeof text - 1}
        CASE(""),
        CASE("\n"),
        CASE("trine-secret-key"),
        CASE("trine-secret-key \n"),
        CASE("trine-secret-key  " KEY "A=\n"),  /* two spaces */
        CASE(" trine-secret-key " KEY "A=\n"),  /* one before */
        CASE("trine-secret-key " KEY "A= \n"),  /* one behind */
        CASE("trine-secret-key " KEY "A=\r\n"), /* another system's line */
        CASE("trine-secret-key " KEY "A=\n\n"), /* another line */
        CASE("trine-secret-key " KEY "A\n"),    /* no padding */
        CASE("trine-secret-key " KEY "B=\n"),   /* a bit is left over */
        CASE("trine-secret-key " KEY "AA\n"),   /* 33 bytes */
        CASE("trine-secret-key " KEY "A=\0\n"), /* a NUL */
        CASE("trine-secret-key nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=\n"),
        CASE("trine-public-key " KEY "A=\n"),
        CASE("trine-secret-key " KEY KEY KEY KEY),
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        write_file("case", CASES[i].text, CASES[i].bytes, 0600);
        refuse_secret("case", "key");
    }
    struct secret_key key;
    struct error error;
    write_file("case", "trine-secret-key " KEY "A=", strlen("trine-secret-key " KEY "A="), 0600);
    assert_int_equal(signature_read_secret(&key, at("case"), &error), 0); /* no newline: fine */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_vector),
        cmocka_unit_test(test_signing),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_strict_lines),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
