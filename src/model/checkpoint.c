#include "model/checkpoint.h"

#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "file/gguf.h"
#include "file/safetensors.h"
#include "model/checkpoint_read.h"

static int ends_with(const char *text, const char *end) {
    size_t length = strlen(text), ending = strlen(end);
    return length >= ending && strcmp(text + length - ending, end) == 0;
}

int checkpoint_open(struct checkpoint **out, struct tokenizer **tokenizer, const char *path,
                    struct error *error) {
    struct stat status;
    *out = NULL;
    if (tokenizer != NULL)
        *tokenizer = NULL;
    struct checkpoint *c = memory_allocate(1, sizeof *c, error);
    if (c == NULL)
        return -1;
    c->rope_magnitude = 1;
    int is_directory = stat(path, &status) == 0 && S_ISDIR(status.st_mode);
    if (ends_with(path, ".safetensors") && !is_directory) {
        checkpoint_close(c);
        return error_set(error,
                         "%s: name the directory that holds it, with config.json and "
                         "tokenizer.json",
                         path);
    }
    if (is_directory ? checkpoint_read_huggingface(c, tokenizer, path, error)
                     : checkpoint_read_gguf(c, tokenizer, path, error)) {
        checkpoint_close(c);
        return -1;
    }
    memory_trim();
    *out = c;
    return 0;
}

void checkpoint_close(struct checkpoint *c) {
    if (c == NULL)
        return;
    for (size_t l = 0; c->blocks != NULL && l < c->config.blocks; l++) {
        memory_free(c->blocks[l].attention_norm);
        memory_free(c->blocks[l].feed_norm);
        memory_free(c->blocks[l].qkv_bias);
    }
    memory_free(c->blocks);
    memory_free(c->final_norm);
    memory_free(c->rope_divisors);
    memory_free(c->chat_template);
    memory_free(c->head);
    gguf_close(c->gguf);
    safetensors_close(c->safetensors);
    memory_free(c);
}

int checkpoint_prepare(struct checkpoint *c, const char *path, struct error *error) {
    struct error inner;
    c->config.split = c->config.blocks / 2 > 0 ? c->config.blocks / 2 : 1;
    c->config.has_base = 1;
    if (config_check(&c->config, &inner))
        return error_set(error, "%s: %.900s", path, inner.message);
    c->blocks = memory_allocate(c->config.blocks, sizeof *c->blocks, error);
    return c->blocks != NULL ? 0 : -1;
}

const void *checkpoint_head(struct checkpoint *c, enum precision precision, struct error *error) {
    const void *head = NULL;
#pragma omp critical(checkpoint_head)
    {
        size_t rows = c->output.rows, columns = c->output.columns;
        if (c->output.type == TENSOR_BF16 && precision == PRECISION_BF16) {
            head = c->output.data;
        } else {
            if (!c->head_is_made)
                c->head = memory_allocate(rows * columns, operand_bytes(precision), error);
            if (c->head != NULL && !c->head_is_made) {
                matrix_load_operands(c->head, &c->output, 0, rows, precision);
                c->head_is_made = 1;
            }
            head = c->head;
        }
    }
    return head;
}
