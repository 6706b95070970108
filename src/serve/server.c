#include "serve/server.h"

#include <arpa/inet.h>
#include <sodium.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "serve/routes.h"

/* A text of a few megabytes is a long book; parsed JSON takes many times its bytes. */
enum { BODY_LIMIT = 4 << 20, QUEUE_USUAL = 64, WORKERS_USUAL = 8 };

struct server {
    struct service service;
    struct http_server *http;
};

static int is_loopback(const char *address) {
    struct in_addr four;
    struct in6_addr six;
    if (inet_pton(AF_INET, address, &four) == 1)
        return ntohl(four.s_addr) >> 24 == 127;
    if (inet_pton(AF_INET6, address, &six) == 1)
        return IN6_IS_ADDR_LOOPBACK(&six);
    return strcmp(address, "localhost") == 0;
}

static int open_access(struct service *s, const struct server_options *o, struct error *error) {
    const char *address = o->address != NULL ? o->address : "127.0.0.1";
    s->access = (struct access_rules){.local_scope = o->local_scope, .address = address};
    if (o->keys == NULL && o->local_scope == SCOPE_NONE)
        s->access.local_scope = SCOPE_GOOD;
    if (o->keys == NULL && !is_loopback(address))
        return error_set(error,
                         "without --keys FILE only this machine is served: %s is no loopback "
                         "address (trine key new makes keys)",
                         address);
    return o->keys != NULL ? keys_open(&s->access.keys, o->keys, 0, error) : 0;
}

static int open_service(struct server *server, const struct server_options *o,
                        struct error *error) {
    const char *names[ROUTES_MOST];
    struct service *s = &server->service;
    s->started = (int64_t)time(NULL);
    s->jobs = o->jobs;
    routes_names(names);
    if (sodium_init() < 0)
        return error_set(error, "libsodium cannot be used here");
    return open_access(s, o, error) || key_rates_create(&s->rates, error) ||
                   metrics_create(&s->metrics, names, ROUTE_COUNT, error) ||
                   (o->conversations != NULL &&
                    conversations_open(&s->conversations, o->conversations, NULL, error)) ||
                   resident_open(&s->resident, &o->resident, error)
               ? -1
               : 0;
}

int server_start(struct server **out, const struct server_options *options, struct error *error) {
    *out = NULL;
    struct server *server = memory_allocate(1, sizeof *server, error);
    if (server == NULL)
        return -1;
    struct server_options o = *options;
    o.resident.workers = o.resident.workers > 0 ? o.resident.workers : WORKERS_USUAL;
    struct http_options http = {.address = o.address,
                                .port = o.port,
                                .workers = o.resident.workers,
                                .queue = o.queue > 0 ? o.queue : QUEUE_USUAL,
                                .body_limit = BODY_LIMIT};
    if (open_service(server, &o, error) ||
        http_start(&server->http, &http, routes_find, &server->service, error)) {
        server_stop(server);
        return -1;
    }
    __atomic_store_n(&server->service.http, server->http, __ATOMIC_RELEASE);
    *out = server;
    return 0;
}

uint16_t server_port(const struct server *server) {
    return http_port(server->http);
}

void server_stop(struct server *server) {
    if (server == NULL)
        return;
    if (server->http != NULL)
        http_stop(server->http);
    struct service *s = &server->service;
    resident_close(s->resident);
    conversations_close(s->conversations);
    metrics_destroy(s->metrics);
    key_rates_destroy(s->rates);
    keys_close(s->access.keys);
    memory_free(server);
}
