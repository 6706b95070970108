#include "math/matmul.h"

#include <cpuid.h>
#include <omp.h>
#include <string.h>

#include <oneapi/dnnl/dnnl.h>

#include "base/memory.h"
#include "base/shared_library.h"

/* oneDNN is large, and decoding a few tokens at a time does without it. */
#define FUNCTIONS(F)                                                                               \
    F(engine_create)                                                                               \
    F(stream_create)                                                                               \
    F(memory_destroy)                                                                              \
    F(primitive_destroy)                                                                           \
    F(stream_destroy)                                                                              \
    F(engine_destroy)                                                                              \
    F(memory_desc_init_by_strides)                                                                 \
    F(matmul_desc_init)                                                                            \
    F(primitive_attr_create)                                                                       \
    F(primitive_attr_set_scratchpad_mode)                                                          \
    F(post_ops_create)                                                                             \
    F(post_ops_append_sum)                                                                         \
    F(primitive_attr_set_post_ops)                                                                 \
    F(primitive_desc_create)                                                                       \
    F(post_ops_destroy)                                                                            \
    F(primitive_attr_destroy)                                                                      \
    F(memory_create)                                                                               \
    F(primitive_desc_query_md)                                                                     \
    F(memory_desc_get_size)                                                                        \
    F(primitive_create)                                                                            \
    F(primitive_desc_destroy)                                                                      \
    F(memory_set_data_handle)                                                                      \
    F(primitive_execute)
#define POINTER(name) __typeof__(dnnl_##name) *name;
#define NAME(name) "dnnl_" #name,
static const char *const NAMES[] = {FUNCTIONS(NAME)};
static struct { FUNCTIONS(POINTER) } dnnl;

#define TEXT_OF(number) #number
#define LIBRARY(major) "libdnnl.so." TEXT_OF(major)

enum { TABLE_SIZE = 256, TABLE_LIMIT = 192 };

/* One shape's primitive and the memory objects whose data pointers change from call to call. */
struct entry {
    struct matmul_shape shape;
    int is_used;
    dnnl_primitive_t primitive; /* NULL: oneDNN refused, run the plain loops */
    dnnl_memory_t a, b, c, scratchpad;
};

struct matmul {
    enum precision precision;
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    size_t entry_count;
    void *scratch;
    size_t scratch_bytes;
    struct entry entries[TABLE_SIZE];
};

int matmul_has_bf16(void) {
    return __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bf16");
}

/* Intel's cores without AMX multiply bf16 at half the rate of f32 (doc/speed.md), AMD's faster. */
enum precision matmul_fast_precision(void) {
    enum { FEATURES_LEAF = 7, AMX_BF16 = 1u << 22 };
    unsigned a, b, c, d;
    int has_amx = __get_cpuid_count(FEATURES_LEAF, 0, &a, &b, &c, &d) && (d & AMX_BF16) != 0;
    int is_slow = __builtin_cpu_is("intel") && !has_amx;
    return matmul_has_bf16() && !is_slow ? PRECISION_BF16 : PRECISION_REAL;
}

static int load_library(struct error *error) {
    static int is_loaded;
    int result = 0;
#pragma omp critical(matmul_load_library)
    {
        if (!is_loaded)
            result = shared_library_load(&dnnl, NAMES, sizeof NAMES / sizeof *NAMES,
                                         LIBRARY(DNNL_VERSION_MAJOR), error);
        is_loaded = result == 0;
    }
    return result;
}

int matmul_create(struct matmul **out, enum precision precision, struct error *error) {
    *out = NULL;
    struct matmul *matmul =
        load_library(error) == 0 ? memory_allocate(1, sizeof *matmul, error) : NULL;
    if (matmul == NULL)
        return -1;
    matmul->precision = precision;
    if (dnnl.engine_create(&matmul->engine, dnnl_cpu, 0) != dnnl_success ||
        dnnl.stream_create(&matmul->stream, matmul->engine, dnnl_stream_default_flags) !=
            dnnl_success) {
        matmul_destroy(matmul);
        return error_set(error, "oneDNN could not make a CPU engine");
    }
    *out = matmul;
    return 0;
}

static void entry_clear(struct entry *entry) {
    dnnl_memory_t memories[] = {entry->a, entry->b, entry->c, entry->scratchpad};
    for (size_t i = 0; i < sizeof memories / sizeof *memories; i++)
        if (memories[i] != NULL)
            dnnl.memory_destroy(memories[i]);
    if (entry->primitive != NULL)
        dnnl.primitive_destroy(entry->primitive);
    memset(entry, 0, sizeof *entry);
}

void matmul_destroy(struct matmul *matmul) {
    if (matmul == NULL)
        return;
    for (size_t i = 0; i < TABLE_SIZE; i++)
        entry_clear(&matmul->entries[i]);
    if (matmul->stream != NULL)
        dnnl.stream_destroy(matmul->stream);
    if (matmul->engine != NULL)
        dnnl.engine_destroy(matmul->engine);
    memory_free(matmul->scratch);
    memory_free(matmul);
}

enum precision matmul_precision(const struct matmul *matmul) {
    return matmul->precision;
}

#ifndef TRINE_F64
static int describe(dnnl_memory_desc_t *descriptor, int rows, int columns, int stride,
                    int is_transposed, dnnl_data_type_t type) {
    dnnl_dims_t dims = {rows, columns};
    dnnl_dims_t strides = {is_transposed ? 1 : stride, is_transposed ? stride : 1};
    return dnnl.memory_desc_init_by_strides(descriptor, 2, dims, type, strides) == dnnl_success;
}

static int describe_primitive(const struct matmul *matmul, const struct matmul_shape *shape,
                              dnnl_primitive_desc_t *out) {
    dnnl_data_type_t operand = matmul->precision == PRECISION_BF16 ? dnnl_bf16 : dnnl_f32;
    dnnl_memory_desc_t a, b, c;
    dnnl_matmul_desc_t descriptor;
    if (!describe(&a, shape->m, shape->k, shape->a_stride, shape->a_transposed, operand) ||
        !describe(&b, shape->k, shape->n, shape->b_stride, shape->b_transposed, operand) ||
        !describe(&c, shape->m, shape->n, shape->c_stride, 0,
                  shape->c_is_operand ? operand : dnnl_f32) ||
        dnnl.matmul_desc_init(&descriptor, &a, &b, NULL, &c) != dnnl_success)
        return 0;
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_post_ops_t post_ops = NULL;
    int is_fine = dnnl.primitive_attr_create(&attributes) == dnnl_success &&
                  dnnl.primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user) ==
                      dnnl_success &&
                  dnnl.post_ops_create(&post_ops) == dnnl_success;
    if (is_fine && shape->accumulate)
        is_fine = dnnl.post_ops_append_sum(post_ops, 1) == dnnl_success &&
                  dnnl.primitive_attr_set_post_ops(attributes, post_ops) == dnnl_success;
    if (is_fine)
        is_fine = dnnl.primitive_desc_create(out, &descriptor, attributes, matmul->engine, NULL) ==
                  dnnl_success;
    if (post_ops != NULL)
        dnnl.post_ops_destroy(post_ops);
    if (attributes != NULL)
        dnnl.primitive_attr_destroy(attributes);
    return is_fine;
}

static int memory_of(const struct matmul *matmul, const_dnnl_primitive_desc_t description,
                     dnnl_query_t what, dnnl_memory_t *out) {
    return dnnl.memory_create(out, dnnl.primitive_desc_query_md(description, what, 0),
                              matmul->engine, DNNL_MEMORY_NONE) == dnnl_success;
}

static int reserve_scratch(struct matmul *matmul, size_t bytes) {
    struct error ignored;
    if (bytes <= matmul->scratch_bytes)
        return 1;
    memory_free(matmul->scratch);
    matmul->scratch = memory_allocate(bytes, 1, &ignored);
    matmul->scratch_bytes = matmul->scratch != NULL ? bytes : 0;
    return matmul->scratch != NULL;
}

/* Leaves entry->primitive NULL when anything is refused. */
static void entry_prepare(struct matmul *matmul, struct entry *entry) {
    dnnl_primitive_desc_t description = NULL;
    if (!describe_primitive(matmul, &entry->shape, &description))
        return;
    const dnnl_memory_desc_t *scratch =
        dnnl.primitive_desc_query_md(description, dnnl_query_scratchpad_md, 0);
    if (!memory_of(matmul, description, dnnl_query_src_md, &entry->a) ||
        !memory_of(matmul, description, dnnl_query_weights_md, &entry->b) ||
        !memory_of(matmul, description, dnnl_query_dst_md, &entry->c) ||
        !memory_of(matmul, description, dnnl_query_scratchpad_md, &entry->scratchpad) ||
        !reserve_scratch(matmul, dnnl.memory_desc_get_size(scratch)) ||
        dnnl.primitive_create(&entry->primitive, description) != dnnl_success)
        entry->primitive = NULL;
    dnnl.primitive_desc_destroy(description);
}
#endif

static struct entry *entry_find(struct matmul *matmul, const struct matmul_shape *shape) {
    uint64_t hash = 0xcbf29ce484222325u;
    const int *words = (const int *)shape;
    for (size_t i = 0; i < sizeof *shape / sizeof *words; i++)
        hash = (hash ^ (uint64_t)words[i]) * 0x9e3779b97f4a7c15u;
    if (matmul->entry_count >= TABLE_LIMIT) { /* very many shapes: start afresh */
        for (size_t i = 0; i < TABLE_SIZE; i++)
            entry_clear(&matmul->entries[i]);
        matmul->entry_count = 0;
    }
    for (size_t i = hash >> 32;; i++) {
        struct entry *entry = &matmul->entries[i % TABLE_SIZE];
        if (entry->is_used && memcmp(&entry->shape, shape, sizeof *shape) == 0)
            return entry;
        if (entry->is_used)
            continue;
        entry->shape = *shape;
        entry->is_used = 1;
        matmul->entry_count++;
#ifndef TRINE_F64
        entry_prepare(matmul, entry);
#endif
        return entry;
    }
}

/* oneDNN takes every thread it may when it is not inside a team of several. */
static void run_on_this_thread(struct matmul *matmul, const struct matmul_shape *shape, void *c,
                               const void *a, const void *b) {
    struct entry *entry = entry_find(matmul, shape);
    if (entry->primitive == NULL) {
        matmul_reference(shape, matmul->precision, c, a, b);
        return;
    }
    dnnl.memory_set_data_handle(entry->a, (void *)(uintptr_t)a);
    dnnl.memory_set_data_handle(entry->b, (void *)(uintptr_t)b);
    dnnl.memory_set_data_handle(entry->c, c);
    dnnl.memory_set_data_handle(entry->scratchpad, matmul->scratch);
    dnnl_exec_arg_t arguments[] = {{DNNL_ARG_SRC, entry->a},
                                   {DNNL_ARG_WEIGHTS, entry->b},
                                   {DNNL_ARG_DST, entry->c},
                                   {DNNL_ARG_SCRATCHPAD, entry->scratchpad}};
    if (dnnl.primitive_execute(entry->primitive, matmul->stream, 4, arguments) != dnnl_success)
        matmul_reference(shape, matmul->precision, c, a, b);
}

static double element(const void *base, size_t index, enum precision precision) {
    real value;
    operand_load(&value, operand_at(base, index, precision), 1, precision);
    return (double)value;
}

void matmul_run(struct matmul *matmul, const struct matmul_shape *shape, void *c, const void *a,
                const void *b) {
    int threads = omp_get_max_threads();
    omp_set_num_threads(1);
    run_on_this_thread(matmul, shape, c, a, b);
    omp_set_num_threads(threads);
}

void matmul_reference(const struct matmul_shape *s, enum precision precision, void *c,
                      const void *a, const void *b) {
    size_t a_stride = (size_t)s->a_stride, b_stride = (size_t)s->b_stride;
    for (size_t i = 0; i < (size_t)s->m; i++)
        for (size_t j = 0; j < (size_t)s->n; j++) {
            double sum = 0;
            for (size_t p = 0; p < (size_t)s->k; p++)
                sum +=
                    element(a, s->a_transposed ? p * a_stride + i : i * a_stride + p, precision) *
                    element(b, s->b_transposed ? j * b_stride + p : p * b_stride + j, precision);
            size_t at = i * (size_t)s->c_stride + j;
            real value = (real)(s->accumulate ? (double)((real *)c)[at] + sum : sum);
            if (s->c_is_operand)
                operand_store(operand_at(c, at, precision), &value, 1, precision);
            else
                ((real *)c)[at] = value;
        }
}

void matmul_linear(struct matmul *matmul, void *y, int y_is_operand, const void *x,
                   const void *weight, int rows, int in, int out) {
    struct matmul_shape shape = {.m = rows,
                                 .n = out,
                                 .k = in,
                                 .a_stride = in,
                                 .b_stride = in,
                                 .c_stride = out,
                                 .b_transposed = 1,
                                 .c_is_operand = y_is_operand};
    matmul_run(matmul, &shape, y, x, weight);
}

void matmul_linear_input_gradient(struct matmul *matmul, real *dx, int accumulate, const void *dy,
                                  const void *weight, int rows, int in, int out) {
    struct matmul_shape shape = {.m = rows,
                                 .n = in,
                                 .k = out,
                                 .a_stride = out,
                                 .b_stride = in,
                                 .c_stride = in,
                                 .accumulate = accumulate};
    matmul_run(matmul, &shape, dx, dy, weight);
}

void matmul_linear_weight_gradient(struct matmul *matmul, real *dweight, const void *dy,
                                   const void *x, int rows, int in, int out) {
    struct matmul_shape shape = {.m = out,
                                 .n = in,
                                 .k = rows,
                                 .a_stride = out,
                                 .b_stride = in,
                                 .c_stride = in,
                                 .a_transposed = 1,
                                 .accumulate = 1};
    matmul_run(matmul, &shape, dweight, dy, x);
}
