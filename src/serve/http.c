#include "serve/http.h"

#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/progress.h"
#include "base/shared_library.h"
#include "serve/http_private.h"

#define NAME(name) "MHD_" #name,
static const char *const NAMES[] = {HTTP_LIBRARY(NAME)};
struct http_library http_mhd;

static const double LAST_BYTES_SECONDS = 1;

static int bind_and_listen(const struct addrinfo *found) {
    int one = 1, zero = 0;
    int socket_ = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (socket_ < 0)
        return -1;
    setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (found->ai_family == AF_INET6) /* "::" takes both kinds of addresses */
        setsockopt(socket_, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
    if (bind(socket_, found->ai_addr, found->ai_addrlen) == 0 && listen(socket_, SOMAXCONN) == 0)
        return socket_;
    close(socket_);
    return -1;
}

static int open_socket(struct http_server *server, struct error *error) {
    const struct http_options *options = &server->options;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found = NULL;
    char port[8];
    snprintf(port, sizeof port, "%u", (unsigned)options->port);
    int code = getaddrinfo(options->address, port, &hints, &found);
    if (code != 0)
        return error_set(error, "cannot listen on %s: %s", options->address, gai_strerror(code));
    server->socket = bind_and_listen(found);
    freeaddrinfo(found);
    if (server->socket < 0)
        return error_set_errno(error,
                               "cannot listen on %s, port %u; choose another address or "
                               "port, or stop who uses it",
                               options->address, (unsigned)options->port);
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
        struct sockaddr_storage storage;
    } address;
    socklen_t length = sizeof address;
    getsockname(server->socket, &address.any, &length);
    server->port =
        ntohs(address.any.sa_family == AF_INET6 ? address.six.sin6_port : address.four.sin_port);
    return 0;
}

static size_t or_else(size_t value, size_t standard) {
    return value == 0 ? standard : value;
}

static int settle_options(struct http_options *options, struct error *error) {
    static const size_t MOST = 65536;
    options->address = options->address == NULL ? "127.0.0.1" : options->address;
    options->workers = or_else(options->workers, 4);
    options->queue = or_else(options->queue, 64);
    options->connections = or_else(options->connections, 256);
    options->body_limit = or_else(options->body_limit, HTTP_BODY_LIMIT);
    options->timeout_seconds = (unsigned)or_else(options->timeout_seconds, 60);
    if (options->workers > MOST || options->queue > MOST || options->connections > MOST ||
        options->timeout_seconds > 86400 || options->body_limit > SIZE_MAX / 64)
        return error_set(error,
                         "the server's workers, queue and connections are at most %zu, its "
                         "timeout 86400 seconds, and its limit for bodies %zu bytes",
                         MOST, SIZE_MAX / 64);
    options->bodies_limit = or_else(options->bodies_limit, 32 * options->body_limit);
    return 0;
}

/* With the lock. Those who left need no place. */
static void sweep_queue(struct http_server *server) {
    size_t capacity = server->options.queue, kept = 0;
    for (size_t i = 0; i < server->waiting; i++) {
        struct http_exchange *exchange = server->queue[(server->first + i) % capacity];
        if (http_is_gone(exchange)) {
            http_exchange_finish(exchange);
            http_exchange_release(exchange);
        } else {
            server->queue[(server->first + kept++) % capacity] = exchange;
        }
    }
    server->waiting = kept;
}

int http_enqueue(struct http_exchange *exchange) {
    struct http_server *server = exchange->server;
    pthread_mutex_lock(&server->lock);
    int is_stopping = atomic_load(&server->is_stopping);
    if (!is_stopping && server->waiting == server->options.queue)
        sweep_queue(server);
    size_t waiting = atomic_load(&server->waiting);
    int is_taken = !is_stopping && waiting < server->options.queue;
    if (is_taken) {
        http_exchange_suspend(exchange); /* before a worker can resume it */
        atomic_fetch_add(&exchange->references, 1);
        server->queue[(server->first + waiting) % server->options.queue] = exchange;
        atomic_store(&server->waiting, waiting + 1);
        pthread_cond_signal(&server->arrived);
    }
    pthread_mutex_unlock(&server->lock);
    if (is_taken)
        return 0;
    http_add_header(exchange, "Retry-After", "1");
    if (is_stopping) {
        http_reply_error(exchange, 503, NULL, "the server is stopping; try again later");
    } else {
        atomic_fetch_add(&server->refused_full, 1);
        http_reply_error(exchange, 429, "queue_full",
                         "the server is busy: %zu requests are waiting; try again in a second",
                         waiting);
    }
    return -1;
}

/* NULL: the server stops, and nobody waits. */
static struct http_exchange *next_job(struct http_server *server) {
    struct http_exchange *exchange = NULL;
    pthread_mutex_lock(&server->lock);
    while (server->waiting == 0 && !server->is_stopping)
        pthread_cond_wait(&server->arrived, &server->lock);
    if (server->waiting > 0) {
        exchange = server->queue[server->first];
        server->first = (server->first + 1) % server->options.queue;
        server->waiting--;
        server->running++;
    }
    pthread_mutex_unlock(&server->lock);
    return exchange;
}

static void *work(void *context) {
    struct http_server *server = context;
    for (;;) {
        struct http_exchange *exchange = next_job(server);
        if (exchange == NULL)
            return NULL;
        if (!http_is_gone(exchange)) /* or the server stops: 503 */
            exchange->handler(server->context, exchange);
        http_exchange_finish(exchange);
        server->running--;
        http_exchange_release(exchange);
    }
}

static void stop_workers(struct http_server *server) {
    pthread_mutex_lock(&server->lock);
    atomic_store(&server->is_stopping, 1);
    pthread_cond_broadcast(&server->arrived);
    pthread_mutex_unlock(&server->lock);
    for (size_t i = 0; i < server->thread_count; i++)
        pthread_join(server->threads[i], NULL);
}

static int start_workers(struct http_server *server, struct error *error) {
    size_t wanted = server->options.workers;
    server->queue = calloc(server->options.queue, sizeof(struct http_exchange *));
    server->threads = calloc(wanted, sizeof *server->threads);
    if (server->queue == NULL || server->threads == NULL)
        return error_set(error, "cannot start the server: out of memory");
    for (; server->thread_count < wanted; server->thread_count++)
        if (pthread_create(&server->threads[server->thread_count], NULL, work, server) != 0) {
            stop_workers(server);
            return error_set(error, "cannot start %zu workers: the system gives no more threads",
                             wanted);
        }
    return 0;
}

static void destroy(struct http_server *server) {
    if (server->socket >= 0)
        close(server->socket);
    pthread_cond_destroy(&server->arrived);
    pthread_mutex_destroy(&server->lock);
    free(server->threads);
    free(server->queue);
    free(server);
}

static int start_threads(struct http_server *server, struct error *error) {
    double tick = server->options.timeout_seconds / 4.0;
    if (http_minder_start(&server->minder, tick < 5 ? tick : 5, error) != 0)
        return -1;
    if (start_workers(server, error) != 0) {
        http_minder_stop(&server->minder);
        return -1;
    }
    server->daemon = http_open_daemon(server);
    if (server->daemon != NULL)
        return 0;
    stop_workers(server);
    http_minder_stop(&server->minder);
    server->socket = -1; /* which libmicrohttpd has closed, or not: closed twice would be worse */
    return error_set(error, "cannot start the server: libmicrohttpd refuses; has it epoll?");
}

/* Once: a server that runs reads the table. */
static int load_library(struct error *error) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static int is_loaded;
    pthread_mutex_lock(&lock);
    if (!is_loaded)
        is_loaded = shared_library_load(&http_mhd, NAMES, sizeof NAMES / sizeof *NAMES,
                                        "libmicrohttpd.so.12", error) == 0;
    int result = is_loaded ? 0 : -1;
    pthread_mutex_unlock(&lock);
    return result;
}

int http_start(struct http_server **out, const struct http_options *options, http_router *router,
               void *context, struct error *error) {
    if (load_library(error) != 0)
        return -1;
    struct http_server *server = calloc(1, sizeof *server);
    if (server == NULL)
        return error_set(error, "cannot start the server: out of memory");
    *server = (struct http_server){
        .options = *options, .router = router, .context = context, .socket = -1};
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->arrived, NULL);
    int result = settle_options(&server->options, error);
    if (result == 0)
        result = open_socket(server, error);
    if (result == 0) { /* signals are for the thread that started us */
        sigset_t all, before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        result = start_threads(server, error);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    if (result != 0) {
        destroy(server);
        return -1;
    }
    server->options.address = NULL;
    *out = server;
    return 0;
}

uint16_t http_port(const struct http_server *server) {
    return server->port;
}

void http_stop(struct http_server *server) {
    if (server == NULL)
        return;
    http_mhd.quiesce_daemon(server->daemon); /* the socket stays ours to close */
    stop_workers(server);
    double deadline = progress_clock() + LAST_BYTES_SECONDS;
    while (atomic_load(&server->open) > 0 && progress_clock() < deadline)
        nanosleep(&(struct timespec){.tv_nsec = 5 * 1000 * 1000}, NULL);
    http_mhd.stop_daemon(server->daemon);
    http_minder_stop(&server->minder);
    destroy(server);
}

void http_count(const struct http_server *server, struct http_counts *counts) {
    *counts = (struct http_counts){
        .requests = server->requests,
        .refused_full = server->refused_full,
        .dropped_slow = server->dropped_slow,
        .dropped_gone = server->dropped_gone,
        .complaints = server->complaints,
        .running = server->running,
        .waiting = server->waiting,
        .connections = server->connections,
        .body_bytes = server->body_bytes,
    };
}
