/* All routes: one table says what each is, who may ask and who answers. */
#ifndef TRINE_SERVE_ROUTES_H
#define TRINE_SERVE_ROUTES_H

#include "serve/service.h"

/* 0, or -1 with the request's problem. */
typedef int route_handler(struct request *request);

struct route {
    const char *method; /* GET also answers HEAD */
    const char *name;   /* of method and path: "GET /health" */
    const char *path;   /* "{name}" at its end stands for the rest of a path, at least one byte */
    enum scope scope;   /* the least that a caller needs */
    unsigned layers;    /* 1 << enum resident_layer that it serves; 0: no model is meant */
    int is_light;       /* answered at once by the I/O thread */
    int has_body;       /* a JSON object */
    int is_local_free;  /* this machine may ask without any scope */
    route_handler *handler;
};

enum { ROUTES_MOST = 64 };
extern const struct route ROUTES[];
extern const size_t ROUTE_COUNT;

/* For http_start; context: struct service. */
int routes_find(void *context, struct http_exchange *exchange, http_handler **handler,
                int *is_light);

/* The names of all routes, for metrics_create; they live as long as the program. */
void routes_names(const char *names[static ROUTES_MOST]);

/* The description of all routes: OpenAPI 3.1, JSON, not NUL-terminated. */
const char *routes_description(size_t *bytes);

#endif
