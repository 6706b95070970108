/* A client that says exactly the bytes it is told to, and reads replies strictly. It fails the
 * running test when the server is silent for ten seconds. */
#ifndef TRINE_TESTS_SERVE_RAW_CLIENT_H
#define TRINE_TESTS_SERVE_RAW_CLIENT_H

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "cmocka_all.h"

struct raw_client {
    int socket;
    char waiting[1 << 16]; /* what came and was not read */
    size_t start, end;
};

struct raw_reply {
    int status;
    char head[8192];
    char body[1 << 16]; /* NUL-terminated; the first bytes of it */
    size_t body_bytes;
    int is_whole; /* 0: the connection ended before it */
};

static inline void raw_open(struct raw_client *client, uint16_t port) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval patience = {.tv_sec = 10};
    client->start = client->end = 0;
    client->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(client->socket, (struct sockaddr *)&address, sizeof address) != 0)
        fail_msg("cannot connect");
    setsockopt(client->socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(client->socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

static inline void raw_close(struct raw_client *client) {
    close(client->socket);
}

/* 0, or -1 when the server does not take it. */
static inline int raw_try_send(struct raw_client *client, const void *data, size_t bytes) {
    const char *at = data;
    while (bytes > 0) {
        ssize_t sent = send(client->socket, at, bytes, MSG_NOSIGNAL);
        if (sent <= 0)
            return -1;
        at += sent;
        bytes -= (size_t)sent;
    }
    return 0;
}

static inline void raw_send(struct raw_client *client, const char *text) {
    assert_int_equal(raw_try_send(client, text, strlen(text)), 0);
}

/* The next byte, or -1 at the end of the connection. */
static inline int raw_byte(struct raw_client *client) {
    if (client->start == client->end) {
        ssize_t got = recv(client->socket, client->waiting, sizeof client->waiting, 0);
        if (got < 0 && errno == EAGAIN)
            fail_msg("the server says nothing");
        if (got <= 0)
            return -1;
        client->start = 0;
        client->end = (size_t)got;
    }
    return (unsigned char)client->waiting[client->start++];
}

/* Without its end; -1: there was none. */
static inline int raw_line(struct raw_client *client, char *line, size_t capacity) {
    size_t length = 0;
    for (int c; (c = raw_byte(client)) != '\n'; length++) {
        if (c < 0)
            return -1;
        assert_true(length + 1 < capacity);
        line[length] = (char)c;
    }
    assert_true(length > 0 && line[length - 1] == '\r');
    line[length - 1] = '\0';
    return 0;
}

/* The header's value in the reply's head, or NULL; until the next call. */
static inline const char *raw_header(const struct raw_reply *reply, const char *name) {
    static _Thread_local char value[1024];
    size_t length = strlen(name);
    for (const char *line = reply->head; *line != '\0'; line = strchr(line, '\n') + 1)
        if (strncasecmp(line, name, length) == 0 && line[length] == ':') {
            snprintf(value, sizeof value, "%.*s", (int)strcspn(line + length + 2, "\n"),
                     line + length + 2);
            return value;
        }
    return NULL;
}

/* Status line and headers. -1: the connection ended. */
static inline int raw_read_head(struct raw_client *client, struct raw_reply *reply) {
    char line[4096];
    size_t length = 0;
    *reply = (struct raw_reply){0};
    if (raw_line(client, line, sizeof line) != 0)
        return -1;
    assert_int_equal(sscanf(line, "HTTP/1.%*d %d", &reply->status), 1);
    for (;;) {
        if (raw_line(client, line, sizeof line) != 0)
            return -1;
        if (line[0] == '\0')
            return 0;
        length += (size_t)snprintf(reply->head + length, sizeof reply->head - length, "%s\n", line);
        assert_true(length < sizeof reply->head);
    }
}

/* -1: the connection ended. */
static inline int raw_read_bytes(struct raw_client *client, struct raw_reply *reply, size_t bytes) {
    for (; bytes > 0; bytes--) {
        int c = raw_byte(client);
        if (c < 0)
            return -1;
        if (reply->body_bytes + 1 < sizeof reply->body)
            reply->body[reply->body_bytes] = (char)c;
        reply->body_bytes++;
    }
    return 0;
}

/* One chunk: its bytes; 0 after the last; -1: the connection ended. */
static inline long raw_read_chunk(struct raw_client *client, struct raw_reply *reply) {
    char line[64];
    if (raw_line(client, line, sizeof line) != 0)
        return -1;
    char *end;
    unsigned long bytes = strtoul(line, &end, 16);
    assert_true(end > line && *end == '\0');
    if (raw_read_bytes(client, reply, bytes) != 0 || raw_line(client, line, sizeof line) != 0)
        return -1;
    assert_string_equal(line, "");
    return (long)bytes;
}

/* A whole reply; `is_head`: to a request that gets no body. */
static inline void raw_read(struct raw_client *client, struct raw_reply *reply, int is_head) {
    if (raw_read_head(client, reply) != 0)
        return;
    long chunk;
    const char *length = raw_header(reply, "Content-Length");
    if (is_head || reply->status == 204) {
        reply->is_whole = 1;
    } else if (length != NULL) {
        reply->is_whole = raw_read_bytes(client, reply, strtoul(length, NULL, 10)) == 0;
    } else if (raw_header(reply, "Transfer-Encoding") != NULL) {
        while ((chunk = raw_read_chunk(client, reply)) > 0)
            ;
        reply->is_whole = chunk == 0;
    } else {
        while (raw_read_bytes(client, reply, 1) == 0)
            ;
        reply->is_whole = 1;
    }
}

/* Whether the server has closed the connection, and said no more. */
static inline int raw_is_closed(struct raw_client *client) {
    return raw_byte(client) < 0;
}

/* One request on a connection of its own. */
static inline void raw_exchange(uint16_t port, const char *request, struct raw_reply *reply) {
    struct raw_client client;
    raw_open(&client, port);
    raw_send(&client, request);
    raw_read(&client, reply, strncmp(request, "HEAD", 4) == 0);
    raw_close(&client);
}

#endif
