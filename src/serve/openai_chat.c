#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "serve/chat.h"
#include "serve/openai_routes.h"
#include "serve/request_handle.h"
#include "serve/request_json.h"
#include "serve/request_values.h"

/* What a whole reply, or an event of it, needs beside the chat. */
struct chat_reply {
    struct chat *chat;
    char id[64];
    int64_t created;
    size_t index, written;
    json_t *choices, *why; /* why: of the first choice */
};

static int check_format(const json_t *body, struct problem *problem) {
    const json_t *format;
    if (request_object(body, "response_format", &format, problem))
        return -1;
    const char *type = json_string_value(json_object_get(format, "type"));
    if (format != NULL && (type == NULL || strcmp(type, "text") != 0))
        return problem_set(problem, 400, "unsupported_field", "response_format",
                           "the only \"response_format\" here is {\"type\": \"text\"}");
    const json_t *modalities = request_field(body, "modalities"), *item;
    size_t i;
    json_array_foreach((json_t *)modalities, i, item) {
        if (!json_is_string(item) || strcmp(json_string_value(item), "text") != 0)
            return problem_set(problem, 400, "unsupported_field", "modalities",
                               "the only modality here is \"text\"");
    }
    return 0;
}

static int read_counts(struct chat *chat, const json_t *body, struct problem *problem) {
    static const char *const REFUSED[] = {
        "tools",      "tool_choice",       "functions",        "function_call",
        "audio",      "logit_bias",        "presence_penalty", "frequency_penalty",
        "prediction", "web_search_options"};
    size_t most = chat->layer == RESIDENT_GOOD ? CHAT_GOOD_TOKENS_MOST : CHAT_TOKENS_MOST;
    size_t context = chat->request->service->resident->context;
    most = most < context ? most : context;
    chat->n = 1;
    chat->options.tokens = CHAT_TOKENS_USUAL < most / 2 ? CHAT_TOKENS_USUAL : most / 2;
    return writing_refuse(body, REFUSED, sizeof REFUSED / sizeof *REFUSED, problem) ||
                   check_format(body, problem) ||
                   request_count(body, "max_tokens", 1, most, &chat->options.tokens, problem) ||
                   request_count(body, "max_completion_tokens", 1, most, &chat->options.tokens,
                                 problem) ||
                   request_count(body, "n", 1, CHAT_CHOICES_MOST, &chat->n, problem) ||
                   request_flag(body, "why", &chat->wants_why, problem)
               ? -1
               : 0;
}

static int read_log_probabilities(struct chat *chat, const json_t *body, struct problem *problem) {
    struct writing_wish *wish = &chat->wish;
    if (request_flag(body, "logprobs", &wish->has_log_probabilities, problem) ||
        request_count(body, "top_logprobs", 0, TOKEN_TOP_MOST, &wish->top, problem))
        return -1;
    if (wish->top > 0 && !wish->has_log_probabilities)
        return problem_field(problem, "top_logprobs", "\"top_logprobs\" wants \"logprobs\": true");
    if (wish->has_log_probabilities && chat->layer == RESIDENT_GOOD)
        return problem_set(problem, 400, "unsupported_field", "logprobs",
                           "the good author is shown sentence by sentence, without its tokens' "
                           "probabilities");
    return 0;
}

static int read_messages(struct chat *chat, const json_t *body, struct problem *problem) {
    int is_good = chat->layer == RESIDENT_GOOD;
    if (request_needs(body, "messages", problem) ||
        chat_messages_read(&chat->messages, request_field(body, "messages"), is_good, problem))
        return -1;
    if (!is_good)
        return 0;
    chat_messages_forget_declined(&chat->messages);
    if (chat_messages_shorten(&chat->messages, DIALOGUE_TURNS - 1, CHAT_GOOD_BYTES_MOST))
        return problem_set(problem, 400, "context_length_exceeded", "messages",
                           "the last message is longer than the guard looks at: at most %d bytes",
                           CHAT_GOOD_BYTES_MOST);
    return 0;
}

static int read_values(struct chat *chat, const json_t *body, struct problem *problem) {
    struct error error;
    const json_t *values = request_field(body, "values");
    if (values == NULL)
        return 0;
    chat->has_values = 1;
    chat->offset =
        memory_allocate(chat->model->model->config.latent_width, sizeof *chat->offset, &error);
    if (chat->offset == NULL)
        return request_no_memory(chat->request);
    chat->options.offset = chat->offset;
    return request_values(chat->model, values, chat->offset, &chat->grant, problem);
}

/* Adds to the conversation; which may have been deleted while the reply was written. */
static int append(const struct chat *chat, const struct conversation_message *messages,
                  size_t count) {
    struct problem *problem = &chat->request->problem;
    struct error error;
    switch (conversations_append(chat->request->service->conversations, chat->request->caller.id,
                                 chat->conversation, messages, count, &error)) {
    case CONVERSATION_DONE:
        return 0;
    case CONVERSATION_ABSENT:
        return problem_set(problem, 404, "conversation_not_found", "conversation", "%s",
                           error.message);
    case CONVERSATION_FAILED:
        return problem_internal(problem, "keeping", &error);
    default:
        return problem_content(problem, "conversation", &error);
    }
}

/* Whether the conversation can be added to: known before anything is written. */
static int check_conversation(struct chat *chat, const json_t *body) {
    struct problem *problem = &chat->request->problem;
    if (request_text(body, "conversation", CONVERSATION_ID, &chat->conversation, problem))
        return -1;
    if (chat->conversation == NULL)
        return 0;
    if (chat->n > 1)
        return problem_field(problem, "n", "a conversation takes one reply: \"n\" must be 1");
    if (chat->request->service->conversations == NULL)
        return problem_set(problem, 404, "no_conversations", "conversation",
                           "this server keeps no conversations");
    return append(chat, NULL, 0);
}

static int read_body(struct chat *chat) {
    const json_t *body = chat->request->body;
    struct problem *problem = &chat->request->problem;
    int is_good = chat->layer == RESIDENT_GOOD;
    if (!is_good && !resident_chats(chat->model))
        return problem_set(problem, 400, "wrong_layer", "model",
                           "\"%.100s\" was not made for chats; it writes in /v1/completions",
                           chat->model->name);
    chat->options.is_plain = !is_good;
    /* The good author is greedy, as its odds were fitted, unless it is asked not to be. */
    if (writing_read_wish(&chat->wish, body, problem) || read_counts(chat, body, problem) ||
        read_log_probabilities(chat, body, problem) || read_messages(chat, body, problem) ||
        writing_read_sampling(&chat->options.sampling, &chat->options.seed, is_good ? 0 : 1, body,
                              problem) ||
        read_values(chat, body, problem) || check_conversation(chat, body))
        return -1;
    if (is_good)
        return 0;
    chat->options.handle = &chat->handle;
    return request_handle(&chat->handle, chat->model, request_field(body, "handle"), problem);
}

/* {"content": [{"token", "logprob", "bytes", "top_logprobs"}], "refusal": null} */
static json_t *logprobs_to_json(const json_t *entries) {
    json_t *content = json_array(), *entry;
    size_t i;
    json_array_foreach((json_t *)entries, i, entry) json_array_append_new(
        content,
        json_pack("{s:O, s:O, s:O, s:O}", "token", json_object_get(entry, "token"), "logprob",
                  json_object_get(entry, "logprob"), "bytes", json_object_get(entry, "bytes"),
                  "top_logprobs", json_object_get(entry, "top")));
    return json_pack("{s:o, s:n}", "content", content, "refusal");
}

static json_t *envelope(const struct chat_reply *r, const char *object, json_t *choices) {
    const struct chat *chat = r->chat;
    return json_pack("{s:s, s:s, s:I, s:o, s:o, s:o}", "id", r->id, "object", object, "created",
                     (json_int_t)r->created, "model", openai_model_name(chat->model, chat->layer),
                     "system_fingerprint", openai_fingerprint(chat->model), "choices", choices);
}

static json_t *event_of(const struct chat_reply *r, json_t *delta, const json_t *tokens,
                        const char *finish_reason) {
    json_t *choice = json_pack("{s:i, s:o, s:o, s:s?}", "index", (int)r->index, "delta", delta,
                               "logprobs", tokens != NULL ? logprobs_to_json(tokens) : json_null(),
                               "finish_reason", finish_reason);
    return envelope(r, "chat.completion.chunk", json_pack("[o]", choice));
}

static int deliver(void *context, const struct writing_piece *piece) {
    const struct chat_reply *r = context;
    json_t *delta = json_pack("{s:o}", "content", json_stringn(piece->text, piece->bytes));
    return request_stream_send(r->chat->request, event_of(r, delta, piece->tokens, NULL));
}

/* Both messages or none, on the disk when it returns. */
static int keep(const struct chat *chat, const struct writing *w) {
    const char *said = chat_messages_last(&chat->messages);
    int64_t today = conversations_today();
    struct conversation_message messages[2] = {
        {"user", said, strlen(said), today},
        {"assistant", w->text_bytes > 0 ? w->text : "", w->text_bytes, today}};
    return chat->conversation == NULL ? 0 : append(chat, messages, 2);
}

static void add_choice(struct chat_reply *r, const struct writing *w, json_t *why,
                       const char *reason) {
    json_t *text = json_stringn(w->text != NULL ? w->text : "", w->text_bytes);
    json_t *choice = json_pack(
        "{s:i, s:{s:s, s:o, s:n}, s:o, s:s}", "index", (int)r->index, "message", "role",
        "assistant", "content", text, "refusal", "logprobs",
        w->tokens != NULL ? logprobs_to_json(w->tokens) : json_null(), "finish_reason", reason);
    if (choice != NULL && why != NULL && r->chat->n > 1)
        json_object_set(choice, "trine", why);
    if (r->why == NULL)
        r->why = json_incref(why);
    json_array_append_new(r->choices, choice);
}

static int send_end(const struct chat_reply *r, json_t *why, const char *reason) {
    json_t *event = event_of(r, json_object(), NULL, reason);
    if (event != NULL && why != NULL)
        json_object_set(event, "trine", why);
    return request_stream_send(r->chat->request, event);
}

/* One reply; 1: nobody listens any more. */
static int speak(struct chat_reply *r, uint64_t seed) {
    struct chat *chat = r->chat;
    struct writing w;
    json_t *why = NULL;
    const char *reason = "stop";
    writing_start(&w, chat->request, chat->model, &chat->wish);
    w.deliver = chat->wish.is_stream ? deliver : NULL;
    w.context = r;
    if (chat->wish.is_stream)
        w.is_gone = request_stream_send(
                        chat->request,
                        event_of(r, json_pack("{s:s, s:s}", "role", "assistant", "content", ""),
                                 NULL, NULL)) != 0;
    int result = chat_speak(chat, &w, seed, &why, &reason);
    if (result == 0)
        result = writing_finish(&w);
    if (result == 0 && !w.is_gone)
        result = keep(chat, &w);
    r->written += w.outcome.written;
    if (result == 0 && chat->wish.is_stream)
        w.is_gone |= send_end(r, why, reason) != 0;
    else if (result == 0)
        add_choice(r, &w, why, reason);
    int is_gone = w.is_gone;
    json_decref(why);
    writing_free(&w);
    return result ? -1 : is_gone;
}

static int reply(struct chat_reply *r) {
    struct chat *chat = r->chat;
    json_t *usage = writing_usage(chat->prompt_tokens, r->written), *json;
    if (!chat->wish.is_stream) {
        json = envelope(r, "chat.completion", json_incref(r->choices));
        if (json != NULL) {
            json_object_set(json, "usage", usage);
            if (r->why != NULL)
                json_object_set(json, "trine", r->why);
        }
        json_decref(usage);
        return request_reply(chat->request, json);
    }
    if (chat->wish.has_usage) {
        json = envelope(r, "chat.completion.chunk", json_array());
        if (json != NULL)
            json_object_set(json, "usage", usage);
        request_stream_send(chat->request, json);
    }
    json_decref(usage);
    request_stream_end(chat->request);
    return 0;
}

static int converse(struct chat *chat) {
    struct chat_reply r = {.chat = chat, .created = (int64_t)time(NULL), .choices = json_array()};
    request_new_id(r.id, sizeof r.id, "chatcmpl-");
    int result = chat_speaker_take(chat);
    if (result == 0 && chat->wish.is_stream)
        result = request_stream_begin(chat->request);
    for (; result == 0 && r.index < chat->n; r.index++)
        result = speak(&r, chat->options.seed + r.index);
    chat_speaker_leave(chat);
    /* Whoever left gets the end of what there is: the reply must be ended all the same. */
    if (result >= 0)
        result = reply(&r);
    json_decref(r.choices);
    json_decref(r.why);
    return result;
}

int openai_chat(struct request *request) {
    struct chat chat = {.request = request};
    if (request_model(request, &chat.model, &chat.layer))
        return -1;
    int result = read_body(&chat);
    if (result == 0)
        result = converse(&chat);
    chat_messages_free(&chat.messages);
    handle_free(&chat.handle);
    memory_free(chat.offset);
    return result;
}
