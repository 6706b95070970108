#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/progress.h"
#include "serve/http_private.h"

static const double LINGER_SECONDS = 2, LINGER_TICK = 0.1;

/* Whose end comes together with the last bytes is overlooked by libmicrohttpd. */
static int has_left(int socket) {
    struct pollfd polled = {.fd = socket, .events = POLLRDHUP};
    return poll(&polled, 1, 0) > 0;
}

/* libmicrohttpd finds the sockets shut, and closes them. */
static void shut_late(struct http_minder *minder, double now) {
    for (struct http_watch *watch = minder->first; watch != NULL; watch = watch->next) {
        int is_late = now > watch->deadline;
        if (!is_late && (watch->deadline == INFINITY || !has_left(watch->socket)))
            continue;
        shutdown(watch->socket, SHUT_RDWR);
        watch->deadline = INFINITY;
        watch->is_shut = is_late;
    }
}

/* Not 0: the other side is done. */
static int discard(int socket) {
    static const int ROUNDS = 8;
    char waste[16 << 10];
    ssize_t got = 1;
    for (int i = 0; i < ROUNDS && got > 0; i++)
        got = recv(socket, waste, sizeof waste, MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}

static void drain_lingering(struct http_minder *minder, double now) {
    for (size_t i = minder->lingering_count; i-- > 0;)
        if (discard(minder->lingering[i].socket) || now > minder->lingering[i].until) {
            close(minder->lingering[i].socket);
            minder->lingering[i] = minder->lingering[--minder->lingering_count];
        }
}

static void *mind(void *context) {
    struct http_minder *minder = context;
    for (;;) {
        struct pollfd polled[HTTP_LINGERING + 1] = {{.fd = minder->wake, .events = POLLIN}};
        pthread_mutex_lock(&minder->lock);
        if (minder->is_stopping)
            break;
        double now = progress_clock();
        shut_late(minder, now);
        drain_lingering(minder, now);
        size_t count = minder->lingering_count;
        for (size_t i = 0; i < count; i++)
            polled[i + 1] = (struct pollfd){.fd = minder->lingering[i].socket, .events = POLLIN};
        pthread_mutex_unlock(&minder->lock);

        double seconds = count > 0 ? fmin(LINGER_TICK, minder->tick) : minder->tick;
        poll(polled, count + 1, (int)(seconds * 1000));
        if (polled[0].revents != 0) {
            eventfd_t news;
            eventfd_read(minder->wake, &news);
        }
    }
    for (size_t i = 0; i < minder->lingering_count; i++)
        close(minder->lingering[i].socket);
    pthread_mutex_unlock(&minder->lock);
    return NULL;
}

int http_minder_start(struct http_minder *minder, double tick, struct error *error) {
    *minder = (struct http_minder){.tick = tick, .wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    if (minder->wake < 0)
        return error_set_errno(error, "cannot start the server");
    pthread_mutex_init(&minder->lock, NULL);
    if (pthread_create(&minder->thread, NULL, mind, minder) != 0) {
        pthread_mutex_destroy(&minder->lock);
        close(minder->wake);
        return error_set(error, "cannot start the server: the system gives no more threads");
    }
    return 0;
}

void http_minder_stop(struct http_minder *minder) {
    pthread_mutex_lock(&minder->lock);
    minder->is_stopping = 1;
    pthread_mutex_unlock(&minder->lock);
    eventfd_write(minder->wake, 1);
    pthread_join(minder->thread, NULL);
    pthread_mutex_destroy(&minder->lock);
    close(minder->wake);
}

struct http_watch *http_minder_open(struct http_minder *minder, int socket, double deadline) {
    struct http_watch *watch = malloc(sizeof *watch);
    if (watch == NULL)
        return NULL;
    *watch = (struct http_watch){.socket = socket, .deadline = deadline};
    pthread_mutex_lock(&minder->lock);
    watch->next = minder->first;
    if (watch->next != NULL)
        watch->next->previous = watch;
    minder->first = watch;
    pthread_mutex_unlock(&minder->lock);
    return watch;
}

void http_minder_close(struct http_minder *minder, struct http_watch *watch) {
    if (watch == NULL)
        return;
    pthread_mutex_lock(&minder->lock);
    if (watch->next != NULL)
        watch->next->previous = watch->previous;
    if (watch->previous != NULL)
        watch->previous->next = watch->next;
    else
        minder->first = watch->next;
    pthread_mutex_unlock(&minder->lock);
    free(watch);
}

int http_minder_set(struct http_minder *minder, struct http_watch *watch, double deadline) {
    if (watch == NULL)
        return 0;
    pthread_mutex_lock(&minder->lock);
    watch->deadline = deadline;
    int is_shut = watch->is_shut;
    pthread_mutex_unlock(&minder->lock);
    return is_shut;
}

void http_minder_extend(struct http_minder *minder, struct http_watch *watch, double seconds) {
    if (watch == NULL)
        return;
    pthread_mutex_lock(&minder->lock);
    watch->deadline += seconds;
    pthread_mutex_unlock(&minder->lock);
}

void http_minder_linger(struct http_minder *minder, int socket) {
    pthread_mutex_lock(&minder->lock);
    if (minder->lingering_count < HTTP_LINGERING) {
        int copy = fcntl(socket, F_DUPFD_CLOEXEC, 0);
        if (copy >= 0) {
            minder->lingering[minder->lingering_count].socket = copy;
            minder->lingering[minder->lingering_count++].until = progress_clock() + LINGER_SECONDS;
        }
    }
    pthread_mutex_unlock(&minder->lock);
    eventfd_write(minder->wake, 1);
}
