#include <jansson.h>

#include "base/progress.h"
#include "serve/own_routes.h"

int own_jobs(struct request *request) {
    struct error error;
    if (request->service->jobs == NULL)
        return problem_set(&request->problem, 404, "no_jobs", NULL,
                           "this server does not look on at long commands");
    json_t *json = progress_jobs(request->service->jobs, &error);
    return json != NULL ? request_reply(request, json)
                        : problem_internal(&request->problem, "looking at jobs", &error);
}
