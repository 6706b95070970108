/* `trine atlas --report`: the microscope's page as a file. */
#ifndef TRINE_CLI_ATLAS_REPORT_H
#define TRINE_CLI_ATLAS_REPORT_H

#include "latent/model.h"
#include "text/corpus.h"

struct atlas_report {
    const char *path; /* NULL: no report is wanted */
    const char *prompt;
    size_t tokens, seed, disputed;
    const char *set; /* the last option that is for the report alone; NULL: none was given */
    /* What the page says of how it was made. */
    const char *model_path, *corpus_path, *base_path;
    size_t components, samples;
};

/* Writes the page, whole or not at all; shows progress; Ctrl-C ends it with an error. */
int atlas_report_write(const struct atlas_report *report, const struct model *model,
                       const struct corpus *corpus, const struct slot *slot, struct error *error);

#endif
