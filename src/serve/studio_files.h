/* The page that the server shows, the studio: its files, linked in when the program was built.
 *
 * They are made from studio/ (studio/studio.mk). Where that could not be done there is one file, a
 * page that says so; all else of the server works. Any thread may call this. */
#ifndef TRINE_SERVE_STUDIO_FILES_H
#define TRINE_SERVE_STUDIO_FILES_H

#include <stddef.h>

/* What the server says of the page in the header of this name, with each of its files: everything
 * comes from the server itself, nothing stands in the page's own text, and nobody frames it. */
#define STUDIO_CONTENT_SECURITY_POLICY                                                             \
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; "   \
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/* Finds the file at an address, "/" or "/index.html" the page itself. Returns 1 and fills what is
 * not NULL, or 0. Everything is the program's own and lasts as long as it does. The tag is quoted,
 * as ETag and If-None-Match have it. */
int studio_file(const char *path, const void **data, size_t *bytes, const char **content_type,
                const char **etag);

/* Whether a file's name changes with its content, so that it may be kept for good (Cache-Control:
 * immutable); all others are to be asked for again by their tag (no-cache). */
int studio_file_is_immutable(const char *path);

/* 1: the studio is linked in; 0: the page that says that it is not. */
int studio_is_built_in(void);

#endif
