#include "serve/page_routes.h"

#include <stdlib.h>
#include <string.h>

#include "serve/routes.h"
#include "serve/studio_files.h"

int page_health(struct request *request) {
    return request_reply(request, json_pack("{s:s}", "status", "ok"));
}

int page_metrics(struct request *request) {
    struct http_counts counts = {0};
    struct error error;
    char *text;
    size_t bytes;
    /* The first requests may come before the server is told of. */
    const struct http_server *http = __atomic_load_n(&request->service->http, __ATOMIC_ACQUIRE);
    if (http != NULL)
        http_count(http, &counts);
    struct metrics_state state = {.refused_full = counts.refused_full,
                                  .dropped_slow = counts.dropped_slow,
                                  .dropped_gone = counts.dropped_gone,
                                  .running = counts.running,
                                  .waiting = counts.waiting,
                                  .connections = counts.connections};
    if (metrics_render(request->service->metrics, &state, &text, &bytes, &error))
        return problem_internal(&request->problem, "counting", &error);
    int result = request_reply_data(request, METRICS_CONTENT_TYPE, text, bytes);
    free(text);
    return result;
}

int page_description(struct request *request) {
    size_t bytes;
    const char *text = routes_description(&bytes);
    return request_reply_data(request, "application/json", text, bytes);
}

int page_file(struct request *request) {
    const char *path = http_path(request->exchange), *type, *tag;
    const char *known = http_header(request->exchange, "If-None-Match");
    const void *data;
    size_t bytes;
    if (!studio_file(path, &data, &bytes, &type, &tag))
        return problem_set(&request->problem, 404, "not_found", NULL, "there is no such file");
    http_add_header(request->exchange, "Content-Security-Policy", STUDIO_CONTENT_SECURITY_POLICY);
    http_add_header(request->exchange, "Referrer-Policy", "no-referrer");
    http_add_header(request->exchange, "Cache-Control",
                    studio_file_is_immutable(path) ? "public, max-age=31536000, immutable"
                                                   : "no-cache");
    http_add_header(request->exchange, "ETag", tag);
    if (known != NULL && strstr(known, tag) != NULL) {
        request->status = 304;
        http_reply(request->exchange, 304, type, "", 0);
        return 0;
    }
    return request_reply_data(request, type, data, bytes);
}
