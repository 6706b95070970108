#include "serve/access.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* host[..length) of "host:port", "[::1]:port". */
static size_t host_length(const char *host) {
    if (host[0] == '[') {
        const char *end = strchr(host, ']');
        return end != NULL ? (size_t)(end - host) + 1 : strlen(host);
    }
    return strcspn(host, ":");
}

static int is_name(const char *host, size_t length, const char *name) {
    return strlen(name) == length && strncasecmp(host, name, length) == 0;
}

/* 127.0.0.0/8, in four numbers: nothing that a name server could be asked for. */
static int is_loopback_number(const char *host, size_t length) {
    int dots = 0;
    for (size_t i = 0; i < length; i++) {
        dots += host[i] == '.';
        if (host[i] != '.' && !isdigit((unsigned char)host[i]))
            return 0;
    }
    return dots == 3 && strncmp(host, "127.", 4) == 0;
}

static int names_this_machine(const struct access_rules *rules, const char *host) {
    if (host == NULL)
        return 0;
    size_t length = host_length(host);
    return is_name(host, length, "localhost") || is_name(host, length, "[::1]") ||
           is_loopback_number(host, length) ||
           (rules->address != NULL && is_name(host, length, rules->address));
}

/* A page of ours asks from the origin that it was loaded from: the host that it names. */
static int is_same_origin(const char *origin, const char *host) {
    static const char SCHEME[] = "http://";
    if (origin == NULL)
        return 1;
    return strncmp(origin, SCHEME, sizeof SCHEME - 1) == 0 &&
           strcasecmp(origin + sizeof SCHEME - 1, host) == 0;
}

int access_is_local(const struct access_rules *rules, const struct access_claim *claim) {
    return claim->is_loopback && !claim->is_forwarded && !claim->is_cross_site &&
           names_this_machine(rules, claim->host) && is_same_origin(claim->origin, claim->host);
}

/* The key of "Bearer KEY"; NULL: there is none. */
static const char *bearer(const char *authorization) {
    static const char SCHEME[] = "Bearer ";
    if (authorization == NULL || strncasecmp(authorization, SCHEME, sizeof SCHEME - 1) != 0)
        return NULL;
    authorization += sizeof SCHEME - 1;
    return authorization + strspn(authorization, " ");
}

static int identify_by_key(struct caller *caller, const struct access_rules *rules, const char *key,
                           struct problem *problem) {
    struct key_terms terms;
    struct error error;
    int found = keys_find(rules->keys, key, &terms, caller->id, &error);
    if (found < 0)
        return problem_internal(problem, "looking up a key", &error);
    if (found == 0)
        return problem_set(problem, 401, "invalid_api_key", NULL,
                           "this key is not known, was revoked or has expired");
    caller->scope = terms.scope;
    caller->rate = terms.rate;
    return 0;
}

/* Why a request without a key is not taken for this machine's. */
static int refuse_stranger(const struct access_rules *rules, const struct access_claim *claim,
                           struct problem *problem) {
    if (rules->keys != NULL)
        return problem_set(problem, 401, "missing_api_key", NULL,
                           "a key is wanted: Authorization: Bearer trine-...");
    if (!claim->is_loopback || claim->is_forwarded)
        return problem_set(problem, 403, "not_local", NULL,
                           "this server has no keys and answers only its own machine");
    if (!names_this_machine(rules, claim->host))
        return problem_set(
            problem, 403, "wrong_host", NULL,
            "the request's Host is not this machine: ask for localhost or 127.0.0.1");
    return problem_set(problem, 403, "wrong_origin", NULL,
                       "the request comes from a page of another origin");
}

int access_identify(struct caller *caller, const struct access_rules *rules,
                    const struct access_claim *claim, enum scope wanted, struct problem *problem) {
    const char *key = bearer(claim->authorization);
    *caller = (struct caller){.scope = SCOPE_NONE};
    if (wanted == SCOPE_NONE)
        return 0;
    /* A key that is shown counts, also a wrong one: nobody falls back to what they did not mean.
     * Where no keys are used, clients that must send something may send anything. */
    if (rules->keys != NULL && key != NULL) {
        if (identify_by_key(caller, rules, key, problem))
            return -1;
    } else if (rules->local_scope != SCOPE_NONE && access_is_local(rules, claim)) {
        caller->scope = rules->local_scope;
        snprintf(caller->id, sizeof caller->id, "local");
    } else {
        return refuse_stranger(rules, claim, problem);
    }
    if (caller->scope < wanted)
        return problem_set(problem, 403, "scope", NULL,
                           "this needs the scope %s; the caller's is %s", scope_name(wanted),
                           scope_name(caller->scope));
    return 0;
}

enum scope access_layer_scope(enum resident_layer layer) {
    static const enum scope SCOPES_OF[RESIDENT_LAYERS] = {SCOPE_GOOD, SCOPE_TRUTH, SCOPE_DREAM};
    return SCOPES_OF[layer];
}

static int refuse_scope(struct problem *problem, const char *param, enum scope wanted,
                        enum scope scope, const char *what) {
    return problem_set(problem, 403, "scope", param, "%s needs the scope %s; the caller's is %s",
                       what, scope_name(wanted), scope_name(scope));
}

static const char *where_else(enum resident_layer layer) {
    static const char *const PLACES[RESIDENT_LAYERS] = {
        "the good author replies in /v1/chat/completions",
        "the truth author answers in /v1/judge and /v1/ask",
        "the dream writes in /v1/completions and reads in /v1/read"};
    return PLACES[layer];
}

static int check_layer(const struct resident_model *model, enum resident_layer layer,
                       enum scope scope, const struct access_wish *wish, struct problem *problem) {
    if (!resident_has(model, layer))
        return problem_set(problem, 404, "model_not_found", "model", "\"%.100s\" has no layer %s",
                           model->name, resident_layer_name(layer));
    if (scope < access_layer_scope(layer))
        return refuse_scope(problem, "model", access_layer_scope(layer), scope, "this layer");
    if ((wish->layers >> layer & 1) == 0)
        return problem_set(problem, 400, "wrong_layer", "model",
                           "\"%.100s/%s\" is not for this route: %s", model->name,
                           resident_layer_name(layer), where_else(layer));
    return 0;
}

/* The layer that a bare name means. */
static int choose_layer(const struct resident_model *model, enum resident_layer *layer,
                        enum scope scope, const struct access_wish *wish, struct problem *problem) {
    enum scope wanted = SCOPES;
    for (int k = 0; k < RESIDENT_LAYERS; k++) {
        enum scope needed = access_layer_scope((enum resident_layer)k);
        if ((wish->layers >> k & 1) == 0 || !resident_has(model, (enum resident_layer)k))
            continue;
        if (scope >= needed) {
            *layer = (enum resident_layer)k;
            return 0;
        }
        wanted = needed < wanted ? needed : wanted;
    }
    if (wanted == SCOPES)
        return problem_set(problem, 404, "model_not_found", "model",
                           "\"%.100s\" has no layer that serves this route", model->name);
    return refuse_scope(problem, "model", wanted, scope, "this route with this model");
}

int access_needs(const struct resident_model **model, enum resident_layer *layer,
                 const struct resident *resident, enum scope scope, const struct access_wish *wish,
                 struct problem *problem) {
    *layer = RESIDENT_LAYERS;
    if (wish->model == NULL && resident->count > 1)
        return problem_set(problem, 400, "missing_field", "model",
                           "\"model\" is missing; GET /v1/models lists them");
    *model =
        wish->model == NULL ? &resident->models[0] : resident_find(resident, wish->model, layer);
    if (*model == NULL)
        return problem_set(problem, 404, "model_not_found", "model",
                           "there is no model \"%.100s\"; GET /v1/models lists them", wish->model);
    if (*layer == RESIDENT_LAYERS ? choose_layer(*model, layer, scope, wish, problem)
                                  : check_layer(*model, *layer, scope, wish, problem))
        return -1;
    if (wish->has_handle && scope < SCOPE_DREAM)
        return refuse_scope(problem, "handle", SCOPE_DREAM, scope, "a handle");
    if (wish->has_handle && *layer != RESIDENT_DREAM)
        return problem_field(problem, "handle", "a handle is for the dream: \"%.100s/dream\"",
                             (*model)->name);
    if (wish->has_values && *layer != RESIDENT_GOOD)
        return problem_field(problem, "values", "values are for the good author: \"%.100s/good\"",
                             (*model)->name);
    return 0;
}
