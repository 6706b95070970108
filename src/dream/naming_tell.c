#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "dream/naming.h"

enum { LISTED = 4 };

/* The error of a name that may mean several: empties log_odds as it goes. */
static int refuse(const struct slot *slot, const char *label, double *log_odds,
                  struct error *error) {
    char list[512] = "";
    for (size_t k = 0; k < LISTED && k < slot->point_count; k++) {
        size_t best = slot_likeliest(slot, log_odds), length = strlen(list);
        snprintf(list + length, sizeof list - length, "%s%.80s (%.2f)", k > 0 ? ", " : "",
                 slot->labels[best], exp(log_odds[best]));
        log_odds[best] = -INFINITY;
    }
    return error_set(error,
                     "slot %s: it is not clear whom '%.80s' means; the likeliest are %s; give more "
                     "of the name",
                     slot->name, label, list);
}

static int tell_resolved(struct handle *handle, struct naming *naming, const char *label,
                         struct naming_note *note, struct error *error) {
    const struct slot *slot = naming_slot(naming);
    double *log_odds = memory_allocate(slot->point_count, sizeof *log_odds, error);
    int result = log_odds == NULL ? -1 : naming_resolve(naming, label, log_odds, error);
    if (result == 0) {
        size_t best = slot_likeliest(slot, log_odds);
        double probability = exp(log_odds[best]);
        if (probability >= NAMING_TAKEN)
            result = handle_tell(handle, slot->name, slot->labels[best], error);
        else /* also where numbers overflowed */
            result = refuse(slot, label, log_odds, error);
        snprintf(note->text, sizeof note->text, "taken for %.200s (%.2f)", slot->labels[best],
                 fmin(probability, 0.99));
    }
    memory_free(log_odds);
    return result;
}

int naming_tell(struct handle *handle, const char *name, const char *label,
                struct naming_note *note, struct error *error) {
    const struct slot *slot = slots_find(&handle->model->slots, name);
    note->text[0] = '\0';
    if (slot == NULL || slot->naming <= 0 || slot_find_name(slot, label) >= 0)
        return handle_tell(handle, name, label, error);
    struct naming *naming;
    if (naming_create(&naming, handle->model, error))
        return -1;
    int result = slot == naming_slot(naming) ? tell_resolved(handle, naming, label, note, error)
                                             : handle_tell(handle, name, label, error);
    naming_destroy(naming);
    return result;
}
