/* A standard of truth: a directory that says which sources count and how much, what is taken for
 * granted, who may be cited, and how sure one has to be. It holds `standard.json`,
 *
 *   {"name": "before-1900", "description": "...", "sources": {"almanac": 1, "hearsay": 0.5},
 *    "cite": {"year_to": 1899}, "known": 0.9, "unknown": 0.65, "beliefs": ["beliefs.jsonl"]}
 *
 * the belief bases that it lists, and once it was trained, its truth author (truth.gguf). A source
 * that is not listed has weight 0: it does not count. Of `cite` there may be year_from, year_to and
 * authors (a list). Standards share nothing: training one changes no other. */
#ifndef TRINE_TRUTH_STANDARD_H
#define TRINE_TRUTH_STANDARD_H

#include "truth/belief_base.h"
#include "truth/library.h"

#define STANDARD_TRUTH_NAME "truth.gguf"

struct standard {
    char *directory, *name, *description;
    struct library_filter filter; /* owns its authors' names */
    double known;                 /* a claim at least this likely is stated as known */
    double unknown;               /* one that is less likely on its better side is not known */
    /* All bases as one; a belief weighs its own weight times its source's. Beliefs of sources that
     * do not count have no verdict; their laws are left out. */
    struct belief_base base;
};

/* `name` is a directory, or the name of one in $TRINE_STANDARDS, recipes/standards or where
 * standards were installed. What the base says must be consistent. */
int standard_open(struct standard *standard, const char *name, struct error *error);
void standard_close(struct standard *standard);

/* The base alone, to be freed by the caller. */
int standard_take_base(struct belief_base *base, const char *name, struct error *error);

/* path[size] <- where its truth author is kept. */
void standard_truth_path(const struct standard *standard, char *path, size_t size);

#endif
