#include "math/quant.h"

#include <math.h>
#include <strings.h>

/* clang-format off */
static const struct format {
    const char *name;
    uint16_t block, bytes;
    uint8_t is_readable, is_writable;
} FORMATS[] = {
    [0] = {"F32", 1, 4, 1, 1},        [1] = {"F16", 1, 2, 1, 1},        [2] = {"Q4_0", 32, 18, 1, 1},
    [3] = {"Q4_1", 32, 20, 1, 1},     [6] = {"Q5_0", 32, 22, 1, 0},     [7] = {"Q5_1", 32, 24, 1, 0},
    [8] = {"Q8_0", 32, 34, 1, 1},     [9] = {"Q8_1", 32, 36, 0, 0},     [10] = {"Q2_K", 256, 84, 0, 0},
    [11] = {"Q3_K", 256, 110, 0, 0},  [12] = {"Q4_K", 256, 144, 1, 1},  [13] = {"Q5_K", 256, 176, 1, 0},
    [14] = {"Q6_K", 256, 210, 1, 0},  [15] = {"Q8_K", 256, 292, 0, 0},  [24] = {"I8", 1, 1, 0, 0},
    [25] = {"I16", 1, 2, 0, 0},       [26] = {"I32", 1, 4, 0, 0},       [27] = {"I64", 1, 8, 0, 0},
    [28] = {"F64", 1, 8, 0, 0},       [30] = {"BF16", 1, 2, 1, 1},
};
/* clang-format on */
enum { FORMAT_COUNT = sizeof FORMATS / sizeof *FORMATS };

/* The entry of an unknown number is all zeros. */
static const struct format *format_of(enum tensor_type type) {
    static const struct format unknown;
    unsigned number = (unsigned)type;
    return number < FORMAT_COUNT ? &FORMATS[number] : &unknown;
}

const char *tensor_type_name(enum tensor_type type) {
    const char *name = format_of(type)->name;
    return name != NULL ? name : "unknown";
}

size_t tensor_type_block(enum tensor_type type) {
    return format_of(type)->block;
}

size_t tensor_type_bytes(enum tensor_type type) {
    return format_of(type)->bytes;
}

int tensor_type_is_readable(enum tensor_type type) {
    return format_of(type)->is_readable;
}

int tensor_type_is_writable(enum tensor_type type) {
    return format_of(type)->is_writable;
}

int tensor_type_find(const char *name) {
    for (int i = 0; i < FORMAT_COUNT; i++)
        if (FORMATS[i].is_readable && strcasecmp(FORMATS[i].name, name) == 0)
            return i;
    return -1;
}

uint16_t float_to_half(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    uint32_t size = bits & 0x7fffffff;
    if (size > 0x7f800000)
        return (uint16_t)(sign | 0x7e00);
    if (size >= 0x47800000) /* 2^16 and more; what rounds up to it comes out below */
        return (uint16_t)(sign | 0x7c00);
    if (size < 0x38800000) { /* subnormal: in units of 2^-24, where adding 2^23 rounds */
        float scaled = fabsf(value) * 0x1p24f + 0x1p23f;
        memcpy(&bits, &scaled, sizeof bits);
        return (uint16_t)(sign | (bits & 0x7fff));
    }
    uint32_t rounded = size + 0xfff + (size >> 13 & 1);
    return (uint16_t)(sign | ((rounded - 0x38000000) >> 13));
}

uint16_t float_to_bfloat(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if ((bits & 0x7fffffff) > 0x7f800000)
        return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static float load_half(const uint8_t *at) {
    uint16_t half;
    memcpy(&half, at, sizeof half);
    return half_to_float(half);
}

static void store_half(uint8_t *at, float value) {
    uint16_t half = float_to_half(value);
    memcpy(at, &half, sizeof half);
}

/* One block each: out[block] <- the bytes at `in`. */

static void block_q4_0(float *restrict out, const uint8_t *restrict in) {
    float d = load_half(in);
    for (int i = 0; i < 16; i++) {
        out[i] = (float)((in[2 + i] & 15) - 8) * d;
        out[i + 16] = (float)((in[2 + i] >> 4) - 8) * d;
    }
}

static void block_q4_1(float *restrict out, const uint8_t *restrict in) {
    float d = load_half(in), m = load_half(in + 2);
    for (int i = 0; i < 16; i++) {
        out[i] = (float)(in[4 + i] & 15) * d + m;
        out[i + 16] = (float)(in[4 + i] >> 4) * d + m;
    }
}

/* The fifth bits of all 32 weights are one word. */
static void block_q5(float *restrict out, float d, float m, const uint8_t *restrict high,
                     const uint8_t *restrict low) {
    uint32_t bits;
    memcpy(&bits, high, sizeof bits);
    for (int i = 0; i < 16; i++) {
        out[i] = (float)((low[i] & 15) | (int)(bits >> i & 1) << 4) * d + m;
        out[i + 16] = (float)((low[i] >> 4) | (int)(bits >> (i + 16) & 1) << 4) * d + m;
    }
}

static void block_q5_0(float *restrict out, const uint8_t *restrict in) {
    float d = load_half(in);
    block_q5(out, d, -16 * d, in + 2, in + 6);
}

static void block_q5_1(float *restrict out, const uint8_t *restrict in) {
    block_q5(out, load_half(in), load_half(in + 2), in + 4, in + 8);
}

static void block_q8_0(float *restrict out, const uint8_t *restrict in) {
    float d = load_half(in);
    for (int i = 0; i < 32; i++)
        out[i] = (float)(int8_t)in[2 + i] * d;
}

/* Scale and minimum of group j (of 8), six bits each, packed into 12 bytes. */
static void group_scale(const uint8_t *scales, int j, int *scale, int *minimum) {
    if (j < 4) {
        *scale = scales[j] & 63;
        *minimum = scales[j + 4] & 63;
    } else {
        *scale = (scales[j + 4] & 15) | (scales[j - 4] >> 6) << 4;
        *minimum = (scales[j + 4] >> 4) | (scales[j] >> 6) << 4;
    }
}

/* Q4_K and Q5_K: 8 groups of 32; each 32 bytes of nibbles serve two groups; `high` (NULL: none)
 * holds a bit for every group of each of 32 columns. */
static void block_k(float *restrict out, const uint8_t *restrict in, const uint8_t *high,
                    const uint8_t *restrict low) {
    float d = load_half(in), dmin = load_half(in + 2);
    for (int j = 0; j < 8; j++) {
        int scale, minimum;
        group_scale(in + 4, j, &scale, &minimum);
        float step = d * (float)scale, start = dmin * (float)minimum;
        for (int l = 0; l < 32; l++) {
            int nibble = low[j / 2 * 32 + l] >> (j % 2 * 4) & 15;
            int bit = high != NULL ? high[l] >> j & 1 : 0;
            out[j * 32 + l] = step * (float)(nibble | bit << 4) - start;
        }
    }
}

static void block_q4_k(float *restrict out, const uint8_t *restrict in) {
    block_k(out, in, NULL, in + 16);
}

static void block_q5_k(float *restrict out, const uint8_t *restrict in) {
    block_k(out, in, in + 16, in + 48);
}

static void block_q6_k(float *restrict out, const uint8_t *restrict in) {
    float d = load_half(in + 208);
    for (int part = 0; part < 2; part++) {
        const uint8_t *low = in + part * 64, *high = in + 128 + part * 32;
        const int8_t *scales = (const int8_t *)(in + 192 + part * 8);
        for (int quarter = 0; quarter < 4; quarter++)
            for (int l = 0; l < 32; l++) {
                int nibble = low[quarter % 2 * 32 + l] >> (quarter / 2 * 4) & 15;
                int q = (nibble | (high[l] >> (2 * quarter) & 3) << 4) - 32;
                out[part * 128 + quarter * 32 + l] =
                    d * (float)scales[l / 16 + 2 * quarter] * (float)q;
            }
    }
}

#define BLOCKS(name)                                                                               \
    VECTOR_CLONES static void name##s(float *restrict out, const uint8_t *restrict in,             \
                                      size_t blocks, size_t block, size_t bytes) {                 \
        for (size_t i = 0; i < blocks; i++)                                                        \
            name(out + i * block, in + i * bytes);                                                 \
    }
BLOCKS(block_q4_0)
BLOCKS(block_q4_1)
BLOCKS(block_q5_0)
BLOCKS(block_q5_1)
BLOCKS(block_q8_0)
BLOCKS(block_q4_k)
BLOCKS(block_q5_k)
BLOCKS(block_q6_k)

static void load_halves(float *out, const uint8_t *in, size_t count) {
    for (size_t i = 0; i < count; i++)
        out[i] = load_half(in + 2 * i);
}

VECTOR_CLONES static void load_bfloats(float *restrict out, const uint8_t *restrict in,
                                       size_t count) {
    for (size_t i = 0; i < count; i++) {
        uint16_t bits;
        memcpy(&bits, in + 2 * i, sizeof bits);
        out[i] = bfloat_to_float(bits);
    }
}

void dequantise(float *out, const void *in, enum tensor_type type, size_t count) {
    typedef void block_function(float *restrict, const uint8_t *restrict, size_t, size_t, size_t);
    static block_function *const functions[FORMAT_COUNT] = {
        [TENSOR_Q4_0] = block_q4_0s, [TENSOR_Q4_1] = block_q4_1s, [TENSOR_Q5_0] = block_q5_0s,
        [TENSOR_Q5_1] = block_q5_1s, [TENSOR_Q8_0] = block_q8_0s, [TENSOR_Q4_K] = block_q4_ks,
        [TENSOR_Q5_K] = block_q5_ks, [TENSOR_Q6_K] = block_q6_ks,
    };
    const struct format *format = format_of(type);
    if (type == TENSOR_F32 && count > 0)
        memcpy(out, in, count * sizeof *out);
    else if (type == TENSOR_F16)
        load_halves(out, in, count);
    else if (type == TENSOR_BF16)
        load_bfloats(out, in, count);
    else if (format->is_readable && functions[type] != NULL)
        functions[type](out, in, count / format->block, format->block, format->bytes);
}

void dequantise_operands(void *out, const void *in, enum tensor_type type, size_t count,
                         enum precision precision) {
    const struct format *format = format_of(type);
    if (type == TENSOR_BF16 && precision == PRECISION_BF16) {
        memcpy(out, in, 2 * count);
        return;
    }
    float chunk[4 * QUANT_BLOCK_LIMIT]; /* stays in the first-level cache */
    real values[4 * QUANT_BLOCK_LIMIT];
    for (size_t at = 0; at < count; at += sizeof chunk / sizeof *chunk) {
        size_t n =
            count - at < sizeof chunk / sizeof *chunk ? count - at : sizeof chunk / sizeof *chunk;
        dequantise(chunk, (const char *)in + at / format->block * format->bytes, type, n);
        for (size_t i = 0; i < n; i++)
            values[i] = (real)chunk[i];
        operand_store(operand_at(out, at, precision), values, n, precision);
    }
}

/* The other way. */

static int clamp(float value, int low, int high) {
    float rounded = roundf(value);
    return rounded < (float)low ? low : rounded > (float)high ? high : (int)rounded;
}

static void write_q8_0(uint8_t *out, const float *in) {
    float largest = 0;
    for (int i = 0; i < 32; i++)
        largest = fmaxf(largest, fabsf(in[i]));
    float d = largest / 127, inverse = d > 0 ? 1 / d : 0;
    store_half(out, d);
    for (int i = 0; i < 32; i++)
        out[2 + i] = (uint8_t)(int8_t)clamp(in[i] * inverse, -127, 127);
}

/* The weight of largest size, with its sign, becomes -8: the one step that has no counterpart. */
static void write_q4_0(uint8_t *out, const float *in) {
    float extreme = 0;
    for (int i = 0; i < 32; i++)
        extreme = fabsf(in[i]) > fabsf(extreme) ? in[i] : extreme;
    float d = extreme / -8, inverse = d != 0 ? 1 / d : 0;
    store_half(out, d);
    for (int i = 0; i < 16; i++)
        out[2 + i] = (uint8_t)((clamp(in[i] * inverse, -8, 7) + 8) |
                               (clamp(in[i + 16] * inverse, -8, 7) + 8) << 4);
}

static void range_of(const float *in, int count, float *low, float *high) {
    *low = *high = in[0];
    for (int i = 1; i < count; i++) {
        *low = fminf(*low, in[i]);
        *high = fmaxf(*high, in[i]);
    }
}

static void write_q4_1(uint8_t *out, const float *in) {
    float low, high;
    range_of(in, 32, &low, &high);
    float d = (high - low) / 15, inverse = d > 0 ? 1 / d : 0;
    store_half(out, d);
    store_half(out + 2, low);
    for (int i = 0; i < 16; i++)
        out[4 + i] = (uint8_t)(clamp((in[i] - low) * inverse, 0, 15) |
                               clamp((in[i + 16] - low) * inverse, 0, 15) << 4);
}

/* Step and minimum (both >= 0; weight = step q - minimum) of 32 weights: of some steps around the
 * range's, the one whose least-squares line through its own rounding errs least. */
static void fit_group(const float *in, float *step, float *minimum) {
    float low, high, best_error = INFINITY;
    range_of(in, 32, &low, &high);
    low = fminf(low, 0);
    *step = *minimum = 0;
    if (!(high > low))
        return;
    for (int candidate = -6; candidate <= 10; candidate++) {
        float inverse = (15 + 0.1f * (float)candidate) / (high - low);
        double n = 32, sq = 0, sqq = 0, sx = 0, sqx = 0, sxx = 0;
        for (int i = 0; i < 32; i++) {
            double q = clamp((in[i] - low) * inverse, 0, 15), x = (double)in[i];
            sq += q, sqq += q * q, sx += x, sqx += q * x, sxx += x * x;
        }
        double determinant = n * sqq - sq * sq;
        if (determinant <= 0)
            continue;
        double a = (n * sqx - sq * sx) / determinant, b = (sqq * sx - sq * sqx) / determinant;
        if (b > 0) { /* a minimum above zero cannot be stored */
            b = 0;
            a = sqx / sqq;
        }
        double error = sxx + a * a * sqq + n * b * b + 2 * a * b * sq - 2 * a * sqx - 2 * b * sx;
        if (a > 0 && (float)error < best_error) {
            best_error = (float)error;
            *step = (float)a;
            *minimum = (float)-b;
        }
    }
}

static void write_q4_k(uint8_t *out, const float *in) {
    float steps[8], minima[8], largest_step = 0, largest_minimum = 0;
    for (int j = 0; j < 8; j++) {
        fit_group(in + 32 * j, &steps[j], &minima[j]);
        largest_step = fmaxf(largest_step, steps[j]);
        largest_minimum = fmaxf(largest_minimum, minima[j]);
    }
    memset(out, 0, 144);
    store_half(out, largest_step / 63);
    store_half(out + 2, largest_minimum / 63);
    float d = load_half(out), dmin = load_half(out + 2);
    for (int j = 0; j < 8; j++) {
        int scale = d > 0 ? clamp(steps[j] / d, 0, 63) : 0;
        int minimum = dmin > 0 ? clamp(minima[j] / dmin, 0, 63) : 0;
        uint8_t *scales = out + 4;
        if (j < 4) {
            scales[j] |= (uint8_t)scale;
            scales[j + 4] |= (uint8_t)minimum;
        } else {
            scales[j + 4] = (uint8_t)((scale & 15) | (minimum & 15) << 4);
            scales[j - 4] |= (uint8_t)(scale >> 4 << 6);
            scales[j] |= (uint8_t)(minimum >> 4 << 6);
        }
        float step = d * (float)scale, start = dmin * (float)minimum;
        for (int l = 0; l < 32; l++) {
            int q = step > 0 ? clamp((in[32 * j + l] + start) / step, 0, 15) : 0;
            out[16 + j / 2 * 32 + l] |= (uint8_t)(q << (j % 2 * 4));
        }
    }
}

void quantise(void *blocks, const float *in, enum tensor_type type, size_t count) {
    const struct format *format = format_of(type);
    uint8_t *out = blocks;
    for (size_t at = 0; at < count; at += format->block, in += format->block) {
        uint8_t *block = out + at / format->block * format->bytes;
        uint16_t bits;
        switch (type) {
        case TENSOR_F32:
            memcpy(block, in, sizeof *in);
            break;
        case TENSOR_F16:
        case TENSOR_BF16:
            bits = type == TENSOR_F16 ? float_to_half(*in) : float_to_bfloat(*in);
            memcpy(block, &bits, sizeof bits);
            break;
        case TENSOR_Q8_0:
            write_q8_0(block, in);
            break;
        case TENSOR_Q4_0:
            write_q4_0(block, in);
            break;
        case TENSOR_Q4_1:
            write_q4_1(block, in);
            break;
        case TENSOR_Q4_K:
            write_q4_k(block, in);
            break;
        default:
            return; /* not writable; callers check */
        }
    }
}
