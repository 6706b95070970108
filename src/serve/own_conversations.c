#include <string.h>

#include "serve/own_routes.h"
#include "serve/request_json.h"

static int no_conversations(struct request *request) {
    return problem_set(&request->problem, 404, "no_conversations", NULL,
                       "this server keeps no conversations");
}

/* 0, or the problem that the result of a function of serve/conversations.h is. */
static int check(struct request *request, int result, const char *param,
                 const struct error *error) {
    if (result == CONVERSATION_DONE)
        return 0;
    if (result == CONVERSATION_ABSENT)
        return problem_set(&request->problem, 404, "conversation_not_found", param,
                           "there is no conversation of this id");
    return result == CONVERSATION_REFUSED ? problem_content(&request->problem, param, error)
                                          : problem_internal(&request->problem, "keeping", error);
}

int own_conversations_list(struct request *request) {
    struct conversations *kept = request->service->conversations;
    struct error error;
    json_t *list = NULL;
    if (kept == NULL)
        return no_conversations(request);
    if (check(request, conversations_list(kept, request->caller.id, &list, &error), NULL, &error))
        return -1;
    return request_reply(request, json_pack("{s:o}", "conversations", list));
}

int own_conversation_new(struct request *request) {
    static const char *const KNOWN[] = {"title"};
    struct conversations *kept = request->service->conversations;
    struct error error;
    const char *title = "";
    char id[CONVERSATION_ID];
    if (kept == NULL)
        return no_conversations(request);
    if (request_only(request->body, "", KNOWN, 1, &request->problem) ||
        request_text(request->body, "title", CONVERSATION_TITLE_LIMIT, &title, &request->problem) ||
        check(request, conversations_create(kept, request->caller.id, title, id, &error), "title",
              &error))
        return -1;
    return request_reply(request, json_pack("{s:s, s:s}", "id", id, "title", title));
}

int own_conversation_show(struct request *request) {
    struct conversations *kept = request->service->conversations;
    struct error error;
    json_t *whole = NULL;
    if (kept == NULL)
        return no_conversations(request);
    if (check(request,
              conversations_export(kept, request->caller.id, request->argument, &whole, &error),
              NULL, &error))
        return -1;
    return request_reply(request, whole);
}

int own_conversation_delete(struct request *request) {
    struct conversations *kept = request->service->conversations;
    struct error error;
    if (kept == NULL)
        return no_conversations(request);
    if (check(request, conversations_delete(kept, request->caller.id, request->argument, &error),
              NULL, &error))
        return -1;
    return request_reply(request, json_pack("{s:s, s:b}", "id", request->argument, "deleted", 1));
}
