/* Shared libraries that few commands need, opened when they are first used: what is not opened
 * takes neither memory nor time. The compiler checks their functions against their headers all the
 * same. */
#ifndef TRINE_BASE_SHARED_LIBRARY_H
#define TRINE_BASE_SHARED_LIBRARY_H

#include <stddef.h>

#include "base/error.h"

/* Opens `library`, which stays open, and fills functions[count], pointers to functions in the order
 * of their names. May be called again and by any thread. */
int shared_library_load(void *functions, const char *const *names, size_t count,
                        const char *library, struct error *error);

#endif
