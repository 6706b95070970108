/* What a step of names adds to the gradient, against finite differences of what it is to learn: the
 * spelling, and the label by the later half of each name (double precision in the F64 build). Names
 * move neither labels' points nor spreads. */
#include "train/trainer_names.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "cmocka_all.h"
#include "text/tokenizer_train.h"

enum { LABELS = 3, NAMES = 8, THREADS = 2, TIME = 24, TOKENS = 60, PIECE_TOKENS = 77 };

static const char *const LABEL_NAMES[LABELS] = {"Ann Lee", "Bob M. Poe", "Cyd Ray"};

struct fixture {
    uint32_t tokens[TOKENS];
    struct dataset_document document;
    struct sampler_document text;
    struct dataset dataset;
    struct model *model;
    struct trainer *trainer;
    struct pass *pass; /* one name */
};

static struct model *make_model(void) {
    static const double COUNTS[LABELS] = {1, 1, 1};
    struct error error;
    struct slots slots = {0};
    struct tokenizer_trainer *trainer;
    struct tokenizer *tokenizer;
    struct model *model;
    struct random random;
    assert_int_equal(tokenizer_trainer_create(&trainer, &error), 0);
    assert_int_equal(tokenizer_trainer_finish(trainer, 258, &tokenizer, &error), 0);
    tokenizer_trainer_destroy(trainer);
    assert_int_equal(slots_add_date(&slots, "date", 2, 1800, 1900, &error), 0);
    assert_int_equal(
        slots_add_categorical(&slots, "author", 4, LABEL_NAMES, COUNTS, LABELS, &error), 0);
    struct config config = {.vocabulary = tokenizer_vocabulary_size(tokenizer),
                            .width = 12,
                            .blocks = 2,
                            .split = 1,
                            .heads = 2,
                            .key_value_heads = 1,
                            .head_width = 4,
                            .inner = 10,
                            .context = TIME,
                            .ngram_orders = 2,
                            .ngram_rows = 64,
                            .rope_base = 10000,
                            .epsilon = 1e-5};
    assert_int_equal(model_create(&model, config, &slots, tokenizer, PRECISION_REAL, 7, &error), 0);
    random_seed(&random, 3, 0);
    for (size_t i = 0; i < model->layout.count; i++) /* some start at zero */
        model->values[i] += (real)(0.2 * random_normal(&random));
    for (size_t i = 0; i < config_ngram_count(&model->config); i++)
        model->ngrams[i] = (real)(0.2 * random_normal(&random));
    return model;
}

static void start(struct fixture *f, size_t evidence_steps) {
    struct error error;
    struct train_options options = train_options_default();
    const struct piece *pieces;
    memset(f, 0, sizeof *f);
    for (size_t i = 0; i < TOKENS; i++)
        f->tokens[i] = (uint32_t)(2 + i);
    f->text = (struct sampler_document){f->tokens, TOKENS};
    f->document = (struct dataset_document){.name = "d", .text = f->text};
    f->dataset = (struct dataset){&f->document, &f->text, 1, TOKENS};
    f->model = make_model();
    options.steps = 10;
    options.batch = THREADS;
    options.time = TIME;
    options.threads = THREADS;
    options.evidence_gradient = 1; /* else it is a part of the gradient */
    options.evidence_steps = evidence_steps;
    options.score_weight = 0.3;
    options.names.count = NAMES;
    assert_int_equal(trainer_create(&f->trainer, f->model, &f->dataset, &options, &error), 0);
    assert_int_equal(piece_mixture_pieces(&f->trainer->pieces, 0, &pieces, &error), 0);
    assert_int_equal(name_lessons_prepare(f->trainer->names, 0, pieces, &error), 0);
    struct weights weights = model_weights(f->model);
    assert_int_equal(pass_create(&f->pass, &weights, 1, TIME, 0, &error), 0);
}

static void finish(struct fixture *f) {
    pass_destroy(f->pass);
    trainer_destroy(f->trainer);
    model_destroy(f->model);
}

/* Of one name, told what the trainer told it; labels stay where they are. */
static double objective_of(struct fixture *f, size_t index, int is_written) {
    const struct trainer *t = f->trainer;
    const struct slot *slot = &f->model->slots.slots[1];
    size_t width = f->model->config.latent_width, share = NAMES / THREADS;
    const struct name_worker *n = &t->workers[index / share].names;
    const int32_t *tokens, *targets;
    const struct name_lesson *lesson = name_lessons_row(t->names, index, &tokens, &targets);
    struct pass_handle handle = {.told = n->told + index % share * width,
                                 .told_mask = n->told_mask + index % share * width};
    real losses[TIME];
    double log_odds[LABELS], written = 0, nats = 0;
    size_t later = (lesson->last - lesson->first) / 2 + 1; /* positions that are scored */
    assert_true(lesson->last > lesson->first);
    pass_read(f->pass, tokens, &handle);
    pass_write(f->pass, &handle, targets, losses);
    for (size_t i = 0; i < TIME; i++)
        written += targets[i] >= 0 ? (double)losses[i] : 0;
    for (size_t i = lesson->last + 1 - later; i <= lesson->last; i++) {
        size_t at = i * width + slot->first;
        slot_posterior(slot, t->states[1].points, t->states[1].sigma, pass_mean(f->pass) + at,
                       pass_precision(f->pass) + at, 0, log_odds);
        nats -= log_odds[lesson->label] / (double)later;
    }
    return t->options.score_weight * nats / (double)t->options.batch +
           (is_written ? NAME_WRITTEN_WEIGHT * written / PIECE_TOKENS : 0);
}

static double numeric(struct fixture *f, real *value, int is_written) {
    double step = sizeof(real) == 8 ? 1e-5 : 1e-2, sum[2] = {0};
    real kept = *value;
    for (int side = 0; side < 2; side++) {
        *value = (real)((double)kept + (side == 0 ? step : -step));
        for (size_t i = 0; i < NAMES; i++)
            sum[side] += objective_of(f, i, is_written);
    }
    *value = kept;
    return (sum[0] - sum[1]) / (2 * step);
}

static void expect_close(double analytic, double expected, const char *what, size_t index) {
    double tolerance = sizeof(real) == 8 ? 2e-7 : 3e-2;
    if (fabs(analytic - expected) > tolerance * (1 + fabs(expected)))
        fail_msg("%s[%zu]: backward gives %g, differences %g", what, index, analytic, expected);
}

/* gradient[ngrams] <- of the names' rows, which lie behind those of the pieces. */
static void ngram_gradient(const struct fixture *f, double *gradient) {
    const struct config *c = &f->model->config;
    size_t first = f->trainer->options.batch * TIME, width = c->latent_width;
    for (size_t r = first; r < first + trainer_names_rows(f->trainer); r++)
        for (size_t order = 0; order < c->ngram_orders; order++) {
            uint32_t row = f->trainer->ngram_rows[r * c->ngram_orders + order];
            for (size_t d = 0; d < width && row != NO_NGRAM; d++)
                gradient[row * width + d] += (double)f->trainer->dinformation[r * width + d];
        }
}

static void check(size_t evidence_steps) {
    struct fixture f;
    struct error error;
    struct tensor_place tensors[MAXIMUM_TENSORS];
    struct layout layout;
    size_t count;
    start(&f, evidence_steps);
    struct trainer *t = f.trainer;
    size_t ngrams = config_ngram_count(&f.model->config);
#pragma omp parallel num_threads(THREADS)
    {
        size_t id = (size_t)omp_get_thread_num();
        trainer_names_run(t, &t->workers[id], id, PIECE_TOKENS);
    }
    real *gradient = t->workers[0].gradient, *other = t->workers[1].gradient;
    for (size_t i = 0; i < f.model->layout.count; i++)
        gradient[i] += other[i];
    layout_make(&layout, &f.model->config, tensors, &count);
    for (size_t i = 0; i < count; i++) {
        size_t size = (tensors[i].rows > 0 ? tensors[i].rows : 1) * tensors[i].columns;
        for (size_t j = 0; j < size && tensors[i].offset < layout.slots; j += size / 23 + 1)
            expect_close((double)gradient[tensors[i].offset + j],
                         numeric(&f, &f.model->values[tensors[i].offset + j], evidence_steps == 0),
                         tensors[i].name, j);
    }
    for (size_t i = layout.slots; i < layout.count; i++)
        assert_true(gradient[i] == 0);
    for (size_t s = 0; s < f.model->slots.count; s++)
        for (size_t i = 0; i < f.model->slots.slots[s].width; i++)
            assert_true(t->workers[0].slots[s].dlog_sigma[i] == 0);
    double *expected = memory_allocate(ngrams, sizeof *expected, &error);
    ngram_gradient(&f, expected);
    for (size_t i = 0; i < ngrams; i += 7)
        expect_close(expected[i], numeric(&f, &f.model->ngrams[i], evidence_steps == 0), "ngrams",
                     i);
    memory_free(expected);
    finish(&f);
}

static void test_gradient(void **state) {
    (void)state;
    check(0);
}

/* While the evidence alone is trained nothing is written. */
static void test_gradient_of_evidence(void **state) {
    (void)state;
    check(1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradient),
        cmocka_unit_test(test_gradient_of_evidence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
