/* Checkpoints as files and as networks: what is refused, that decoding gives what a pass gives, in
 * any chunks, and that what stands on a base starts as the base. */
#include "model/checkpoint.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "cmocka_all.h"
#include "model/decoder.h"
#include "model/tiny_checkpoint.h"

enum { TIME = 48 };

/* What stands on a base: random, or at its start (adapters and injections that do nothing). */
struct standing {
    struct checkpoint *base;
    struct config config;
    struct layout layout;
    struct weights weights;
    real *values, *ngrams;
    int32_t tokens[TIME];
};

static void stand_on(struct standing *s, const struct tiny_options *options, int has_slots,
                     int is_start) {
    struct error error;
    struct random random;
    struct tensor_place tensors[MAXIMUM_TENSORS];
    size_t count;
    memset(s, 0, sizeof *s);
    s->base = tiny_open(options);
    s->config = s->base->config;
    if (has_slots) {
        s->config.latent_width = 4;
        s->config.ngram_orders = 2;
        s->config.ngram_rows = 16;
        s->config.slot_parameters = 3;
        s->config.adapter_rank = 3;
        s->config.adapter_first = 1;
        s->config.adapter_targets = 15;
        s->config.adapter_scale = 0.7;
    }
    assert_int_equal(config_check(&s->config, &error), 0);
    layout_make(&s->layout, &s->config, tensors, &count);
    s->values = memory_allocate(s->layout.count, sizeof(real), &error);
    s->ngrams = memory_allocate(config_ngram_count(&s->config), sizeof(real), &error);
    assert_true(s->values != NULL && s->ngrams != NULL);
    random_seed(&random, 5, 5);
    for (size_t i = 0; i < count; i++) {
        int does_nothing =
            strstr(tensors[i].name, "lora_b") != NULL || strstr(tensors[i].name, "latent") != NULL;
        size_t size = (tensors[i].rows > 0 ? tensors[i].rows : 1) * tensors[i].columns;
        for (size_t j = 0; j < size && !(is_start && does_nothing); j++)
            s->values[tensors[i].offset + j] = (real)(0.2 * random_normal(&random));
    }
    random_seed(&random, 6, 6);
    for (size_t t = 0; t < TIME; t++)
        s->tokens[t] = (int32_t)random_below(&random, s->config.vocabulary);
    s->weights = (struct weights){.config = &s->config,
                                  .layout = &s->layout,
                                  .precision = PRECISION_REAL,
                                  .values = s->values,
                                  .operands = s->values,
                                  .ngrams = s->ngrams,
                                  .base = s->base};
}

static void step_down(struct standing *s) {
    memory_free(s->values);
    memory_free(s->ngrams);
    checkpoint_close(s->base);
}

/* logits[TIME,V] of a pass. */
static real *pass_logits(const struct standing *s) {
    struct error error;
    struct pass *pass;
    size_t vocabulary = s->config.vocabulary;
    real *logits = memory_allocate(TIME * vocabulary, sizeof *logits, &error);
    assert_int_equal(pass_create(&pass, &s->weights, 1, TIME, 0, &error), 0);
    pass_read(pass, s->tokens, &(struct pass_handle){0});
    pass_write(pass, &(struct pass_handle){0}, NULL, NULL);
    matmul_linear(pass_matmul(pass), logits, 0, pass_output(pass),
                  checkpoint_head(s->base, PRECISION_REAL, &error), TIME, (int)s->config.width,
                  (int)vocabulary);
    pass_destroy(pass);
    return logits;
}

struct comparison {
    const real *expected;
    size_t vocabulary, first;
    double squares, errors;
};

static void compare_row(void *context, size_t token, const real *logits) {
    struct comparison *c = context;
    for (size_t v = 0; v < c->vocabulary; v++) {
        double wanted = (double)c->expected[(c->first + token) * c->vocabulary + v];
        c->squares += wanted * wanted;
        c->errors += ((double)logits[v] - wanted) * ((double)logits[v] - wanted);
    }
}

/* The relative error of decoding in chunks of so many tokens. */
static double decoding_error(const struct standing *s, const real *expected, size_t chunk) {
    struct error error;
    struct decoder *decoder;
    struct decoder_options options = {.context = TIME, .threads = 2};
    struct comparison c = {.expected = expected, .vocabulary = s->config.vocabulary};
    assert_int_equal(decoder_create(&decoder, &s->weights, &options, &error), 0);
    for (; c.first < TIME; c.first += chunk) {
        size_t count = TIME - c.first < chunk ? TIME - c.first : chunk;
        uint32_t tokens[TIME];
        for (size_t i = 0; i < count; i++)
            tokens[i] = (uint32_t)s->tokens[c.first + i];
        assert_int_equal(decoder_prompt_visit(decoder, tokens, count, compare_row, &c, &error), 0);
    }
    decoder_destroy(decoder);
    return sqrt(c.errors / c.squares);
}

static void check_decoding(struct tiny_options options, int has_slots, double bound) {
    struct standing s;
    stand_on(&s, &options, has_slots, 0);
    real *expected = pass_logits(&s);
    static const size_t CHUNKS[] = {1, 3, 8, 30, TIME};
    for (size_t i = 0; i < sizeof CHUNKS / sizeof *CHUNKS; i++) {
        double error = decoding_error(&s, expected, CHUNKS[i]);
        if (!(error < bound))
            fail_msg("%s of %s, chunks of %zu: relative error %g", options.architecture,
                     tensor_type_name(options.type), CHUNKS[i], error);
    }
    memory_free(expected);
    step_down(&s);
}

/* The cache keeps halves; blocks of 8 bits meet activations of 8 bits. */
static void test_decoding_equals_a_pass(void **state) {
    (void)state;
    struct tiny_options plain = {.architecture = "llama", .type = TENSOR_F32};
    check_decoding(plain, 0, 2e-3);
    check_decoding(plain, 1, 2e-3);
    plain.architecture = "qwen2";
    plain.is_untied = 1;
    check_decoding(plain, 1, 2e-3);
    plain.scaling = "linear";
    check_decoding(plain, 0, 2e-3);
    plain.scaling = "yarn";
    check_decoding(plain, 0, 2e-3);
    struct tiny_options blocks = {
        .architecture = "llama", .type = TENSOR_Q8_0, .width = 64, .inner = 96};
    check_decoding(blocks, 1, 6e-2);
    blocks.type = TENSOR_Q4_1;
    check_decoding(blocks, 0, 6e-2);
    blocks.type = TENSOR_BF16;
    check_decoding(blocks, 1, 2e-3);
    blocks.type = TENSOR_F16;
    check_decoding(blocks, 0, 2e-3);
}

static void test_starts_as_the_base(void **state) {
    (void)state;
    struct tiny_options options = {
        .architecture = "llama", .type = TENSOR_Q8_0, .width = 64, .inner = 96};
    struct standing plain, start;
    stand_on(&plain, &options, 0, 0);
    stand_on(&start, &options, 1, 1);
    real *a = pass_logits(&plain), *b = pass_logits(&start);
    assert_memory_equal(a, b, TIME * plain.config.vocabulary * sizeof *a);
    struct error error;
    struct decoder *one, *two;
    assert_int_equal(decoder_create(&one, &plain.weights, NULL, &error), 0);
    assert_int_equal(decoder_create(&two, &start.weights, NULL, &error), 0);
    for (size_t t = 0; t < 4; t++)
        assert_memory_equal(decoder_step(one, (uint32_t)plain.tokens[t]),
                            decoder_step(two, (uint32_t)plain.tokens[t]),
                            plain.config.vocabulary * sizeof *a);
    decoder_destroy(one);
    decoder_destroy(two);
    memory_free(a);
    memory_free(b);
    step_down(&plain);
    step_down(&start);
}

/* A stretched model turns more slowly. */
static void test_divisors(void **state) {
    (void)state;
    double divisors[32];
    rope_divisors_llama3(divisors, 64, 500000, 8, 8192, 1, 4);
    assert_true(divisors[0] == 1 && divisors[31] == 8);
    for (int i = 1; i < 32; i++)
        assert_true(divisors[i] >= divisors[i - 1]);
    rope_divisors_yarn(divisors, 64, 10000, 4, 2048, 32, 1);
    assert_true(divisors[0] == 1 && fabs(divisors[31] - 4) < 1e-9);
    struct tiny_options options = {
        .architecture = "llama", .type = TENSOR_F32, .scaling = "linear"};
    struct checkpoint *base = tiny_open(&options);
    assert_true(base->rope_divisors[1] == 4 && base->rope_magnitude == 1);
    checkpoint_close(base);
    options.scaling = "yarn";
    base = tiny_open(&options);
    assert_true(fabs(base->rope_magnitude - (1 + 0.1 * log(4))) < 1e-6);
    checkpoint_close(base);
}

static void expect_refusal(const char *path, const char *what) {
    struct error error;
    struct checkpoint *checkpoint;
    assert_int_equal(checkpoint_open(&checkpoint, NULL, path, &error), -1);
    assert_null(checkpoint);
    if (strstr(error.message, what) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error.message, what);
}

/* Changes the first occurrence of a text in a file to another of the same length. */
static void replace(const char *path, const char *from, const char *to) {
    static char data[1 << 20];
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    size_t bytes = fread(data, 1, sizeof data, file);
    char *at = memmem(data, bytes, from, strlen(from));
    assert_non_null(at);
    fseek(file, at - data, SEEK_SET);
    fwrite(to, 1, strlen(to), file);
    fclose(file);
}

static void test_refusals(void **state) {
    (void)state;
    char path[64];
    struct tiny_options options = {.architecture = "llama", .type = TENSOR_F32};
    snprintf(path, sizeof path, "/tmp/trine-refused-%ld.gguf", (long)getpid());
    expect_refusal("/nowhere/at/all.gguf", "/nowhere/at/all.gguf");
    tiny_write(path, &options);
    replace(path, "blk.1.ffn_up.weight", "blk.1.ffn_xx.weight");
    expect_refusal(path, "has no tensor blk.1.ffn_up.weight");
    tiny_write(path, &options);
    replace(path, "llama.feed_forward_length", "llama.feed_forward_lxngth");
    expect_refusal(path, "has no key llama.feed_forward_length");
    options.architecture = "gemma";
    tiny_write(path, &options);
    expect_refusal(path, "architecture gemma; llama and qwen2");
    options.architecture = "llama";
    options.scaling = "longr";
    tiny_write(path, &options);
    expect_refusal(path, "\"longr\"; none, linear and yarn");
    options.scaling = NULL;
    options.blocks = 4;
    tiny_write(path, &options);
    assert_int_equal(truncate(path, 3000), 0);
    expect_refusal(path, path);
    unlink(path);
    expect_refusal("/tmp/model.safetensors", "name the directory");
    expect_refusal("/tmp", "config.json");
}

/* A directory with nothing but a config.json whose rope_scaling is this. */
static void expect_scaling_refused(const char *scaling, const char *what) {
    char directory[] = "/tmp/trine-scaling-XXXXXX", path[64];
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/config.json", directory);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file,
            "{\"model_type\": \"llama\", \"hidden_act\": \"silu\", \"hidden_size\": 64, "
            "\"num_hidden_layers\": 2, \"num_attention_heads\": 2, \"num_key_value_heads\": 1, "
            "\"intermediate_size\": 96, \"vocab_size\": 300, \"max_position_embeddings\": 128, "
            "\"rms_norm_eps\": 1e-5, \"rope_scaling\": %s}",
            scaling);
    fclose(file);
    expect_refusal(directory, what);
    unlink(path);
    rmdir(directory);
}

static void test_refused_scaling(void **state) {
    (void)state;
    expect_scaling_refused("{\"rope_type\": \"linear\", \"factor\": 0}",
                           "rope_scaling makes no sense");
    expect_scaling_refused("{\"rope_type\": \"linear\", \"factor\": 1e300}",
                           "rope_scaling makes no sense");
    expect_scaling_refused("{\"type\": \"dynamic\", \"factor\": 2}", "linear, llama3 and yarn");
    expect_scaling_refused("{\"type\": \"yarn\", \"factor\": 2, \"attention_factor\": 1e300}",
                           "attention_factor makes no sense");
    expect_scaling_refused("{\"type\": \"yarn\", \"factor\": 2, \"attention_factor\": 0}",
                           "attention_factor makes no sense");
    expect_scaling_refused("{\"type\": \"yarn\", \"factor\": 2}", ""); /* only the rest lacks */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused_scaling),    cmocka_unit_test(test_decoding_equals_a_pass),
        cmocka_unit_test(test_starts_as_the_base), cmocka_unit_test(test_divisors),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
