/* trine export: models, adapters and handles for llama.cpp and for transformers. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "latent/export.h"

struct run {
    const char *model_path, *out, *kind;
    struct export_options options;
    struct handle_wishes wishes;
    struct model *model;
    struct gazetteer *gazetteer;
};

static const char HELP[] =
    "usage: trine export --model MODEL.gguf --as KIND --out PATH [--type TYPE] [HANDLE]\n\n"
    "What is learned here, for other programs. KIND is one of\n"
    "  gguf            the weights as a plain checkpoint, adapter merged: llama.cpp's -m\n"
    "  lora            the adapter by itself, for the base in GGUF: llama.cpp's --lora\n"
    "  control-vector  a handle, for the weights above: llama.cpp's --control-vector\n"
    "  huggingface     a directory with config.json, tokenizer.json and model.safetensors\n\n"
    "options:\n"
    "  --type TYPE         of matrices: f32, f16, bf16 (the default), q8_0, q4_0, q4_1, q4_k;\n"
    "                      embeddings keep q8_0, rows that are no whole blocks q8_0 or f16\n"
    "  --without-adapter   the base alone\n" BASE_HELP GAZETTEER_HELP "\n"
    "the handle of a control vector, applied in the order given; what is not told stays at "
    "0:\n" HANDLE_HELP "\n"
    "example: trine export --model adapted.gguf --as control-vector --date 1863 --out 1863.gguf\n"
    "         llama-cli -m base.gguf --lora adapter.gguf --control-vector 1863.gguf";

static int take_type(struct run *run, const char *name, struct error *error) {
    int type = tensor_type_find(name);
    if (type < 0 || !tensor_type_is_writable((enum tensor_type)type))
        return error_set(error, "there is no type '%.40s' to write; see trine export --help", name);
    run->options.type = (enum tensor_type)type;
    return 0;
}

static int parse(struct run *run, int argc, char **argv, struct error *error) {
    static const struct option OPTIONS[] = {HANDLE_OPTIONS,
                                            {"model", required_argument, NULL, 'm'},
                                            {"out", required_argument, NULL, 'o'},
                                            {"as", required_argument, NULL, 'a'},
                                            {"type", required_argument, NULL, 't'},
                                            {"without-adapter", no_argument, NULL, 'w'},
                                            {0}};
    int option;
    run->options.type = TENSOR_BF16;
    while ((option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1) {
        int is_wish = handle_wishes_add(&run->wishes, option, optarg, error);
        if (is_wish < 0 || (option == 't' && take_type(run, optarg, error)))
            return -1;
        if (option == 'm')
            run->model_path = optarg;
        else if (option == 'o')
            run->out = optarg;
        else if (option == 'a')
            run->kind = optarg;
        else if (option == 'w')
            run->options.leaves_adapter = 1;
        else if (!is_wish && option != 't')
            return error_set(error, "see trine export --help");
    }
    if (optind < argc || run->model_path == NULL || run->out == NULL || run->kind == NULL)
        return error_set(error,
                         "--model, --as and --out are needed, and nothing else without a flag");
    return 0;
}

static int export_handle(struct run *run, struct error *error) {
    struct handle handle = {0};
    if (handle_wishes_grant(&handle, &run->wishes, run->model, error))
        return -1;
    int result = export_control_vector(run->model, &handle, run->out, error);
    handle_free(&handle);
    return result;
}

static int execute(struct run *run, struct error *error) {
    int is_handle = strcmp(run->kind, "control-vector") == 0;
    if (!is_handle && run->wishes.count > 0)
        return error_set(error, "a handle is exported as a control-vector, beside the weights");
    if (model_load_on(&run->model, run->model_path, run->wishes.base, PRECISION_BF16, error) ||
        option_gazetteer(&run->gazetteer, run->model, run->wishes.gazetteer, error))
        return -1;
    if (is_handle)
        return export_handle(run, error);
    if (strcmp(run->kind, "gguf") == 0)
        return export_gguf(run->model, &run->options, run->out, error);
    if (strcmp(run->kind, "lora") == 0)
        return export_lora(run->model, run->out, error);
    if (strcmp(run->kind, "huggingface") == 0)
        return export_huggingface(run->model, &run->options, run->out, error);
    return error_set(error, "'%.40s' is nothing to export as; see trine export --help", run->kind);
}

int command_export(int argc, char **argv) {
    struct run run = {.wishes = {.seed = 1}};
    struct error error;
    if (option_wants_help(argc, argv, HELP))
        return 0;
    int status = parse(&run, argc, argv, &error) ? 2 : execute(&run, &error) ? 1 : 0;
    if (status != 0)
        fprintf(stderr, "trine export: %s\n", error.message);
    model_destroy(run.model);
    gazetteer_close(run.gazetteer);
    return status;
}
