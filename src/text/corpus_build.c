#include "text/corpus_build.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "picture/patches.h"
#include "text/batch.h"
#include "text/catalogue.h"
#include "text/corpus.h"
#include "text/corpus_directory.h"
#include "text/known_texts.h"
#include "text/picture_tokens.h"
#include "text/tokenizer_train.h"

/* As text/tokenizer_train.c has it. */
enum { VOCABULARY_LIMIT = 1 << 18 };

/* What the first pass decided about a line. */
enum { LINE_DROPPED, LINE_TRAINS, LINE_IS_HELD_OUT };

struct build {
    const struct corpus_build_options *options;
    struct corpus_build_summary *summary;
    struct manifest manifest;
    struct jsonl_source *sources;
    int spool; /* of standard input; -1: none */
    struct corpus_directory directory;
    struct batch batch;
    unsigned char *decisions; /* one for each line */
    size_t decision_count, decision_capacity;
    struct known_texts texts;
    unsigned char *was_found; /* for each held-out id of the manifest */
    struct tokenizer_trainer *trainer;
    struct tokenizer *tokenizer;
    struct patch_counts patches; /* of training pictures */
    struct picture_tokens pictures;
    struct shard_writer shards;
    struct catalogue_writer catalogue;
};

/* One reading of the whole input. `consume` gets the items in order. */
struct pass {
    const char *what;
    int (*consume)(struct build *b, struct batch_item *item, unsigned char *decision,
                   struct error *error);
    int is_first;       /* the decisions are made in it */
    int wants_training; /* only lines that train are looked at */
    int wants_tokens;
};

static void report(const struct build *b, const struct batch_item *item, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void report(const struct build *b, const struct batch_item *item, const char *format, ...) {
    if (b->options->report == NULL)
        return;
    char message[4096 + 512];
    int length =
        snprintf(message, 4200, "%.4000s:%zu: ", b->sources[item->source].name, item->line);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message + length, sizeof message - (size_t)length, format, arguments);
    va_end(arguments);
    b->options->report(b->options->context, message);
}

static int next_decisions(struct build *b, const struct pass *pass, size_t first,
                          struct error *error) {
    size_t needed = first + b->batch.count;
    if (!pass->is_first)
        return needed <= b->decision_count
                   ? 0
                   : error_set(error, "the input grew while it was being read");
    if (memory_grow(&b->decisions, &b->decision_capacity, needed, 1, error))
        return -1;
    b->decision_count = needed;
    return 0;
}

static int run_batch(struct build *b, const struct pass *pass, size_t first, struct error *error) {
    if (next_decisions(b, pass, first, error))
        return -1;
    unsigned char *decisions = b->decisions + first;
    for (size_t i = 0; !pass->is_first && i < b->batch.count; i++)
        b->batch.items[i].is_skipped =
            decisions[i] == LINE_DROPPED || (pass->wants_training && decisions[i] != LINE_TRAINS);
    if (batch_process(&b->batch, &b->manifest, b->sources, pass->wants_tokens ? b->tokenizer : NULL,
                      error))
        return -1;
    for (size_t i = 0; i < b->batch.count; i++)
        if (!b->batch.items[i].is_skipped &&
            pass->consume(b, &b->batch.items[i], &decisions[i], error))
            return -1;
    return 0;
}

static int run_pass(struct build *b, const struct pass *pass, struct error *error) {
    const struct corpus_build_options *o = b->options;
    struct jsonl_reader *reader;
    if (jsonl_open(&reader, b->sources, o->file_count, 0, error))
        return -1;
    size_t lines = 0;
    int result = 0;
    do {
        if (o->is_cancelled != NULL && *o->is_cancelled)
            result = error_set(error, "stopped while %s", pass->what);
        if (result == 0)
            result = batch_fill(&b->batch, reader, error);
        if (result == 0)
            result = run_batch(b, pass, lines, error);
        lines += b->batch.count;
        if (result == 0 && o->progress != NULL)
            o->progress(o->context, pass->what, jsonl_bytes_read(reader));
    } while (result == 0 && b->batch.count > 0);
    jsonl_close(reader);
    if (result == 0 && lines != b->decision_count)
        result = error_set(error, "the input shrank while it was being read");
    return result;
}

/* The first pass: what is wrong with the line, which side it is on, whether it was seen. */
static int decide(struct build *b, struct batch_item *item, unsigned char *decision,
                  struct error *error) {
    struct record *record = &item->record;
    *decision = LINE_DROPPED;
    if (record->fault == RECORD_BLANK)
        return 0;
    if (record->fault != RECORD_FINE) {
        b->summary->faults[record->fault]++;
        report(b, item, "%s: %s", record_fault_name(record->fault), record->message);
        return 0;
    }
    if (record->held_out_index != SIZE_MAX)
        b->was_found[record->held_out_index] = 1;
    unsigned seen = known_texts_find(&b->texts, record->hash);
    unsigned side = record->is_held_out ? SEEN_HELD_OUT : SEEN_IN_TRAINING;
    if ((seen & SEEN_HELD_OUT) && !record->is_held_out) {
        b->summary->leaks++;
        report(b, item, "the text is held out elsewhere: dropped from training");
        return 0;
    }
    if (seen & side) {
        b->summary->duplicates++;
        report(b, item, "duplicate of an earlier document: %s",
               b->options->keeps_duplicates ? "kept" : "dropped");
        if (!b->options->keeps_duplicates)
            return 0;
    }
    *decision = record->is_held_out ? LINE_IS_HELD_OUT : LINE_TRAINS;
    return known_texts_add(&b->texts, record->hash, side, error);
}

/* A later pass must see what the first one saw. */
static int check_same(const struct build *b, const struct batch_item *item, unsigned char decision,
                      struct error *error) {
    const struct record *record = &item->record;
    unsigned side = decision == LINE_IS_HELD_OUT ? SEEN_HELD_OUT : SEEN_IN_TRAINING;
    int is_same = record->fault == RECORD_FINE &&
                  record->is_held_out == (decision == LINE_IS_HELD_OUT) &&
                  (known_texts_find(&b->texts, record->hash) & side) != 0;
    return is_same ? 0
                   : error_set(error, "%s:%zu changed while it was being read",
                               b->sources[item->source].name, item->line);
}

/* Training texts that turned out to be held out, later in the input than they occurred. */
static int is_leak(const struct build *b, const struct batch_item *item, unsigned char decision) {
    return decision == LINE_TRAINS &&
           (known_texts_find(&b->texts, item->record.hash) & SEEN_HELD_OUT) != 0;
}

static int count_patches(struct build *b, const struct raster *picture, struct error *error) {
    size_t columns = patches_along(picture->width), rows = patches_along(picture->height);
    for (size_t i = 0; i < columns * rows; i++)
        if (patch_counts_add(&b->patches, patch_take(picture, i % columns, i / columns), error))
            return -1;
    return 0;
}

static int learn(struct build *b, struct batch_item *item, unsigned char *decision,
                 struct error *error) {
    if (check_same(b, item, *decision, error))
        return -1;
    if (is_leak(b, item, *decision))
        return 0; /* the encoding pass reports it */
    return count_patches(b, &item->record.picture, error) ||
                   tokenizer_trainer_add(b->trainer, item->record.text, item->record.text_bytes,
                                         error)
               ? -1
               : 0;
}

static int store(struct build *b, struct batch_item *item, unsigned char *decision,
                 struct error *error) {
    if (check_same(b, item, *decision, error))
        return -1;
    if (is_leak(b, item, *decision)) {
        b->summary->leaks++;
        report(b, item, "the text is held out elsewhere: dropped from training");
        return 0;
    }
    struct catalogue_document document = {
        .record = &item->record,
        .file = b->sources[item->source].name,
        .line = item->line,
        .token_count = item->tokens.count,
    };
    if (shard_writer_add(&b->shards, item->tokens.ids, item->tokens.count, &document.place,
                         error) ||
        catalogue_add_document(&b->catalogue, &document, error))
        return -1;
    if (item->record.is_held_out)
        b->summary->held_out_documents++;
    else
        b->summary->training_documents++;
    b->summary->tokens += item->tokens.count;
    b->summary->text_tokens += item->text_tokens;
    b->summary->pictures += item->record.picture.pixels != NULL;
    b->summary->text_bytes += item->record.text_bytes;
    return 0;
}

static int check_decisions(const struct build *b, struct error *error) {
    size_t bad = 0, kept[3] = {0};
    for (size_t kind = RECORD_TOO_LONG; kind < RECORD_FAULT_COUNT; kind++)
        bad += b->summary->faults[kind];
    if (bad > 0 && !b->options->skips_bad_lines)
        return error_set(error, "%zu bad %s; with --on-error skip they are passed over", bad,
                         bad == 1 ? "line" : "lines");
    const struct manifest_strings *ids = &b->manifest.held_out.documents;
    for (size_t i = 0; i < ids->count; i++)
        if (!b->was_found[i])
            return error_set(error, "the manifest holds out \"%.200s\", which does not occur",
                             ids->items[i]);
    for (size_t i = 0; i < b->decision_count; i++)
        kept[b->decisions[i]]++;
    if (kept[LINE_TRAINS] + kept[LINE_IS_HELD_OUT] == 0)
        return error_set(error, "the input has no documents");
    if (kept[LINE_TRAINS] == 0 && b->options->tokenizer == NULL)
        return error_set(error, "every document is held out: there is nothing to learn from");
    return 0;
}

static int copy_standard_input(struct build *b, struct error *error) {
    static const size_t CHUNK = 1 << 16;
    b->spool = corpus_directory_spool(&b->directory, error);
    char *buffer = b->spool < 0 ? NULL : memory_allocate(CHUNK, 1, error);
    int result = buffer == NULL ? -1 : 0;
    while (result == 0) {
        ssize_t got = read(STDIN_FILENO, buffer, CHUNK);
        int is_cancelled = b->options->is_cancelled != NULL && *b->options->is_cancelled;
        if (is_cancelled)
            result = error_set(error, "stopped while reading standard input");
        else if (got < 0 && errno != EINTR)
            result = error_set_errno(error, "cannot read standard input");
        else if (got == 0)
            break;
        for (ssize_t put = 0, wrote; result == 0 && put < got; put += wrote) {
            wrote = write(b->spool, buffer + put, (size_t)(got - put));
            if (wrote < 0 && errno == EINTR)
                wrote = 0;
            if (wrote < 0)
                result = error_set_errno(error, "cannot store standard input in %s",
                                         b->directory.temporary);
        }
    }
    memory_free(buffer);
    return result;
}

static int open_sources(struct build *b, struct error *error) {
    const struct corpus_build_options *o = b->options;
    b->sources = memory_allocate(o->file_count, sizeof *b->sources, error);
    if (b->sources == NULL)
        return -1;
    for (size_t i = 0; i < o->file_count; i++) {
        b->sources[i] = (struct jsonl_source){o->files[i], -1};
        if (strcmp(o->files[i], "-") != 0)
            continue;
        if (b->spool >= 0)
            return error_set(error, "standard input can be read once only");
        if (copy_standard_input(b, error))
            return -1;
        b->sources[i].descriptor = b->spool;
    }
    return 0;
}

/* What the tokenizer has of pictures, if the corpus has any. */
static int open_pictures(struct build *b, struct error *error) {
    if (b->manifest.image == NULL)
        return 0;
    if (picture_tokens_create(&b->pictures, b->tokenizer, error))
        return -1;
    b->summary->patches = b->pictures.book.count;
    return 0;
}

static int borrow_tokenizer(struct build *b, struct error *error) {
    if (!tokenizer_is_special(b->options->tokenizer, tokenizer_end_of_text(b->options->tokenizer)))
        return error_set(error, "this tokenizer has no special token that begins a document");
    if (tokenizer_copy(&b->tokenizer, b->options->tokenizer, error))
        return -1;
    return open_pictures(b, error);
}

/* The patches that training pictures show, as tokens after those of text. */
static int learn_patches(struct build *b, struct error *error) {
    if (b->manifest.image == NULL)
        return 0;
    if (b->patches.count == 0)
        return error_set(error,
                         "no training document has a picture in its field \"%.80s\": there "
                         "is nothing to learn patches from",
                         b->manifest.image);
    struct code_book book;
    struct tokenizer *whole = NULL;
    if (code_book_learn(&book, &b->patches, b->manifest.patches, error))
        return -1;
    int result = picture_tokens_add(&whole, b->tokenizer, &book, error);
    code_book_free(&book);
    if (result != 0)
        return -1;
    tokenizer_destroy(b->tokenizer);
    b->tokenizer = whole;
    return open_pictures(b, error);
}

static int learn_tokenizer(struct build *b, struct error *error) {
    static const struct pass LEARN = {
        .what = "learning the vocabulary", .consume = learn, .wants_training = 1};
    int result =
        tokenizer_trainer_create(&b->trainer, error) || run_pass(b, &LEARN, error) ||
        tokenizer_trainer_finish(b->trainer, b->manifest.vocabulary, &b->tokenizer, error) ||
        learn_patches(b, error);
    tokenizer_trainer_destroy(b->trainer);
    b->trainer = NULL;
    return result ? -1 : 0;
}

static int encode(struct build *b, struct error *error) {
    static const struct pass ENCODE = {.what = "encoding", .consume = store, .wants_tokens = 1};
    b->batch.pictures = &b->pictures;
    shard_writer_start(&b->shards, b->directory.temporary, b->options->shard_tokens);
    if (catalogue_create(&b->catalogue, b->directory.temporary, &b->manifest, error) ||
        run_pass(b, &ENCODE, error) || shard_writer_finish(&b->shards, error))
        return -1;
    b->summary->vocabulary = tokenizer_vocabulary_size(b->tokenizer);
    b->summary->shards = b->shards.shard;
    return catalogue_finish(&b->catalogue, b->tokenizer, b->shards.shard, error);
}

/* Said now, not after the input was read. */
static int check_vocabulary(struct build *b, struct error *error) {
    if (b->options->vocabulary > 0)
        b->manifest.vocabulary = b->options->vocabulary;
    size_t wanted = b->manifest.vocabulary;
    if (wanted < TOKEN_FIRST_MERGE || wanted > VOCABULARY_LIMIT)
        return error_set(error, "a vocabulary has %d to %d tokens, not %zu", TOKEN_FIRST_MERGE,
                         VOCABULARY_LIMIT, wanted);
    return 0;
}

static int run(struct build *b, struct error *error) {
    static const struct pass DECIDE = {.what = "reading", .consume = decide, .is_first = 1};
    const struct corpus_build_options *o = b->options;
    if (manifest_read(&b->manifest, o->manifest_path, error))
        return -1;
    b->manifest.gazetteer = o->gazetteer;
    if (check_vocabulary(b, error))
        return -1;
    b->was_found = memory_allocate(b->manifest.held_out.documents.count, 1, error);
    if (b->was_found == NULL || (o->tokenizer != NULL && borrow_tokenizer(b, error)) ||
        corpus_directory_create(&b->directory, o->out_directory, o->is_forced, error) ||
        open_sources(b, error) || batch_create(&b->batch, error) || run_pass(b, &DECIDE, error) ||
        check_decisions(b, error) || (b->tokenizer == NULL && learn_tokenizer(b, error)) ||
        encode(b, error))
        return -1;
    return corpus_directory_commit(&b->directory, error);
}

int corpus_build(const struct corpus_build_options *options, struct corpus_build_summary *summary,
                 struct error *error) {
    *summary = (struct corpus_build_summary){0};
    struct build b = {.options = options, .summary = summary, .spool = -1};
    int result =
        options->file_count > 0 ? run(&b, error) : error_set(error, "there are no files to read");
    catalogue_abort(&b.catalogue);
    shard_writer_abort(&b.shards);
    corpus_directory_abort(&b.directory);
    if (b.spool >= 0)
        close(b.spool);
    tokenizer_destroy(b.tokenizer);
    picture_tokens_free(&b.pictures);
    patch_counts_free(&b.patches);
    known_texts_free(&b.texts);
    batch_free(&b.batch);
    memory_free(b.sources);
    memory_free(b.was_found);
    free(b.decisions);
    manifest_free(&b.manifest);
    return result;
}
