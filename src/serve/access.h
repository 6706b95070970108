/* Who asks, and what they may have. Every decision about it is made here: routes only say which
 * scope they want (serve/routes.h) and what a body asks for beyond that.
 *
 * With keys, whoever asks shows one (Authorization: Bearer). Without keys, only this machine is
 * served, in the local scope; and as a browser on it can be made to ask by any page that it shows,
 * the request must name this machine as its host (a name of the page's own that leads here is no
 * such name) and must not come from another origin. A request that a proxy passed on is not this
 * machine's. */
#ifndef TRINE_SERVE_ACCESS_H
#define TRINE_SERVE_ACCESS_H

#include "serve/keys.h"
#include "serve/problem.h"
#include "serve/resident.h"

struct access_rules {
    struct keys *keys; /* NULL: none are used */
    enum scope
        local_scope;     /* of this machine without a key; SCOPE_NONE: a key is wanted here, too */
    const char *address; /* on which the server listens */
};

/* What a request says of itself; strings NULL when it does not. */
struct access_claim {
    const char *authorization, *host, *origin;
    int is_loopback;
    int is_forwarded;  /* by a proxy, as its headers say */
    int is_cross_site; /* by a page of another site, as the browser says */
};

struct caller {
    enum scope scope;
    double rate;     /* requests a minute; 0: no limit */
    char id[KEY_ID]; /* of the key; "local"; "": nobody */
};

/* Fills the caller, who is nobody (SCOPE_NONE) when nothing is shown; `wanted` is what the route
 * asks for, and more than the caller has is refused: 401 where a key would help, else 403. */
int access_identify(struct caller *caller, const struct access_rules *rules,
                    const struct access_claim *claim, enum scope wanted, struct problem *problem);

/* Whether the request comes from this machine and was sent by no page of another origin. */
int access_is_local(const struct access_rules *rules, const struct access_claim *claim);

/* What a body asks for beyond its route. */
struct access_wish {
    unsigned layers;   /* 1 << enum resident_layer, of those that the route serves */
    const char *model; /* as the client names it; NULL: the only one */
    int has_handle, has_values;
};

/* The scope that a layer wants. */
enum scope access_layer_scope(enum resident_layer layer);

/* *model and *layer <- those that are meant, if a caller of this scope may have them and all else
 * that is wished for. A bare name means the first of good, truth and dream that is there, served by
 * the route and within the scope. */
int access_needs(const struct resident_model **model, enum resident_layer *layer,
                 const struct resident *resident, enum scope scope, const struct access_wish *wish,
                 struct problem *problem);

#endif
