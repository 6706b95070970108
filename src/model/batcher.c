#include "model/batcher.h"

#include <pthread.h>
#include <string.h>

#include "base/deadline.h"
#include "base/memory.h"
#include "model/decoder_machine.h"

/* How long those who decoded together are waited for, in nanoseconds: choosing a token takes a
 * tenth of it. */
enum { PATIENCE = 500 * 1000 };

/* What a thread waits for; on its stack. */
struct request {
    struct decoder *decoder; /* a step of it; else a job */
    uint32_t token;
    batcher_job *job;
    void *context;
    int is_done;
    pthread_cond_t done;
    struct request *next;
};

struct queue {
    struct request *first, *last;
    size_t count;
};

struct batcher {
    struct decoder_machine *machine;
    pthread_t thread;
    int has_thread, stops;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t arrived;
    struct queue steps, jobs;
    size_t together; /* steps of the last pass: so many are likely to come again */
    struct batcher_counts counts;
    struct decoder *decoders; /* touched by the batcher's thread alone */
};

static void push(struct queue *queue, struct request *request) {
    if (queue->last != NULL)
        queue->last->next = request;
    else
        queue->first = request;
    queue->last = request;
    queue->count++;
}

static struct request *pop(struct queue *queue) {
    struct request *request = queue->first;
    queue->first = request->next;
    if (queue->first == NULL)
        queue->last = NULL;
    queue->count--;
    return request;
}

static void finish(struct request *request) {
    request->is_done = 1;
    pthread_cond_signal(&request->done);
}

/* Waits for the rest of those who decoded together, unless something else is to be done. */
static void await_company(struct batcher *b) {
    struct timespec until = deadline_in(PATIENCE);
    while (!b->stops && b->steps.count < b->together && b->steps.count < PRODUCT_ROWS &&
           b->jobs.count == 0)
        if (pthread_cond_timedwait(&b->arrived, &b->lock, &until) != 0)
            return;
}

/* Takes steps off the queue; those under the same adapters come to lie together. */
static size_t take_steps(struct batcher *b, struct request **taken) {
    size_t count = 0;
    while (b->steps.count > 0 && count < PRODUCT_ROWS) {
        struct request *request = pop(&b->steps);
        size_t at = count++;
        while (at > 0 &&
               taken[at - 1]->decoder->weights.overlay > request->decoder->weights.overlay) {
            taken[at] = taken[at - 1];
            at--;
        }
        taken[at] = request;
    }
    return count;
}

static void run_steps(struct batcher *b) {
    struct request *taken[PRODUCT_ROWS];
    struct decoder_chunk chunk = {.with_evidence = 1};
    size_t vocabulary = b->machine->weights.config->vocabulary;
    size_t count = take_steps(b, taken);
    b->together = count;
    b->counts.steps += count;
    b->counts.passes++;
    pthread_mutex_unlock(&b->lock);
    for (size_t i = 0; i < count; i++) {
        struct decoder *d = taken[i]->decoder;
        d->prefix = d->prefix < d->position ? d->prefix : d->position;
        chunk_add(&chunk, d, &taken[i]->token, 1);
    }
    machine_run(b->machine, &chunk, LOGITS_ALL);
    for (size_t i = 0; i < count; i++)
        memcpy(taken[i]->decoder->logits, b->machine->logits + i * vocabulary,
               vocabulary * sizeof(real));
    pthread_mutex_lock(&b->lock);
    for (size_t i = 0; i < count; i++)
        finish(taken[i]);
}

static void run_job(struct batcher *b) {
    struct request *request = pop(&b->jobs);
    pthread_mutex_unlock(&b->lock);
    request->job(request->context);
    pthread_mutex_lock(&b->lock);
    finish(request);
}

/* Jobs and passes take turns. */
static void *serve(void *context) {
    struct batcher *b = context;
    int is_turn_of_job = 0;
    pthread_mutex_lock(&b->lock);
    for (;;) {
        while (!b->stops && b->steps.count == 0 && b->jobs.count == 0)
            pthread_cond_wait(&b->arrived, &b->lock);
        if (b->steps.count == 0 && b->jobs.count == 0)
            break;
        if (b->steps.count > 0 && !is_turn_of_job)
            await_company(b);
        if (b->jobs.count > 0 && (is_turn_of_job || b->steps.count == 0)) {
            run_job(b);
            is_turn_of_job = 0;
        } else {
            run_steps(b);
            is_turn_of_job = 1;
        }
    }
    pthread_mutex_unlock(&b->lock);
    return NULL;
}

static void submit(struct batcher *b, struct queue *queue, struct request *request) {
    pthread_cond_init(&request->done, NULL);
    pthread_mutex_lock(&b->lock);
    push(queue, request);
    pthread_cond_signal(&b->arrived);
    while (!request->is_done)
        pthread_cond_wait(&request->done, &b->lock);
    pthread_mutex_unlock(&b->lock);
    pthread_cond_destroy(&request->done);
}

void batcher_alone(struct batcher *b, batcher_job *job, void *context) {
    if (b == NULL)
        job(context);
    else
        submit(b, &b->jobs, &(struct request){.job = job, .context = context});
}

void batcher_step(struct batcher *b, struct decoder *decoder, uint32_t token) {
    submit(b, &b->steps, &(struct request){.decoder = decoder, .token = token});
}

int batcher_create(struct batcher **out, const struct weights *weights, size_t threads,
                   struct error *error) {
    struct weights shared = *weights;
    struct batcher *b = memory_allocate(1, sizeof *b, error);
    *out = NULL;
    if (b == NULL)
        return -1;
    shared.batcher = b; /* any layer's adapters may come */
    pthread_mutex_init(&b->lock, NULL);
    deadline_condition(&b->arrived);
    if (machine_create(&b->machine, &shared, threads, DECODER_CONTEXT, error) ||
        machine_prepare_wide(b->machine, SHARED_CHUNK, error)) {
        batcher_destroy(b);
        return -1;
    }
    b->has_thread = pthread_create(&b->thread, NULL, serve, b) == 0;
    if (!b->has_thread) {
        batcher_destroy(b);
        return error_set(error, "the system gives no thread to decode on");
    }
    *out = b;
    return 0;
}

void batcher_destroy(struct batcher *b) {
    if (b == NULL)
        return;
    pthread_mutex_lock(&b->lock);
    b->stops = 1;
    pthread_cond_signal(&b->arrived);
    pthread_mutex_unlock(&b->lock);
    if (b->has_thread)
        pthread_join(b->thread, NULL);
    machine_destroy(b->machine);
    pthread_cond_destroy(&b->arrived);
    pthread_mutex_destroy(&b->lock);
    memory_free(b);
}

struct decoder_machine *batcher_machine(struct batcher *b) {
    return b->machine;
}

void batcher_count(struct batcher *b, struct batcher_counts *counts) {
    pthread_mutex_lock(&b->lock);
    *counts = b->counts;
    pthread_mutex_unlock(&b->lock);
}

/* What is asked of the list of texts, which the batcher's thread alone touches. */
struct listing {
    struct batcher *batcher;
    struct decoder *decoder;
    const uint32_t *tokens;
    size_t count, adopted;
};

static void join(void *context) {
    struct listing *l = context;
    l->decoder->next = l->batcher->decoders;
    l->batcher->decoders = l->decoder;
}

static void leave(void *context) {
    struct listing *l = context;
    struct decoder **at = &l->batcher->decoders;
    while (*at != NULL && *at != l->decoder)
        at = &(*at)->next;
    if (*at != NULL)
        *at = l->decoder->next;
}

void batcher_join(struct batcher *b, struct decoder *decoder) {
    batcher_alone(b, join, &(struct listing){.batcher = b, .decoder = decoder});
}

void batcher_leave(struct batcher *b, struct decoder *decoder) {
    batcher_alone(b, leave, &(struct listing){.batcher = b, .decoder = decoder});
}

static void adopt(void *context) {
    struct listing *l = context;
    struct decoder *best = NULL;
    for (struct decoder *d = l->batcher->decoders; d != NULL; d = d->next) {
        size_t common = decoder_common_prefix(l->decoder, d, l->tokens, l->count);
        /* Its own text need not be copied. */
        if (common > l->adopted || (common == l->adopted && d == l->decoder)) {
            l->adopted = common;
            best = d;
        }
    }
    decoder_take_prefix(l->decoder, best, l->adopted);
}

size_t batcher_adopt(struct batcher *b, struct decoder *decoder, const uint32_t *tokens,
                     size_t count) {
    struct listing listing = {.batcher = b, .decoder = decoder, .tokens = tokens, .count = count};
    batcher_alone(b, adopt, &listing);
    pthread_mutex_lock(&b->lock);
    b->counts.reused += listing.adopted;
    b->counts.read += count - listing.adopted;
    pthread_mutex_unlock(&b->lock);
    return listing.adopted;
}
