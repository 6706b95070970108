#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/memory.h"
#include "serve/http_private.h"

/* How often a worker that waits for a client looks whether there still is one. */
static const long LOOK_NANOSECONDS = 50 * 1000 * 1000;

struct http_exchange *http_exchange_create(struct http_server *server,
                                           struct MHD_Connection *connection) {
    struct http_exchange *exchange = calloc(1, sizeof *exchange);
    if (exchange == NULL)
        return NULL;
    exchange->server = server;
    exchange->connection = connection;
    exchange->references = 1;
    const union MHD_ConnectionInfo *info =
        http_mhd.get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    exchange->socket = info == NULL ? -1 : info->connect_fd;
    info = http_mhd.get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    exchange->watch = info == NULL ? NULL : info->socket_context;
    pthread_mutex_init(&exchange->lock, NULL);
    pthread_condattr_t steady;
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_cond_init(&exchange->room, &steady);
    pthread_condattr_destroy(&steady);
    return exchange;
}

void http_exchange_release(struct http_exchange *exchange) {
    if (atomic_fetch_sub(&exchange->references, 1) > 1)
        return;
    while (exchange->added != NULL) {
        struct http_added *added = exchange->added;
        exchange->added = added->next;
        free(added);
    }
    atomic_fetch_sub(&exchange->server->body_bytes, exchange->request.body_bytes);
    http_request_free(&exchange->request);
    pthread_cond_destroy(&exchange->room);
    pthread_mutex_destroy(&exchange->lock);
    free(exchange->data);
    free(exchange);
}

/* Under the lock both, so that there is never a resume without a suspend before it, and never a
 * suspend of a stream that just got its bytes. */
static void suspend(struct http_exchange *exchange) {
    exchange->is_suspended = 1;
    http_mhd.suspend_connection(exchange->connection);
}

static void resume(struct http_exchange *exchange) {
    if (!exchange->is_suspended)
        return;
    exchange->is_suspended = 0;
    http_mhd.resume_connection(exchange->connection);
}

void http_exchange_suspend(struct http_exchange *exchange) {
    pthread_mutex_lock(&exchange->lock);
    suspend(exchange);
    pthread_mutex_unlock(&exchange->lock);
}

enum http_answer http_exchange_answer(struct http_exchange *exchange) {
    pthread_mutex_lock(&exchange->lock);
    enum http_answer answer = exchange->answer;
    pthread_mutex_unlock(&exchange->lock);
    return answer;
}

void http_exchange_drop(struct http_exchange *exchange, enum http_drop drop) {
    struct http_server *server = exchange->server;
    if (exchange->drop != HTTP_KEPT)
        return;
    exchange->drop = drop;
    atomic_fetch_add(drop == HTTP_SLOW ? &server->dropped_slow : &server->dropped_gone, 1);
    if (!exchange->is_over)
        shutdown(exchange->socket, SHUT_RDWR); /* libmicrohttpd notices, and lets go */
}

/* With the lock. */
static int is_unwanted(struct http_exchange *exchange) {
    if (exchange->is_over || exchange->drop != HTTP_KEPT ||
        atomic_load(&exchange->server->is_stopping))
        return 1;
    if (exchange->answer == HTTP_WHOLE || exchange->is_ended)
        return 0; /* with the whole reply the client may well go */
    struct pollfd polled = {.fd = exchange->socket, .events = POLLRDHUP};
    if (poll(&polled, 1, 0) <= 0 || (polled.revents & (POLLRDHUP | POLLHUP | POLLERR)) == 0)
        return 0;
    http_exchange_drop(exchange, HTTP_GONE);
    return 1;
}

int http_is_gone(struct http_exchange *exchange) {
    pthread_mutex_lock(&exchange->lock);
    int is_gone = is_unwanted(exchange);
    pthread_mutex_unlock(&exchange->lock);
    return is_gone;
}

static int clean_status(int status) {
    return status >= 200 && status <= 599 ? status : 500;
}

/* Takes over the data; with the lock. */
static void answer_whole(struct http_exchange *exchange, int status, const char *content_type,
                         char *data, size_t bytes) {
    if (exchange->answer != HTTP_UNANSWERED) {
        free(data);
        return;
    }
    exchange->answer = HTTP_WHOLE;
    exchange->status = clean_status(data == NULL && bytes > 0 ? 503 : status);
    exchange->data = data;
    exchange->bytes = data == NULL ? 0 : bytes;
    snprintf(exchange->content_type, sizeof exchange->content_type, "%s", content_type);
    resume(exchange);
}

static void reply_owned(struct http_exchange *exchange, int status, const char *content_type,
                        char *data, size_t bytes) {
    pthread_mutex_lock(&exchange->lock);
    answer_whole(exchange, status, content_type, data, bytes);
    pthread_mutex_unlock(&exchange->lock);
}

void http_reply(struct http_exchange *exchange, int status, const char *content_type,
                const void *data, size_t bytes) {
    char *copy = bytes == 0 ? NULL : malloc(bytes);
    if (copy != NULL)
        memcpy(copy, data, bytes);
    reply_owned(exchange, status, content_type, copy, bytes);
}

static void reply_text(struct http_exchange *exchange, int status, const char *json) {
    http_reply(exchange, status, "application/json", json, strlen(json));
}

void http_reply_json(struct http_exchange *exchange, int status, json_t *json) {
    char *text = json == NULL ? NULL : json_dumps(json, JSON_COMPACT);
    json_decref(json);
    if (text != NULL)
        reply_owned(exchange, status, "application/json", text, strlen(text));
    else
        reply_text(exchange, 500,
                   "{\"error\":{\"message\":\"the reply could not be written as JSON\",\"type\":"
                   "\"server_error\",\"param\":null,\"code\":null}}");
}

static const char *type_of(int status) {
    return status == 401   ? "authentication_error"
           : status == 403 ? "permission_error"
           : status == 404 ? "not_found_error"
           : status == 429 ? "rate_limit_error"
           : status >= 500 ? "server_error"
                           : "invalid_request_error";
}

void http_reply_error(struct http_exchange *exchange, int status, const char *code,
                      const char *format, ...) {
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    json_t *text = json_string(message);
    if (text == NULL) { /* no UTF-8: a client's text, or cut in a character */
        for (char *at = message; *at != '\0'; at++)
            *at = (signed char)*at < 0 ? '?' : *at;
        text = json_string(message);
    }
    http_reply_json(exchange, status,
                    json_pack("{s:{s:o, s:s, s:n, s:s?}}", "error", "message", text, "type",
                              type_of(status), "param", "code", code));
}

void http_add_header(struct http_exchange *exchange, const char *name, const char *value) {
    size_t name_bytes = strlen(name) + 1, value_bytes = strlen(value) + 1;
    struct http_added *added = malloc(sizeof *added + name_bytes + value_bytes);
    if (added == NULL)
        return;
    memcpy(added->name, name, name_bytes);
    added->value = memcpy(added->name + name_bytes, value, value_bytes);
    added->next = exchange->added;
    exchange->added = added;
}

int http_stream_begin(struct http_exchange *exchange, int status, const char *content_type) {
    pthread_mutex_lock(&exchange->lock);
    int is_unheard = is_unwanted(exchange) || exchange->request.is_head;
    if (exchange->request.is_head)
        answer_whole(exchange, status, content_type, NULL, 0);
    if (!is_unheard && exchange->answer == HTTP_UNANSWERED) {
        exchange->answer = HTTP_STREAM;
        exchange->status = clean_status(status);
        snprintf(exchange->content_type, sizeof exchange->content_type, "%s", content_type);
        resume(exchange);
    }
    pthread_mutex_unlock(&exchange->lock);
    return is_unheard ? -1 : 0;
}

/* With the lock; not 0: there will be none. libmicrohttpd drops a client that takes nothing for the
 * timeout, and note_completed wakes us. */
static int wait_for_room(struct http_exchange *exchange) {
    while (exchange->bytes == HTTP_STREAM_LIMIT) {
        if (exchange->is_light || is_unwanted(exchange))
            return -1;
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += LOOK_NANOSECONDS;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&exchange->room, &exchange->lock, &until);
    }
    return 0;
}

/* With the lock. As much as there is room for; 0: out of memory. */
static size_t append(struct http_exchange *exchange, const char *data, size_t bytes) {
    struct error error;
    size_t room = HTTP_STREAM_LIMIT - exchange->bytes, taken = bytes < room ? bytes : room;
    if (exchange->start > 0 && exchange->bytes + exchange->start + taken > exchange->capacity) {
        memmove(exchange->data, exchange->data + exchange->start, exchange->bytes);
        exchange->start = 0;
    }
    if (memory_grow(&exchange->data, &exchange->capacity, exchange->start + exchange->bytes + taken,
                    1, &error) != 0)
        return 0;
    memcpy(exchange->data + exchange->start + exchange->bytes, data, taken);
    exchange->bytes += taken;
    return taken;
}

int http_stream_write(struct http_exchange *exchange, const void *data, size_t bytes) {
    const char *at = data;
    pthread_mutex_lock(&exchange->lock);
    int is_open = exchange->answer == HTTP_STREAM && !exchange->is_ended;
    int is_unheard = !is_open || exchange->is_cut || is_unwanted(exchange);
    while (!is_unheard && bytes > 0) {
        size_t taken = wait_for_room(exchange) != 0 ? 0 : append(exchange, at, bytes);
        is_unheard = taken == 0;
        at += taken;
        bytes -= taken;
        resume(exchange);
    }
    exchange->is_cut |= is_open && is_unheard;
    pthread_mutex_unlock(&exchange->lock);
    return is_unheard ? -1 : 0;
}

void http_stream_end(struct http_exchange *exchange) {
    pthread_mutex_lock(&exchange->lock);
    if (exchange->answer == HTTP_STREAM) {
        exchange->is_ended = 1;
        resume(exchange);
    }
    pthread_mutex_unlock(&exchange->lock);
}

/* With the lock. To an error here, or an end that is the connection's, libmicrohttpd closes the
 * connection only by halves: its socket stays open until another event finds it. What it cannot
 * send makes it do so at once. */
static ssize_t break_off(struct http_exchange *exchange, char *buffer) {
    exchange->is_shut = 1;
    shutdown(exchange->socket, SHUT_WR);
    buffer[0] = '\0';
    return 1;
}

ssize_t http_exchange_take(void *context, uint64_t position, char *buffer, size_t capacity) {
    struct http_exchange *exchange = context;
    ssize_t taken = 0;
    (void)position;
    pthread_mutex_lock(&exchange->lock);
    if (exchange->drop != HTTP_KEPT) {
        taken = break_off(exchange, buffer);
    } else if (exchange->bytes > 0) {
        size_t most = exchange->bytes < capacity ? exchange->bytes : capacity;
        memcpy(buffer, exchange->data + exchange->start, most);
        exchange->bytes -= most;
        exchange->start = exchange->bytes == 0 ? 0 : exchange->start + most;
        taken = (ssize_t)most;
        pthread_cond_signal(&exchange->room);
    } else if (exchange->is_ended && !exchange->is_cut && !exchange->request.is_old) {
        taken = MHD_CONTENT_READER_END_OF_STREAM;
    } else if (exchange->is_ended) {
        taken = break_off(exchange, buffer);
    } else {
        suspend(exchange);
    }
    pthread_mutex_unlock(&exchange->lock);
    return taken;
}

void http_exchange_finish(struct http_exchange *exchange) {
    pthread_mutex_lock(&exchange->lock);
    int is_unanswered = exchange->answer == HTTP_UNANSWERED;
    if (exchange->answer == HTTP_STREAM && !exchange->is_ended) {
        exchange->is_cut = exchange->is_ended = 1;
        resume(exchange);
    }
    if (is_unanswered && exchange->drop != HTTP_KEPT) {
        exchange->answer = HTTP_NEVER;
        is_unanswered = 0;
        resume(exchange);
    }
    pthread_mutex_unlock(&exchange->lock);
    if (!is_unanswered)
        return;
    if (atomic_load(&exchange->server->is_stopping))
        http_reply_error(exchange, 503, NULL, "the server is stopping; try again later");
    else
        http_reply_error(exchange, 500, NULL, "the server had nothing to reply");
}

void *http_slot(struct http_exchange *exchange) {
    return exchange->slot;
}
