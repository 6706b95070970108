/* Those who wait for the one judge of a standard, each with a worker, over real connections:
 * whoever leaves meanwhile is not judged for, whoever stays is answered. */
#include <time.h>

#include "serve/raw_client.h"
#include "serve/routes.h"
#include "serve/tiny_service.h"

enum { LEAVING = 2 };

static struct tiny_service tiny;
static struct service service;
static struct http_server *http;

static int set_up(void **state) {
    (void)state;
    static struct resident_model_options model;
    struct error error;
    const char *names[ROUTES_MOST];
    tiny_service_make(&tiny, -4);
    model = tiny.options;
    model.standards[0] = tiny.standards[0];
    model.standard_count = 1;
    const struct resident_options options = {.models = &model, .model_count = 1, .workers = 4};
    routes_names(names);
    service.access = (struct access_rules){.local_scope = SCOPE_TRUTH, .address = "127.0.0.1"};
    TINY_DO(resident_open(&service.resident, &options, &error));
    TINY_DO(metrics_create(&service.metrics, names, ROUTE_COUNT, &error));
    TINY_DO(key_rates_create(&service.rates, &error));
    TINY_DO(http_start(&http, &(struct http_options){.workers = 4}, routes_find, &service, &error));
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    http_stop(http);
    key_rates_destroy(service.rates);
    metrics_destroy(service.metrics);
    resident_close(service.resident);
    tiny_service_remove(&tiny);
    return 0;
}

static void await_running(size_t running) {
    struct http_counts counts;
    for (int i = 0; i < 2000; i++) {
        http_count(http, &counts);
        if (counts.running == running)
            return;
        nanosleep(&(struct timespec){.tv_nsec = 5 * 1000 * 1000}, NULL);
    }
    fail_msg("%zu requests are worked on, not %zu", counts.running, running);
}

static void ask(struct raw_client *client, const char *path, const char *body) {
    char request[512];
    snprintf(request, sizeof request,
             "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n%s", path,
             strlen(body), body);
    raw_open(client, http_port(http));
    raw_send(client, request);
}

/* Of requests of this route and status. */
static int count(const char *route, int status) {
    struct error error;
    char *text, wanted[128];
    size_t bytes;
    TINY_DO(metrics_render(service.metrics, &(struct metrics_state){0}, &text, &bytes, &error));
    snprintf(wanted, sizeof wanted, "trine_requests_total{route=\"%s\",status=\"%d\"} ", route,
             status);
    const char *found = strstr(text, wanted);
    int number = found != NULL ? atoi(found + strlen(wanted)) : 0;
    free(text);
    return number;
}

static void wait_and_leave(const char *path, const char *name, const char *body) {
    struct error error;
    struct raw_client leaving[LEAVING], staying;
    struct raw_reply reply;
    struct judge_pool *judges = service.resident->judges;
    struct judge *judge =
        judge_pool_take(judges, &service.resident->models[0].standards[0].judging, &error);
    assert_non_null(judge);
    for (int i = 0; i < LEAVING; i++)
        ask(&leaving[i], path, body);
    ask(&staying, path, body);
    await_running(LEAVING + 1);
    for (int i = 0; i < LEAVING; i++)
        raw_close(&leaving[i]);
    await_running(1); /* who left keeps no worker */
    assert_int_equal(count(name, 499), LEAVING);
    judge_pool_give(judges, judge);
    raw_read(&staying, &reply, 0);
    raw_close(&staying);
    assert_int_equal(reply.status, 200);
    await_running(0);
    assert_int_equal(count(name, 200), 1);
}

static void test_judge(void **state) {
    (void)state;
    wait_and_leave("/v1/judge", "POST /v1/judge", "{\"statement\":\"the ship sailed\"}");
}

static void test_ask(void **state) {
    (void)state;
    wait_and_leave("/v1/ask", "POST /v1/ask", "{\"question\":\"who?\",\"candidates\":2}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_judge),
        cmocka_unit_test(test_ask),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
