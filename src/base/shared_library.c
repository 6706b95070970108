#include "base/shared_library.h"

#include <dlfcn.h>
#include <string.h>

_Static_assert(sizeof(void *) == sizeof(void (*)(void)), "as POSIX has it");

int shared_library_load(void *functions, const char *const *names, size_t count,
                        const char *library, struct error *error) {
    void *handle = dlopen(library, RTLD_LAZY | RTLD_LOCAL);
    if (handle == NULL)
        return error_set(error, "cannot open a library: %s", dlerror());
    for (size_t i = 0; i < count; i++) {
        void *function = dlsym(handle, names[i]);
        if (function == NULL)
            return error_set(error, "the library %s has no function %s", library, names[i]);
        memcpy((char *)functions + i * sizeof function, &function, sizeof function);
    }
    return 0;
}
