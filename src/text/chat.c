#include "text/chat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct chat_format {
    const char *name;
    const char *fragments[3]; /* all of which are in the template */
    const char *before[CHAT_ROLES], *after[CHAT_ROLES];
    const char *reply;          /* what stands before the assistant's reply */
    const char *default_system; /* when the first message is not the system's; NULL: none */
    const char *later_user;     /* before users' messages other than the first; NULL: the same */
    int folds_system;           /* the system's message is a part of the first user's */
    int is_begun;               /* by the token that begins documents */
    const char *stop;
    const char *marks[4]; /* that no message may spell */
};

#define CHATML                                                                                     \
    .before = {"<|im_start|>system\n", "<|im_start|>user\n", "<|im_start|>assistant\n"},           \
    .after = {"<|im_end|>\n", "<|im_end|>\n", "<|im_end|>\n"}, .reply = "<|im_start|>assistant\n", \
    .stop = "<|im_end|>", .marks = {"<|im_start|>", "<|im_end|>"}

/* In the order in which they are tried: the more particular first. */
static const struct chat_format FORMATS[] = {
    {.name = "smollm2",
     .fragments = {"<|im_start|>", "named SmolLM"},
     .default_system = "You are a helpful AI assistant named SmolLM, trained by Hugging Face",
     CHATML},
    {.name = "qwen2.5",
     .fragments = {"<|im_start|>", "You are Qwen, created by Alibaba Cloud"},
     .default_system = "You are Qwen, created by Alibaba Cloud. You are a helpful assistant.",
     CHATML},
    {.name = "qwen2",
     .fragments = {"<|im_start|>", "You are a helpful assistant"},
     .default_system = "You are a helpful assistant.",
     CHATML},
    {.name = "chatml", .fragments = {"<|im_start|>", "<|im_end|>"}, CHATML},
    {.name = "llama-3",
     .is_begun = 1,
     .fragments = {"<|start_header_id|>", "<|eot_id|>"},
     .before = {"<|start_header_id|>system<|end_header_id|>\n\n",
                "<|start_header_id|>user<|end_header_id|>\n\n",
                "<|start_header_id|>assistant<|end_header_id|>\n\n"},
     .after = {"<|eot_id|>", "<|eot_id|>", "<|eot_id|>"},
     .reply = "<|start_header_id|>assistant<|end_header_id|>\n\n",
     .stop = "<|eot_id|>",
     .marks = {"<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"}},
    {.name = "llama-2",
     .is_begun = 1,
     .fragments = {"<<SYS>>", "[INST]"},
     .before = {"[INST] <<SYS>>\n", "[INST] ", " "},
     .after = {"\n<</SYS>>\n\n", " [/INST]", " </s>"},
     .reply = "",
     .later_user = "<s>[INST] ",
     .folds_system = 1,
     .stop = "</s>",
     .marks = {"[INST]", "[/INST]", "<<SYS>>", "</s>"}},
    {.name = "mistral",
     .is_begun = 1,
     .fragments = {"[INST]", "[/INST]"},
     .before = {"[INST] ", "[INST] ", " "},
     .after = {"\n\n", " [/INST]", "</s>"},
     .reply = "",
     .folds_system = 1,
     .stop = "</s>",
     .marks = {"[INST]", "[/INST]", "</s>"}},
    {.name = "phi-3",
     .is_begun = 1,
     .fragments = {"<|user|>", "<|end|>"},
     .before = {"<|system|>\n", "<|user|>\n", "<|assistant|>\n"},
     .after = {"<|end|>\n", "<|end|>\n", "<|end|>\n"},
     .reply = "<|assistant|>\n",
     .stop = "<|end|>",
     .marks = {"<|system|>", "<|user|>", "<|assistant|>", "<|end|>"}},
    {.name = "zephyr",
     .is_begun = 1,
     .fragments = {"<|user|>", "<|assistant|>"},
     .before = {"<|system|>\n", "<|user|>\n", "<|assistant|>\n"},
     .after = {"</s>\n", "</s>\n", "</s>\n"},
     .reply = "<|assistant|>\n",
     .stop = "</s>",
     .marks = {"<|system|>", "<|user|>", "<|assistant|>", "</s>"}},
    {.name = "vicuna",
     .is_begun = 1,
     .fragments = {"USER: ", "ASSISTANT:"},
     .before = {"", "USER: ", "ASSISTANT: "},
     .after = {" ", " ", "</s>"},
     .reply = "ASSISTANT:",
     .stop = "</s>",
     .marks = {"USER:", "ASSISTANT:", "</s>"}},
};
enum { FORMAT_COUNT = sizeof FORMATS / sizeof *FORMATS };

/* For models that were never made for chats; no template is recognised as this. */
static const struct chat_format PLAIN = {.name = "plain",
                                         .is_begun = 1,
                                         .before = {"", "User: ", "Assistant: "},
                                         .after = {"\n", "\n", "\n"},
                                         .reply = "Assistant: ",
                                         .marks = {"\nUser:", "\nAssistant:"}};

static const char *const ROLE_NAMES[CHAT_ROLES] = {"system", "user", "assistant"};

const char *chat_format_name(const struct chat_format *format) {
    return format->name;
}

const char *chat_format_stop(const struct chat_format *format) {
    return format->stop;
}

const struct chat_format *chat_format_find(const char *name) {
    for (int i = 0; i < FORMAT_COUNT; i++)
        if (strcmp(FORMATS[i].name, name) == 0)
            return &FORMATS[i];
    return strcmp(name, PLAIN.name) == 0 ? &PLAIN : NULL;
}

int chat_format_begins(const struct chat_format *format) {
    return format->is_begun;
}

int chat_format_recognise(const struct chat_format **out, const char *jinja, struct error *error) {
    for (int i = 0; i < FORMAT_COUNT; i++) {
        int has_all = 1;
        for (int k = 0; k < 3 && FORMATS[i].fragments[k] != NULL; k++)
            has_all &= strstr(jinja, FORMATS[i].fragments[k]) != NULL;
        if (has_all) {
            *out = &FORMATS[i];
            return 0;
        }
    }
    char shown[81];
    size_t length = 0;
    for (; length < sizeof shown - 1 && jinja[length] != '\0'; length++)
        shown[length] = jinja[length] < ' ' || jinja[length] > '~' ? ' ' : jinja[length];
    shown[length] = '\0';
    *out = NULL;
    return error_set(error, "the chat template that begins \"%s\" is not known", shown);
}

static int check_message(const struct chat_format *format, const struct chat_message *messages,
                         size_t i, struct error *error) {
    const struct chat_message *message = &messages[i];
    size_t turn = i - (messages[0].role == CHAT_SYSTEM); /* the first turn is the user's */
    if (i > 0 || message->role != CHAT_SYSTEM) {
        enum chat_role wanted = turn % 2 == 0 ? CHAT_USER : CHAT_ASSISTANT;
        if (message->role != wanted)
            return error_set(error, "message %zu is the %s's; the %s's turn it is", i + 1,
                             ROLE_NAMES[message->role], ROLE_NAMES[wanted]);
    }
    for (int k = 0; k < 4 && format->marks[k] != NULL; k++)
        if (strstr(message->content, format->marks[k]) != NULL)
            return error_set(error, "message %zu holds \"%s\", which only the format may write",
                             i + 1, format->marks[k]);
    return 0;
}

static void put_message(FILE *out, const struct chat_format *format,
                        const struct chat_message *messages, size_t i) {
    const struct chat_message *message = &messages[i];
    const char *before = format->before[message->role];
    int follows_system = i > 0 && messages[i - 1].role == CHAT_SYSTEM;
    if (message->role == CHAT_USER && follows_system && format->folds_system)
        before = ""; /* the system's message opened the turn */
    else if (message->role == CHAT_USER && i > 0 && format->later_user != NULL)
        before = format->later_user;
    fprintf(out, "%s%s%s", before, message->content, format->after[message->role]);
}

int chat_render(char **out, const struct chat_format *format, const struct chat_message *messages,
                size_t count, int asks, struct error *error) {
    size_t bytes;
    *out = NULL;
    if (count == 0)
        return error_set(error, "a chat has at least one message");
    for (size_t i = 0; i < count; i++)
        if (check_message(format, messages, i, error))
            return -1;
    FILE *stream = open_memstream(out, &bytes);
    if (stream == NULL)
        return error_set(error, "out of memory");
    if (messages[0].role != CHAT_SYSTEM && format->default_system != NULL)
        fprintf(stream, "%s%s%s", format->before[CHAT_SYSTEM], format->default_system,
                format->after[CHAT_SYSTEM]);
    for (size_t i = 0; i < count; i++)
        put_message(stream, format, messages, i);
    if (asks)
        fputs(format->reply, stream);
    if (fclose(stream) != 0) {
        free(*out);
        *out = NULL;
        return error_set(error, "out of memory");
    }
    return 0;
}
