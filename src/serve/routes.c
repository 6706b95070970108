#include "serve/routes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/cancellation.h"
#include "base/progress.h"
#include "serve/openai_routes.h"
#include "serve/own_routes.h"
#include "serve/page_routes.h"
#include "serve/request_json.h"
#include "serve/studio_files.h"

#define GOOD (1u << RESIDENT_GOOD)
#define TRUTH (1u << RESIDENT_TRUTH)
#define DREAM (1u << RESIDENT_DREAM)

/* As others count requests whose client left; nobody is told. */
enum { CLIENT_LEFT = 499 };

#define ROUTE(method, path) method, method " " path, path

/* clang-format off */
const struct route ROUTES[] = {
    {ROUTE("GET", "/health"), .is_light = 1, .handler = page_health},
    {ROUTE("GET", "/openapi.json"), .is_light = 1, .handler = page_description},
    {ROUTE("GET", "/metrics"), SCOPE_DREAM, .is_light = 1, .is_local_free = 1, .handler = page_metrics},
    {ROUTE("GET", "/"), .is_light = 1, .handler = page_file},
    {ROUTE("GET", "/assets/{name}"), .is_light = 1, .handler = page_file},
    {ROUTE("GET", "/v1/models"), SCOPE_GOOD, .is_light = 1, .handler = openai_list_models},
    {ROUTE("GET", "/v1/models/{id}"), SCOPE_GOOD, .is_light = 1, .handler = openai_show_model},
    {ROUTE("POST", "/v1/completions"), SCOPE_GOOD, DREAM, .has_body = 1, .handler = openai_complete},
    {ROUTE("POST", "/v1/chat/completions"), SCOPE_GOOD, GOOD | DREAM, .has_body = 1, .handler = openai_chat},
    {ROUTE("POST", "/v1/embeddings"), SCOPE_DREAM, DREAM, .has_body = 1, .handler = openai_embed},
    {ROUTE("POST", "/v1/read"), SCOPE_DREAM, DREAM, .has_body = 1, .handler = own_read},
    {ROUTE("GET", "/v1/atlas"), SCOPE_DREAM, DREAM, .handler = own_atlas},
    {ROUTE("POST", "/v1/judge"), SCOPE_TRUTH, TRUTH, .has_body = 1, .handler = own_judge},
    {ROUTE("POST", "/v1/ask"), SCOPE_TRUTH, TRUTH, .has_body = 1, .handler = own_ask},
    {ROUTE("GET", "/v1/standards"), SCOPE_TRUTH, TRUTH, .is_light = 1, .handler = own_standards},
    {ROUTE("GET", "/v1/market"), SCOPE_TRUTH, TRUTH, .handler = own_market},
    {ROUTE("GET", "/v1/values"), SCOPE_GOOD, GOOD, .is_light = 1, .handler = own_values_show},
    {ROUTE("POST", "/v1/values"), SCOPE_GOOD, GOOD, .has_body = 1, .handler = own_values_grant},
    {ROUTE("GET", "/v1/conversations"), SCOPE_GOOD, .handler = own_conversations_list},
    {ROUTE("POST", "/v1/conversations"), SCOPE_GOOD, .has_body = 1, .handler = own_conversation_new},
    {ROUTE("GET", "/v1/conversations/{id}"), SCOPE_GOOD, .handler = own_conversation_show},
    {ROUTE("DELETE", "/v1/conversations/{id}"), SCOPE_GOOD, .handler = own_conversation_delete},
    {ROUTE("GET", "/v1/jobs"), SCOPE_DREAM, .handler = own_jobs},
};
/* clang-format on */
const size_t ROUTE_COUNT = sizeof ROUTES / sizeof *ROUTES;
_Static_assert(sizeof ROUTES / sizeof *ROUTES <= ROUTES_MOST, "names have room for all");

/* Other files of the page, such as its icon: not in the table, as nobody is told of them. */
static const struct route OTHER_FILE = {ROUTE("GET", "/{name}"), .is_light = 1,
                                        .handler = page_file};

/* What the router leaves for the handler. */
struct ticket {
    const struct route *route;
    double started; /* progress_clock when its headers were there */
    struct caller caller;
};
_Static_assert(sizeof(struct ticket) <= HTTP_SLOT, "the slot holds a ticket");

/* The length of the route's path up to "{name}"; all of it where there is none. */
static size_t fixed_length(const struct route *route) {
    return strcspn(route->path, "{");
}

static int is_path_of(const struct route *route, const char *path) {
    size_t length = fixed_length(route);
    if (route->path[length] == '\0')
        return strcmp(path, route->path) == 0;
    return strncmp(path, route->path, length) == 0 && path[length] != '\0';
}

/* NULL when there is none; then `allowed` names the methods that the path is there with, "GET,
 * POST", or none. */
static const struct route *find(const char *method, const char *path, char allowed[64]) {
    allowed[0] = '\0';
    for (size_t i = 0; i <= ROUTE_COUNT; i++) {
        const struct route *route = i < ROUTE_COUNT ? &ROUTES[i] : &OTHER_FILE;
        size_t length = strlen(allowed);
        int is_there = i < ROUTE_COUNT ? is_path_of(route, path)
                                       : length == 0 && studio_file(path, NULL, NULL, NULL, NULL);
        if (is_there && strcmp(route->method, method) == 0)
            return route;
        if (is_there)
            snprintf(allowed + length, 64 - length, "%s%s", length > 0 ? ", " : "", route->method);
    }
    return NULL;
}

static struct access_claim claim_of(const struct http_exchange *exchange) {
    static const char *const PASSED_ON[] = {"Forwarded", "X-Forwarded-For", "X-Forwarded-Host",
                                            "X-Real-IP", "Via"};
    struct access_claim claim = {.authorization = http_header(exchange, "Authorization"),
                                 .host = http_header(exchange, "Host"),
                                 .origin = http_header(exchange, "Origin"),
                                 .is_loopback = http_is_loopback(exchange)};
    /* Browsers say so of images and scripts, too, which have no Origin. */
    const char *site = http_header(exchange, "Sec-Fetch-Site");
    claim.is_cross_site =
        site != NULL && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0;
    for (size_t i = 0; i < sizeof PASSED_ON / sizeof *PASSED_ON; i++)
        claim.is_forwarded |= http_header(exchange, PASSED_ON[i]) != NULL;
    return claim;
}

/* Whether the caller may ask again so soon. */
static int take_rate(const struct service *service, struct http_exchange *exchange,
                     const struct caller *caller, struct problem *problem) {
    double wait = 0;
    char text[32];
    if (caller->rate <= 0 ||
        key_rates_take(service->rates, caller->id, caller->rate, key_rates_clock(), &wait))
        return 0;
    snprintf(text, sizeof text, "%.0f", fmax(1, ceil(wait)));
    http_add_header(exchange, "Retry-After", text);
    return problem_set(problem, 429, "rate_limit_exceeded", NULL,
                       "this key may ask %g times a minute; try again in %s s", caller->rate, text);
}

/* Finds the route and who asks for it; or the problem. */
static int admit(const struct service *service, struct http_exchange *exchange,
                 struct ticket *ticket, struct problem *problem) {
    char allowed[64];
    struct access_claim claim = claim_of(exchange);
    ticket->route = find(http_method(exchange), http_path(exchange), allowed);
    if (ticket->route == NULL && allowed[0] != '\0') {
        http_add_header(exchange, "Allow", allowed);
        return problem_set(problem, 405, "method_not_allowed", NULL, "this route wants %s",
                           allowed);
    }
    if (ticket->route == NULL)
        return problem_set(problem, 404, "not_found", NULL,
                           "there is no such route; /openapi.json describes all");
    enum scope wanted = ticket->route->scope;
    if (ticket->route->is_local_free && access_is_local(&service->access, &claim))
        wanted = SCOPE_NONE;
    return access_identify(&ticket->caller, &service->access, &claim, wanted, problem) ||
                   take_rate(service, exchange, &ticket->caller, problem)
               ? -1
               : 0;
}

static const char *name_of(const struct route *route) {
    return route != NULL ? route->name : "other";
}

static int is_gone(void *exchange) {
    return http_is_gone(exchange);
}

static void run(void *context, struct http_exchange *exchange) {
    const struct ticket *ticket = http_slot(exchange);
    const struct route *route = ticket->route;
    struct request request = {.service = context,
                              .exchange = exchange,
                              .route = route,
                              .caller = ticket->caller,
                              .argument = http_path(exchange) + fixed_length(route),
                              .started = ticket->started};
    size_t bytes;
    const char *body = http_body(exchange, &bytes);
    cancellation_set(is_gone, exchange);
    int failed = (!route->is_light && http_is_gone(exchange)) ||
                 (route->has_body && request_parse(&request.body, body, bytes, &request.problem)) ||
                 route->handler(&request);
    cancellation_set(NULL, NULL);
    if (failed && http_is_gone(exchange))
        request.status = CLIENT_LEFT; /* or the server stops, and says so itself */
    else if (failed)
        request_fail(&request);
    json_decref(request.body);
    metrics_count_request(request.service->metrics, name_of(route), request.status,
                          progress_clock() - request.started);
}

int routes_find(void *context, struct http_exchange *exchange, http_handler **handler,
                int *is_light) {
    const struct service *service = context;
    struct ticket *ticket = http_slot(exchange);
    struct request request = {.service = service, .exchange = exchange};
    ticket->started = progress_clock();
    if (admit(service, exchange, ticket, &request.problem) == 0) {
        *handler = run;
        *is_light = ticket->route->is_light;
        return 0;
    }
    request_fail(&request);
    metrics_count_request(service->metrics, name_of(ticket->route), request.status, 0);
    return 1;
}

void routes_names(const char *names[static ROUTES_MOST]) {
    for (size_t i = 0; i < ROUTE_COUNT; i++)
        names[i] = ROUTES[i].name;
}

/* The bytes of openapi.json, between two symbols; make runs where src/ is. */
__asm__(".section .rodata\n"
        ".balign 16\n"
        "trine_openapi_json:\n"
        ".incbin \"src/serve/openapi.json\"\n"
        "trine_openapi_json_end:\n"
        ".byte 0\n"
        ".previous\n");
extern const char trine_openapi_json[], trine_openapi_json_end[];

const char *routes_description(size_t *bytes) {
    *bytes = (size_t)(trine_openapi_json_end - trine_openapi_json);
    return trine_openapi_json;
}
