/* Who is let in, and what they may have: by what a request says of itself, by keys, by scopes. */
#include "serve/access.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmocka_all.h"

static char directory[] = "/tmp/trine-access-XXXXXX", path[128];
static struct keys *keys;
static char texts[SCOPES][KEY_TEXT], ids[SCOPES][KEY_ID];

static int set_up(void **state) {
    (void)state;
    struct error error;
    if (mkdtemp(directory) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/keys.sqlite", directory);
    if (keys_open(&keys, path, 1, &error))
        fail_msg("%s", error.message);
    for (int scope = SCOPE_GOOD; scope < SCOPES; scope++) {
        const struct key_terms terms = {.scope = (enum scope)scope, .rate = 10 * scope};
        if (keys_new(keys, &terms, texts[scope], ids[scope], &error))
            fail_msg("%s", error.message);
    }
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    char command[256];
    keys_close(keys);
    snprintf(command, sizeof command, "rm -r %s", directory);
    return system(command) == 0 ? 0 : -1;
}

static const struct access_claim LOCAL = {.host = "localhost:8080", .is_loopback = 1};

/* The status with which it is refused; 0: let in. */
static int identify(struct caller *caller, const struct access_rules *rules,
                    const struct access_claim *claim, enum scope wanted) {
    struct problem problem;
    return access_identify(caller, rules, claim, wanted, &problem) ? problem.status : 0;
}

static int let_in(const struct access_rules *rules, const struct access_claim *claim) {
    struct caller caller;
    return identify(&caller, rules, claim, SCOPE_GOOD);
}

static void test_hosts_and_origins(void **state) {
    (void)state;
    static const char *const GOOD_HOSTS[] = {"localhost",      "LocalHost:80", "127.0.0.1",
                                             "127.0.0.1:8080", "127.1.2.3",    "[::1]:8080",
                                             "[::1]"};
    static const char *const BAD_HOSTS[] = {"",
                                            "evil.example",
                                            "evil.example:8080",
                                            "localhost.evil.example",
                                            "127.0.0.1.evil.example",
                                            "127.evil.example",
                                            "127.0.0.example",
                                            "10.0.0.1",
                                            "[::2]",
                                            "[::1",
                                            "::1",
                                            "0.0.0.0",
                                            "localhos",
                                            "127.0.0",
                                            "1270.0.0.1"};
    static const char *const BAD_ORIGINS[] = {"null",
                                              "",
                                              "http://evil.example",
                                              "localhost:8080",
                                              "https://localhost:8080",
                                              "http://localhost:8081",
                                              "http://localhost",
                                              "http://localhost:8080/"};
    const struct access_rules rules = {.local_scope = SCOPE_GOOD, .address = "127.0.0.1"};
    struct access_claim claim = LOCAL;
    for (size_t i = 0; i < sizeof GOOD_HOSTS / sizeof *GOOD_HOSTS; i++) {
        claim.host = GOOD_HOSTS[i];
        assert_int_equal(let_in(&rules, &claim), 0);
    }
    for (size_t i = 0; i < sizeof BAD_HOSTS / sizeof *BAD_HOSTS; i++) {
        claim.host = BAD_HOSTS[i];
        if (let_in(&rules, &claim) != 403)
            fail_msg("'%s' is taken for this machine", BAD_HOSTS[i]);
    }
    claim.host = NULL;
    assert_int_equal(let_in(&rules, &claim), 403);
    claim = LOCAL;
    claim.origin = "http://localhost:8080";
    assert_int_equal(let_in(&rules, &claim), 0);
    for (size_t i = 0; i < sizeof BAD_ORIGINS / sizeof *BAD_ORIGINS; i++) {
        claim.origin = BAD_ORIGINS[i];
        if (let_in(&rules, &claim) != 403)
            fail_msg("'%s' is taken for our own page", BAD_ORIGINS[i]);
    }
    claim = LOCAL;
    claim.is_loopback = 0;
    assert_int_equal(let_in(&rules, &claim), 403);
    claim = LOCAL;
    claim.is_forwarded = 1;
    assert_int_equal(let_in(&rules, &claim), 403);
    claim = LOCAL;
    claim.is_cross_site = 1;
    assert_int_equal(let_in(&rules, &claim), 403);
}

/* Without keys what is shown does not matter: clients that must send a key send any. */
static void test_without_keys(void **state) {
    (void)state;
    struct caller caller;
    struct access_claim claim = LOCAL;
    claim.authorization = "Bearer anything";
    for (int local = SCOPE_GOOD; local < SCOPES; local++)
        for (int wanted = SCOPE_NONE; wanted < SCOPES; wanted++) {
            const struct access_rules rules = {.local_scope = (enum scope)local};
            int status = identify(&caller, &rules, &claim, (enum scope)wanted);
            assert_int_equal(status, wanted <= local ? 0 : 403);
            if (status == 0) {
                assert_int_equal(caller.scope, wanted == SCOPE_NONE ? SCOPE_NONE : local);
                assert_string_equal(caller.id, wanted == SCOPE_NONE ? "" : "local");
            }
        }
}

static void test_with_keys(void **state) {
    (void)state;
    const struct access_rules rules = {.keys = keys};
    struct access_claim claim = LOCAL;
    struct caller caller;
    char header[128];
    assert_int_equal(let_in(&rules, &claim), 401); /* this machine needs one, too */
    claim.authorization = header;
    for (int remote = 0; remote < 2; remote++)
        for (int scope = SCOPE_GOOD; scope < SCOPES; scope++)
            for (int wanted = SCOPE_GOOD; wanted < SCOPES; wanted++) {
                claim.is_loopback = !remote;
                claim.host = remote ? "any.example" : "localhost";
                claim.origin = remote ? "https://any.example" : NULL;
                snprintf(header, sizeof header, "%s %s", remote ? "bearer" : "Bearer",
                         texts[scope]);
                int status = identify(&caller, &rules, &claim, (enum scope)wanted);
                assert_int_equal(status, wanted <= scope ? 0 : 403);
                if (status != 0)
                    continue;
                assert_int_equal(caller.scope, scope);
                assert_string_equal(caller.id, ids[scope]);
                assert_true(caller.rate == 10 * scope);
            }
    static const char *const WRONG[] = {"Bearer", "Bearer ", "Basic abc", "Bearer trine-x", "x"};
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
        claim.authorization = WRONG[i];
        assert_int_equal(let_in(&rules, &claim), 401);
    }
}

/* A local scope beside keys is for those who show none; a wrong key is not overlooked. */
static void test_with_both(void **state) {
    (void)state;
    const struct access_rules rules = {.keys = keys, .local_scope = SCOPE_TRUTH};
    struct access_claim claim = LOCAL;
    struct caller caller;
    char header[128];
    assert_int_equal(identify(&caller, &rules, &claim, SCOPE_TRUTH), 0);
    assert_string_equal(caller.id, "local");
    assert_int_equal(identify(&caller, &rules, &claim, SCOPE_DREAM), 403);
    snprintf(header, sizeof header, "Bearer %s", texts[SCOPE_GOOD]);
    claim.authorization = header;
    assert_int_equal(identify(&caller, &rules, &claim, SCOPE_TRUTH), 403);
    header[strlen(header) - 1] ^= 1;
    assert_int_equal(identify(&caller, &rules, &claim, SCOPE_GOOD), 401);
    claim = LOCAL;
    claim.is_forwarded = 1; /* a proxy beside us makes strangers look local */
    assert_int_equal(identify(&caller, &rules, &claim, SCOPE_GOOD), 401);
    claim = LOCAL;
    claim.origin = "http://evil.example";
    assert_int_equal(identify(&caller, &rules, &claim, SCOPE_GOOD), 401);
}

/* Two models, of which the second has only the dream. */
static struct layer good;
static struct resident_model models[2] = {{.name = "full", .good = &good, .standard_count = 1},
                                          {.name = "bare"}};
static struct resident both = {.models = models, .count = 2};

/* "status" or the layer's name. */
static const char *ask(enum scope scope, unsigned layers, const char *name, int has_handle,
                       int has_values) {
    static char status[16];
    struct problem problem;
    const struct resident_model *model;
    enum resident_layer layer;
    const struct access_wish wish = {layers, name, has_handle, has_values};
    if (access_needs(&model, &layer, &both, scope, &wish, &problem)) {
        snprintf(status, sizeof status, "%d", problem.status);
        return status;
    }
    assert_true(model == &models[0] || model == &models[1]);
    return resident_layer_name(layer);
}

#define G (1u << RESIDENT_GOOD)
#define T (1u << RESIDENT_TRUTH)
#define D (1u << RESIDENT_DREAM)

static void test_layers(void **state) {
    (void)state;
    static const struct {
        const char *name;
        unsigned layers;
        const char *answers[SCOPES]; /* by scope; [0] is not used */
    } CASES[] = {
        {"full/good", G | D, {"", "good", "good", "good"}},
        {"full/dream", G | D, {"", "403", "403", "dream"}},
        {"full/truth", G | D, {"", "403", "400", "400"}},
        {"full/truth", T, {"", "403", "truth", "truth"}},
        {"full/good", T, {"", "400", "400", "400"}},
        {"full/good", D, {"", "400", "400", "400"}},
        {"full", G | D, {"", "good", "good", "good"}},
        {"full", D, {"", "403", "403", "dream"}},
        {"full", T, {"", "403", "truth", "truth"}},
        {"full", T | D, {"", "403", "truth", "truth"}},
        {"bare", G | D, {"", "403", "403", "dream"}},
        {"bare/good", G | D, {"", "404", "404", "404"}},
        {"bare/truth", T, {"", "404", "404", "404"}},
        {"bare", T, {"", "404", "404", "404"}},
        {"other", G | T | D, {"", "404", "404", "404"}},
        {NULL, G | T | D, {"", "400", "400", "400"}}, /* which of the two? */
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        for (int scope = SCOPE_GOOD; scope < SCOPES; scope++) {
            const char *answer = ask((enum scope)scope, CASES[i].layers, CASES[i].name, 0, 0);
            if (strcmp(answer, CASES[i].answers[scope]) != 0)
                fail_msg("case %zu, scope %s: %s, not %s", i, scope_name((enum scope)scope), answer,
                         CASES[i].answers[scope]);
        }
    both.count = 1;
    assert_string_equal(ask(SCOPE_DREAM, D, NULL, 0, 0), "dream");
    both.count = 2;
}

static void test_handles_and_values(void **state) {
    (void)state;
    assert_string_equal(ask(SCOPE_DREAM, G | D, "full/dream", 1, 0), "dream");
    assert_string_equal(ask(SCOPE_DREAM, G | D, "full/good", 1, 0), "400");
    assert_string_equal(ask(SCOPE_GOOD, G | D, "full/good", 1, 0), "403");
    assert_string_equal(ask(SCOPE_TRUTH, G | D, "full", 1, 0), "403");
    assert_string_equal(ask(SCOPE_GOOD, G | D, "full/good", 0, 1), "good");
    assert_string_equal(ask(SCOPE_DREAM, G | D, "full/dream", 0, 1), "400");
    assert_string_equal(ask(SCOPE_DREAM, D, "full", 0, 1), "400");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hosts_and_origins),
        cmocka_unit_test(test_without_keys),
        cmocka_unit_test(test_with_keys),
        cmocka_unit_test(test_with_both),
        cmocka_unit_test(test_layers),
        cmocka_unit_test(test_handles_and_values),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
