#include "serve/studio_files.h"

#include <string.h>

struct studio_entry {
    const char *path;
    const unsigned char *start, *end;
    const char *content_type, *etag;
};

/* Puts a file into the program as it is; `number` makes the names of its two ends. The byte after
 * the end belongs to no file: it keeps the end of one from being the start of the next. */
#define STUDIO_EMBED(number, path)                                                                 \
    extern const unsigned char studio_file_##number[], studio_file_end_##number[];                 \
    __asm__(".pushsection .rodata\n"                                                               \
            ".balign 16\n"                                                                         \
            "studio_file_" #number ":\n"                                                           \
            ".incbin \"" path "\"\n"                                                               \
            "studio_file_end_" #number ":\n"                                                       \
            ".byte 0\n"                                                                            \
            ".popsection\n")

/* tools/embed_studio.sh makes it: STUDIO_EMBED for each file, and STUDIO_ENTRIES with all. */
#if __has_include("studio_embedded.h")
#include "studio_embedded.h"
#endif

#ifdef STUDIO_ENTRIES
static const struct studio_entry entries[] = {STUDIO_ENTRIES};
#else
static const unsigned char absent[] =
    "<!doctype html>\n"
    "<html lang=\"en\"><meta charset=\"utf-8\">"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
    "<title>Trine</title>\n"
    "<h1>Trine</h1>\n"
    "<p>The server is running, but it was built without its page, the studio: that needs Node.js "
    "18.13 or later with npm, and npm's registry. Build it again where they are.</p>\n"
    "<p>Everything else works; <a href=\"openapi.json\">openapi.json</a> says what there is.</p>\n"
    "</html>\n";
static const struct studio_entry entries[] = {
    {"/index.html", absent, absent + sizeof absent - 1, "text/html; charset=utf-8", "\"absent\""}};
#endif

static const struct studio_entry *find(const char *path) {
    const char *wanted = strcmp(path, "/") == 0 ? "/index.html" : path;
    for (size_t index = 0; index < sizeof entries / sizeof *entries; index++) {
        if (strcmp(entries[index].path, wanted) == 0)
            return &entries[index];
    }
    return NULL;
}

int studio_file(const char *path, const void **data, size_t *bytes, const char **content_type,
                const char **etag) {
    const struct studio_entry *entry = find(path);
    if (entry == NULL)
        return 0;
    if (data != NULL)
        *data = entry->start;
    if (bytes != NULL)
        *bytes = (size_t)(entry->end - entry->start);
    if (content_type != NULL)
        *content_type = entry->content_type;
    if (etag != NULL)
        *etag = entry->etag;
    return 1;
}

int studio_file_is_immutable(const char *path) {
    /* Vite puts a hash into the name of what it bundles; the text of the licences has none. */
    const char *directory = "/assets/";
    return strncmp(path, directory, strlen(directory)) == 0 && strstr(path, ".txt") == NULL &&
           find(path) != NULL;
}

int studio_is_built_in(void) {
#ifdef STUDIO_ENTRIES
    return 1;
#else
    return 0;
#endif
}
