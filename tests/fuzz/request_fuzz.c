/* Bodies of requests: their JSON, messages and wishes; and written bytes on their way to a client,
 * in pieces of sizes that the bytes themselves say. */
#include <string.h>

#include "fuzz/fuzz.h"
#include "serve/chat_messages.h"
#include "serve/request_json.h"
#include "serve/writing.h"
#include "text/text_filter.h"

static void read_request(const uint8_t *data, size_t size) {
    struct problem problem;
    struct writing_wish wish;
    struct sampling sampling;
    uint64_t seed;
    json_t *body;
    if (request_parse(&body, (const char *)data, size, &problem))
        return;
    for (int folds = 0; folds < 2; folds++) {
        struct chat_messages messages;
        if (chat_messages_read(&messages, request_field(body, "messages"), folds, &problem) == 0) {
            chat_messages_forget_declined(&messages);
            chat_messages_shorten(&messages, 5, 100);
        }
        chat_messages_free(&messages);
    }
    (void)writing_read_wish(&wish, body, &problem);
    (void)writing_read_sampling(&sampling, &seed, 1, body, &problem);
    json_decref(body);
}

/* What is shown must be whole characters whatever was written. */
static void filter(const uint8_t *data, size_t size) {
    static const char *const STOPS[] = {"\n\n", "\xe2\x82\xac", "stop"};
    struct text_filter f;
    struct error error;
    text_filter_start(&f, STOPS, 3);
    for (size_t at = 0; at < size;) {
        size_t piece = 1 + data[at] % 7;
        piece = piece < size - at ? piece : size - at;
        if (text_filter_add(&f, (const char *)data + at, piece, &error))
            break;
        json_t *json = json_stringn(f.ready, f.ready_bytes);
        if (json == NULL)
            __builtin_trap();
        json_decref(json);
        at += piece;
    }
    text_filter_free(&f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    read_request(data, size);
    filter(data, size);
    return 0;
}
