#include "cli/atlas_report.h"

#include <omp.h>
#include <string.h>

#include "base/cancellation.h"
#include "base/file.h"
#include "base/progress.h"
#include "cli/options.h"
#include "dream/microscope.h"
#include "dream/microscope_page.h"
#include "latent/place.h"

static void add(char *text, size_t size, const char *more) {
    size_t length = strlen(text);
    snprintf(text + length, size - length, "%s", more);
}

/* As a shell takes it. */
static void add_option(char *text, size_t size, const char *name, const char *value) {
    char quoted[2048] = "";
    size_t at = 0;
    int is_plain =
        *value != '\0' && value[strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                              "0123456789_./+-")] == '\0';
    for (; *value != '\0' && at + 5 < sizeof quoted; value++)
        at += (size_t)snprintf(quoted + at, sizeof quoted - at, *value == '\'' ? "'\\''" : "%c",
                               *value);
    add(text, size, " --");
    add(text, size, name);
    add(text, size, is_plain ? " " : " '");
    add(text, size, quoted);
    add(text, size, is_plain ? "" : "'");
}

static void add_count(char *text, size_t size, const char *name, size_t value) {
    char digits[32];
    snprintf(digits, sizeof digits, "%zu", value);
    add_option(text, size, name, digits);
}

/* Without its directories, which are the business of this machine alone. */
static const char *last_part(const char *path, char *part, size_t size) {
    snprintf(part, size, "%s", path);
    size_t length = strlen(part);
    while (length > 1 && part[length - 1] == '/')
        part[--length] = '\0';
    const char *slash = strrchr(part, '/');
    return slash != NULL && slash[1] != '\0' ? slash + 1 : part;
}

/* Every setting, given or not, so that a later version with other defaults is told the same. */
static void describe_command(char *text, size_t size, const struct atlas_report *r,
                             const struct slot *slot) {
    char part[1024];
    snprintf(text, size, "trine atlas");
    add_option(text, size, "model", last_part(r->model_path, part, sizeof part));
    if (r->base_path != NULL)
        add_option(text, size, "base", last_part(r->base_path, part, sizeof part));
    add_option(text, size, "corpus", last_part(r->corpus_path, part, sizeof part));
    add_option(text, size, "slot", slot->name);
    add_count(text, size, "components", r->components);
    add_count(text, size, "samples", r->samples);
    add_count(text, size, "tokens", r->tokens);
    add_count(text, size, "seed", r->seed);
    add_count(text, size, "disputed", r->disputed);
    if (r->prompt != NULL)
        add_option(text, size, "prompt", r->prompt);
    add_option(text, size, "report", "FILE");
}

static void show(void *context, size_t done, size_t total, const char *what) {
    struct progress *progress = context;
    progress->total = total;
    progress_show(progress, done, done == total, "%s", what);
}

static int is_stopped(void *context) {
    (void)context;
    return progress_stop_wanted();
}

static int collect(json_t **content, const struct atlas_report *r, const struct model *model,
                   const struct corpus *corpus, const struct slot *slot, struct error *error) {
    char command[4096];
    struct progress progress;
    struct coastlines coasts = {0};
    if (slots_place(&model->slots) != NULL &&
        coastlines_read_beside(&coasts, option_gazetteer_path(NULL), error))
        return -1;
    describe_command(command, sizeof command, r, slot);
    struct microscope_options options = {.slot = slot,
                                         .command = command,
                                         .components = r->components,
                                         .samples = r->samples,
                                         .prompt = r->prompt,
                                         .tokens = r->tokens,
                                         .seed = r->seed,
                                         .disputed = r->disputed,
                                         .threads = (size_t)omp_get_max_threads(),
                                         .coasts = &coasts,
                                         .progress = show,
                                         .progress_context = &progress};
    cancellation_set(is_stopped, NULL);
    progress_start(&progress, 0, 1);
    int result = microscope_create(content, model, corpus, &options, error);
    progress_finish(&progress);
    cancellation_set(NULL, NULL);
    coastlines_free(&coasts);
    if (result != 0 && progress_stop_wanted())
        return error_set(error, "stopped; %s was not written", r->path);
    return result;
}

int atlas_report_write(const struct atlas_report *r, const struct model *model,
                       const struct corpus *corpus, const struct slot *slot, struct error *error) {
    json_t *content;
    struct file_writer writer;
    progress_catch_signals();
    /* A path that cannot be written is found out before minutes of work, not after them. */
    if (file_writer_open(&writer, r->path, error))
        return -1;
    file_writer_abort(&writer);
    int result = collect(&content, r, model, corpus, slot, error);
    if (result == 0 && file_writer_open(&writer, r->path, error) == 0) {
        result = microscope_page_write(writer.stream, content, error) ||
                 file_writer_commit(&writer, error);
        file_writer_abort(&writer);
    } else {
        result = -1;
    }
    json_decref(content);
    return result ? -1 : 0;
}
