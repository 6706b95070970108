#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/progress.h"
#include "serve/http_private.h"

static const char METHODS[] = "GET, HEAD, POST, DELETE, OPTIONS";

/* A body must come at this rate, on the average after twice the timeout. */
static const double SLOWEST_BYTES_PER_SECOND = 4096;

static const size_t UNKNOWN_LENGTH = SIZE_MAX, STREAM_BLOCK = 16 << 10;

static double patience(const struct http_server *server) {
    return progress_clock() + 2.0 * server->options.timeout_seconds;
}

static void complain(void *context, const char *format, va_list arguments) {
    struct http_server *server = context;
    (void)format, (void)arguments;
    atomic_fetch_add(&server->complaints, 1);
}

/* Nothing is decoded here: libmicrohttpd lets a %00 cut a text short, and takes a wrong escape as
 * it stands. */
static size_t leave_escaped(void *context, struct MHD_Connection *connection, char *text) {
    (void)context, (void)connection;
    return strlen(text);
}

static void note_connection(void *context, struct MHD_Connection *connection, void **slot,
                            enum MHD_ConnectionNotificationCode code) {
    struct http_server *server = context;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        atomic_fetch_sub(&server->connections, 1);
        http_minder_close(&server->minder, *slot);
        *slot = NULL;
        return;
    }
    atomic_fetch_add(&server->connections, 1);
    const union MHD_ConnectionInfo *info =
        http_mhd.get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    *slot =
        info == NULL ? NULL : http_minder_open(&server->minder, info->connect_fd, patience(server));
}

static void note_completed(void *context, struct MHD_Connection *connection, void **slot,
                           enum MHD_RequestTerminationCode code) {
    struct http_server *server = context;
    struct http_exchange *exchange = *slot;
    (void)connection;
    if (exchange == NULL)
        return;
    *slot = NULL;
    if (exchange->is_refused)
        http_minder_linger(&server->minder, exchange->socket);
    int is_late = http_minder_set(&server->minder, exchange->watch, patience(server));
    pthread_mutex_lock(&exchange->lock);
    exchange->is_over = 1;
    int is_ours = exchange->is_refused || exchange->is_shut || exchange->answer == HTTP_NEVER;
    if (code == MHD_REQUEST_TERMINATED_TIMEOUT_REACHED || is_late)
        http_exchange_drop(exchange, HTTP_SLOW);
    else if (code != MHD_REQUEST_TERMINATED_COMPLETED_OK &&
             code != MHD_REQUEST_TERMINATED_DAEMON_SHUTDOWN && !is_ours)
        http_exchange_drop(exchange, HTTP_GONE);
    pthread_cond_broadcast(&exchange->room);
    pthread_mutex_unlock(&exchange->lock);
    http_exchange_release(exchange);
    atomic_fetch_sub(&server->open, 1);
}

static void release_stream(void *exchange) {
    http_exchange_release(exchange);
}

static struct MHD_Response *create_response(struct http_exchange *exchange) {
    struct MHD_Response *response;
    if (exchange->answer == HTTP_STREAM) {
        atomic_fetch_add(&exchange->references, 1);
        response = http_mhd.create_response_from_callback(
            MHD_SIZE_UNKNOWN, STREAM_BLOCK, http_exchange_take, exchange, release_stream);
        if (response == NULL)
            http_exchange_release(exchange);
        return response;
    }
    response = http_mhd.create_response_from_buffer(exchange->bytes, exchange->data,
                                                    MHD_RESPMEM_MUST_FREE);
    if (response != NULL)
        exchange->data = NULL;
    return response;
}

/* Gives libmicrohttpd the reply or the stream that the exchange has. */
static enum MHD_Result answer(struct http_exchange *exchange) {
    enum http_answer kind = http_exchange_answer(exchange); /* and what was written before it */
    struct MHD_Response *response =
        kind == HTTP_WHOLE || kind == HTTP_STREAM ? create_response(exchange) : NULL;
    if (response == NULL)
        return MHD_NO;
    http_mhd.add_response_header(response, "Content-Type", exchange->content_type);
    http_mhd.add_response_header(response, "X-Content-Type-Options", "nosniff");
    for (const struct http_added *added = exchange->added; added != NULL; added = added->next)
        http_mhd.add_response_header(response, added->name, added->value);
    enum MHD_Result result =
        http_mhd.queue_response(exchange->connection, (unsigned)exchange->status, response);
    http_mhd.destroy_response(response);
    return result;
}

/* libmicrohttpd takes no reply while a body comes in: this one is written past it, and then the
 * connection is closed. */
static enum MHD_Result refuse_body(struct http_exchange *exchange, int status, const char *reason) {
    char head[256];
    exchange->is_refused = 1;
    http_reply_error(exchange, status, NULL, "%s", reason);
    snprintf(head, sizeof head,
             "HTTP/1.1 %d Refused\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
             "Connection: close\r\n\r\n",
             status, exchange->content_type, exchange->bytes);
    if (send(exchange->socket, head, strlen(head), MSG_NOSIGNAL | MSG_DONTWAIT | MSG_MORE) > 0)
        send(exchange->socket, exchange->data, exchange->bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
    return MHD_NO;
}

/* Many connections with a long body each would take what memory there is. Bodies come in here
 * alone, so there is no less room by the time that they are added. */
static int has_room(const struct http_exchange *exchange, size_t bytes) {
    struct http_server *server = exchange->server;
    return exchange->request.body_bytes + bytes <= HTTP_SHORT_BODY ||
           atomic_load(&server->body_bytes) + bytes <= server->options.bodies_limit;
}

static enum MHD_Result gather(struct http_exchange *exchange, const char *data, size_t bytes) {
    struct http_server *server = exchange->server;
    http_minder_extend(&server->minder, exchange->watch, (double)bytes / SLOWEST_BYTES_PER_SECOND);
    if (http_exchange_answer(exchange) != HTTP_UNANSWERED)
        return MHD_YES; /* refused already: read to keep the connection */
    if (!has_room(exchange, bytes))
        return refuse_body(exchange, 503, "too many long requests at a time; try again later");
    int added = http_request_add_body(&exchange->request, data, bytes, server->options.body_limit);
    if (added > 0)
        atomic_fetch_add(&server->body_bytes, bytes);
    return added > 0    ? MHD_YES
           : added == 0 ? refuse_body(exchange, 413, "the body is too long")
                        : refuse_body(exchange, 503, "out of memory");
}

static size_t announced_length(const struct http_exchange *exchange) {
    if (http_header(exchange, "Transfer-Encoding") != NULL)
        return UNKNOWN_LENGTH;
    const char *length = http_header(exchange, "Content-Length");
    unsigned long long bytes = length == NULL ? 0 : strtoull(length, NULL, 10);
    return bytes < UNKNOWN_LENGTH ? (size_t)bytes : UNKNOWN_LENGTH - 1;
}

static void route(struct http_exchange *exchange, const char *method) {
    struct http_server *server = exchange->server;
    if (strcmp(method, "OPTIONS") == 0) {
        http_add_header(exchange, "Allow", METHODS);
        http_reply(exchange, 204, "text/plain", NULL, 0);
    } else if (strcmp(http_method(exchange), "GET") != 0 && strcmp(method, "POST") != 0 &&
               strcmp(method, "DELETE") != 0) {
        http_add_header(exchange, "Allow", METHODS);
        http_reply_error(exchange, 405, NULL, "there is no such method here; there are %s",
                         METHODS);
    } else if (server->router(server->context, exchange, &exchange->handler, &exchange->is_light) !=
                   0 ||
               exchange->handler == NULL) {
        http_exchange_finish(exchange);
    }
}

/* The headers are there. What is refused is answered after its body was read, or, where that is
 * long or nobody knows where it ends, now, which closes the connection. */
static enum MHD_Result begin(struct http_server *server, struct MHD_Connection *connection,
                             const char *url, const char *method, const char *version,
                             void **slot) {
    struct http_exchange *exchange = http_exchange_create(server, connection);
    if (exchange == NULL)
        return MHD_NO;
    *slot = exchange;
    atomic_fetch_add(&server->requests, 1);
    atomic_fetch_add(&server->open, 1);
    http_minder_set(&server->minder, exchange->watch, patience(server));
    int is_readable = http_request_read(exchange, method, url, version) == 0;
    if (is_readable)
        route(exchange, method);
    size_t length = announced_length(exchange);
    if (length != UNKNOWN_LENGTH && length > server->options.body_limit)
        http_reply_error(exchange, 413, NULL, "the body is longer than %zu bytes",
                         server->options.body_limit);
    int is_short = length <= HTTP_DRAIN_LIMIT && http_header(exchange, "Expect") == NULL;
    if (http_exchange_answer(exchange) == HTTP_UNANSWERED ||
        (is_readable && (length == 0 || is_short)))
        return MHD_YES;
    exchange->is_refused = 1;
    return answer(exchange);
}

/* The whole request is there. */
static enum MHD_Result dispatch(struct http_exchange *exchange) {
    struct http_server *server = exchange->server;
    exchange->is_dispatched = 1;
    http_minder_set(&server->minder, exchange->watch, INFINITY);
    if (http_exchange_answer(exchange) == HTTP_UNANSWERED) {
        if (!exchange->is_light && http_enqueue(exchange) == 0)
            return MHD_YES;
        if (exchange->is_light)
            exchange->handler(server->context, exchange);
        http_exchange_finish(exchange);
    }
    return answer(exchange);
}

/* libmicrohttpd calls it first with the headers, then with each piece of the body, then when the
 * request is complete, and again after each resume until it has a reply. */
static enum MHD_Result handle_access(void *context, struct MHD_Connection *connection,
                                     const char *url, const char *method, const char *version,
                                     const char *data, size_t *bytes, void **slot) {
    struct http_exchange *exchange = *slot;
    if (exchange == NULL)
        return begin(context, connection, url, method, version, slot);
    if (*bytes > 0) {
        size_t taken = *bytes;
        *bytes = 0;
        return gather(exchange, data, taken);
    }
    return exchange->is_dispatched ? answer(exchange) : dispatch(exchange);
}

/* What MHD_OPTION_STRICT_FOR_CLIENT would refuse, http_request_read does: libmicrohttpd answers a
 * request without a Host twice over. */
struct MHD_Daemon *http_open_daemon(struct http_server *server) {
    const struct http_options *options = &server->options;
    unsigned connections = (unsigned)options->connections;
    return http_mhd.start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_ERROR_LOG,
        0, NULL, NULL, handle_access, server, MHD_OPTION_EXTERNAL_LOGGER, complain, server,
        MHD_OPTION_LISTEN_SOCKET, server->socket, MHD_OPTION_CONNECTION_LIMIT, connections,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, connections - connections / 4,
        MHD_OPTION_CONNECTION_TIMEOUT, options->timeout_seconds, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)2 * HTTP_HEADER_LIMIT, MHD_OPTION_STRICT_FOR_CLIENT, 0,
        MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL, MHD_OPTION_NOTIFY_CONNECTION,
        note_connection, server, MHD_OPTION_NOTIFY_COMPLETED, note_completed, server,
        MHD_OPTION_END);
}
