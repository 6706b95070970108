#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <utf8proc.h>

#include "base/memory.h"
#include "serve/http_private.h"

/* How libmicrohttpd's values are copied: counted first, then written into one block. */
struct copying {
    struct http_request *request;
    size_t bytes, query_count, header_count;
    char *text; /* where the next string goes; NULL: only counting */
};

/* Copies of the bytes and a NUL; only counts while there is no block. */
static const char *copy_text(struct copying *copying, const char *text, size_t bytes) {
    char *copy = copying->text;
    copying->bytes += bytes + 1;
    if (copy == NULL)
        return NULL;
    if (bytes > 0)
        memcpy(copy, text, bytes);
    copy[bytes] = '\0';
    copying->text += bytes + 1;
    return copy;
}

static enum MHD_Result copy_pair(void *context, enum MHD_ValueKind kind, const char *name,
                                 size_t name_bytes, const char *value, size_t value_bytes) {
    struct copying *copying = context;
    struct http_request *request = copying->request;
    while (kind == MHD_HEADER_KIND && value_bytes > 0 && strchr(" \t", value[value_bytes - 1]))
        value_bytes--;
    struct http_pair pair = {copy_text(copying, name, name_bytes),
                             copy_text(copying, value, value_bytes)};
    size_t place = kind == MHD_HEADER_KIND ? copying->header_count++ : copying->query_count++;
    if (copying->text != NULL)
        (kind == MHD_HEADER_KIND ? request->headers : request->queries)[place] = pair;
    return MHD_YES;
}

static void copy_all(struct copying *copying, struct MHD_Connection *connection, const char *method,
                     const char *url) {
    copying->request->method = copy_text(copying, method, strlen(method));
    copying->request->path = copy_text(copying, url, strlen(url));
    http_mhd.get_connection_values_n(connection, MHD_HEADER_KIND, copy_pair, copying);
    http_mhd.get_connection_values_n(connection, MHD_GET_ARGUMENT_KIND, copy_pair, copying);
}

static int copy_request(struct http_request *request, struct MHD_Connection *connection,
                        const char *method, const char *url) {
    struct copying count = {.request = request};
    copy_all(&count, connection, method, url);
    size_t pairs = count.header_count + count.query_count;
    request->block = malloc(pairs * sizeof(struct http_pair) + count.bytes);
    if (request->block == NULL)
        return -1;
    request->headers = request->block;
    request->queries = request->headers + count.header_count;
    request->header_count = count.header_count;
    request->query_count = count.query_count;
    struct copying copying = {.request = request, .text = (char *)(request->headers + pairs)};
    copy_all(&copying, connection, method, url);
    return 0;
}

static void read_client(struct http_request *request, struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        http_mhd.get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = info == NULL ? NULL : info->client_addr;
    if (address != NULL && address->sa_family == AF_INET) {
        const struct in_addr *number = &((const struct sockaddr_in *)address)->sin_addr;
        inet_ntop(AF_INET, number, request->client, sizeof request->client);
        request->is_loopback = ntohl(number->s_addr) >> 24 == 127;
    } else if (address != NULL && address->sa_family == AF_INET6) {
        const struct in6_addr *number = &((const struct sockaddr_in6 *)address)->sin6_addr;
        if (IN6_IS_ADDR_V4MAPPED(number)) { /* a socket for both kinds */
            inet_ntop(AF_INET, number->s6_addr + 12, request->client, sizeof request->client);
            request->is_loopback = number->s6_addr[12] == 127;
        } else {
            inet_ntop(AF_INET6, number, request->client, sizeof request->client);
            request->is_loopback = IN6_IS_ADDR_LOOPBACK(number);
        }
    }
}

static int hex(char c) {
    return isdigit((unsigned char)c)    ? c - '0'
           : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10
                                        : -1;
}

/* %XX in place. -1: something else after a percent sign, a NUL, or no UTF-8. */
static int decode(char *text) {
    char *to = text;
    for (const char *from = text; *from != '\0'; from++, to++) {
        *to = *from;
        if (*from != '%')
            continue;
        int high = hex(from[1]), low = high < 0 ? -1 : hex(from[2]);
        if (low < 0 || high * 16 + low == 0)
            return -1;
        *to = (char)(high * 16 + low);
        from += 2;
    }
    *to = '\0';
    utf8proc_int32_t point;
    for (const char *at = text; at < to;) {
        utf8proc_ssize_t step = utf8proc_iterate((const utf8proc_uint8_t *)at, to - at, &point);
        if (step <= 0)
            return -1;
        at += step;
    }
    return 0;
}

/* Of the decoded path. */
static int is_path_fine(const char *path) {
    if (path[0] != '/')
        return 0;
    for (const char *at = path; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f ||
            (at[0] == '/' && at[1] == '.' && at[2] == '.' && (at[3] == '/' || at[3] == '\0')))
            return 0;
    return 1;
}

static int is_token(const char *text) {
    size_t length = strlen(text);
    return length > 0 && strspn(text, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                      "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == length;
}

/* What could mean two things to us and to a proxy before us, so that one takes for a second request
 * what the other takes for a body. */
static const char *find_ambiguity(const struct http_request *request) {
    size_t lengths = 0, encodings = 0, hosts = 0;
    for (size_t i = 0; i < request->header_count; i++) {
        const struct http_pair *header = &request->headers[i];
        if (!is_token(header->name))
            return "a header's name has a character that it may not have";
        lengths += strcasecmp(header->name, "Content-Length") == 0;
        hosts += strcasecmp(header->name, "Host") == 0;
        if (strcasecmp(header->name, "Transfer-Encoding") != 0)
            continue;
        encodings++;
        if (strcasecmp(header->value, "chunked") != 0)
            return "the only Transfer-Encoding that this server takes is chunked";
    }
    if (hosts > 1 || (hosts == 0 && !request->is_old))
        return "there must be one Host";
    return lengths + encodings > 1 ? "the body's length is given more than once" : NULL;
}

int http_request_read(struct http_exchange *exchange, const char *method, const char *url,
                      const char *version) {
    struct http_request *request = &exchange->request;
    struct MHD_Connection *connection = exchange->connection;
    read_client(request, connection);
    request->is_old = strcmp(version, MHD_HTTP_VERSION_1_0) == 0;
    request->is_head = strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
    if (copy_request(request, connection, request->is_head ? MHD_HTTP_METHOD_GET : method, url)) {
        http_reply_error(exchange, 503, NULL, "out of memory");
        return -1;
    }
    const union MHD_ConnectionInfo *info =
        http_mhd.get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    if (info != NULL && info->header_size > HTTP_HEADER_LIMIT) {
        http_reply_error(exchange, 431, NULL, "the headers are longer than %d bytes",
                         HTTP_HEADER_LIMIT);
        return -1;
    }
    const char *ambiguity = find_ambiguity(request);
    if (ambiguity != NULL) {
        http_reply_error(exchange, 400, NULL, "cannot take the request: %s", ambiguity);
        return -1;
    }
    int is_fine = strchr(url, ' ') == NULL && decode((char *)request->path) == 0;
    for (size_t i = 0; i < request->query_count; i++)
        is_fine = is_fine && decode((char *)request->queries[i].name) == 0 &&
                  decode((char *)request->queries[i].value) == 0;
    int is_of_server = strcmp(method, MHD_HTTP_METHOD_OPTIONS) == 0 && strcmp(url, "*") == 0;
    if (is_fine && (is_path_fine(request->path) || is_of_server))
        return 0;
    http_reply_error(exchange, 400, NULL,
                     "cannot take the request's target: it must be a path from /, in UTF-8, "
                     "percent-encoded, without .. and control characters");
    return -1;
}

int http_request_add_body(struct http_request *request, const char *data, size_t bytes,
                          size_t limit) {
    struct error error;
    if (bytes > limit - request->body_bytes)
        return 0;
    if (memory_grow(&request->body, &request->body_capacity, request->body_bytes + bytes + 1, 1,
                    &error) != 0)
        return -1;
    memcpy(request->body + request->body_bytes, data, bytes);
    request->body_bytes += bytes;
    request->body[request->body_bytes] = '\0';
    return 1;
}

void http_request_free(struct http_request *request) {
    free(request->block);
    free(request->body);
}

const char *http_method(const struct http_exchange *exchange) {
    return exchange->request.method;
}

const char *http_path(const struct http_exchange *exchange) {
    return exchange->request.path;
}

const char *http_query(const struct http_exchange *exchange, const char *name) {
    const struct http_request *request = &exchange->request;
    for (size_t i = 0; i < request->query_count; i++)
        if (strcmp(request->queries[i].name, name) == 0)
            return request->queries[i].value;
    return NULL;
}

const char *http_header(const struct http_exchange *exchange, const char *name) {
    const struct http_request *request = &exchange->request;
    for (size_t i = 0; i < request->header_count; i++)
        if (strcasecmp(request->headers[i].name, name) == 0)
            return request->headers[i].value;
    return NULL;
}

const char *http_body(const struct http_exchange *exchange, size_t *bytes) {
    if (bytes != NULL)
        *bytes = exchange->request.body_bytes;
    return exchange->request.body == NULL ? "" : exchange->request.body;
}

const char *http_client(const struct http_exchange *exchange) {
    return exchange->request.client;
}

int http_is_loopback(const struct http_exchange *exchange) {
    return exchange->request.is_loopback;
}
