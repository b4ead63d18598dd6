/* SPDX-License-Identifier: Apache-2.0 */
/* Row r is read as a number whose digits are the rows of the blocks, the last block fastest, seeds
 * faster still; within a grid likewise the last factor. */
#include "experiments/design.h"

#include "engine/base/csv.h"
#include "engine/base/mem.h"
#include "engine/base/num.h"

#include <stdio.h>

static mr_status count(const struct mr_experiment *e, struct mr_design *d, struct mr_err *err)
{
    d->has_seeds = e->n_seed > 0;
    d->n_row = d->has_seeds ? e->n_seed : 1;
    d->n_factor = 0;
    for (size_t b = 0; b < e->n_block; b++) {
        d->n_factor += e->block[b].n_factor;
        d->n_row *= e->block[b].n_row;
        if (d->n_row > MR_EXPERIMENT_ROW_MAX)
            return mr_err_set(err, MR_LIMIT, (struct mr_place){e->path, 0, 0},
                              "more than %d rows in all", MR_EXPERIMENT_ROW_MAX);
    }
    return MR_OK;
}

/* Row k of a block. */
static void put_block(const struct mr_experiment_block *block, size_t k, const char **value)
{
    for (size_t i = block->n_factor; i-- > 0;) {
        const struct mr_experiment_factor *f = &block->factor[i];
        if (block->kind == MR_EXPERIMENT_GRID) {
            value[i] = f->value[k % f->n_value];
            k /= f->n_value;
        } else {
            value[i] = f->value[k];
        }
    }
}

mr_status mr_design_expand(const struct mr_experiment *experiment, struct mr_design *design,
                           struct mr_err *err)
{
    struct mr_design *d = design;
    *d = (struct mr_design){0};
    MR_TRY(count(experiment, d, err));
    d->path = mr_alloc(d->n_factor, sizeof *d->path);
    d->at = mr_alloc(d->n_factor, sizeof *d->at);
    d->value = mr_alloc(d->n_row * d->n_factor, sizeof *d->value);
    d->seed = mr_alloc_zero(d->n_row, sizeof *d->seed);
    d->hash = mr_alloc_zero(d->n_row, sizeof *d->hash);
    if (d->path == NULL || d->at == NULL || d->value == NULL || d->seed == NULL || d->hash == NULL)
        return mr_err_nomem(err, d->n_row * (d->n_factor + 2) * sizeof *d->value);
    for (size_t b = 0, n = 0; b < experiment->n_block; b++)
        for (size_t i = 0; i < experiment->block[b].n_factor; i++, n++) {
            const struct mr_experiment_factor *f = &experiment->block[b].factor[i];
            d->path[n] = f->path;
            /* the name in `at` was the document's, which is closed */
            d->at[n] = (struct mr_place){experiment->path, f->at.line, f->at.col};
        }
    for (size_t row = 0; row < d->n_row; row++) {
        size_t k = row, n = d->n_factor;
        if (d->has_seeds) {
            d->seed[row] = experiment->seed[k % experiment->n_seed];
            k /= experiment->n_seed;
        }
        for (size_t b = experiment->n_block; b-- > 0;) {
            const struct mr_experiment_block *block = &experiment->block[b];
            n -= block->n_factor;
            put_block(block, k % block->n_row, d->value + row * d->n_factor + n);
            k /= block->n_row;
        }
    }
    return MR_OK;
}

void mr_design_fini(struct mr_design *design)
{
    mr_free(design->path);
    mr_free(design->at);
    mr_free(design->value);
    mr_free(design->seed);
    mr_free(design->hash);
    *design = (struct mr_design){0};
}

const char *mr_design_id(size_t row, char out[MR_DESIGN_ID])
{
    snprintf(out, MR_DESIGN_ID, "%05zu", row % 100000000);
    return out;
}

void mr_design_manifest(const struct mr_design *design, struct mr_buf *out)
{
    struct mr_csv_writer w = {.buf = out};
    char id[MR_DESIGN_ID];
    mr_csv_put_text(&w, "run_id");
    for (size_t i = 0; i < design->n_factor; i++)
        mr_csv_put_text(&w, design->path[i]);
    mr_csv_put_text(&w, "seed");
    mr_csv_put_text(&w, "config_hash");
    mr_csv_put_end(&w);
    for (size_t row = 0; row < design->n_row; row++) {
        mr_csv_put_text(&w, mr_design_id(row, id));
        for (size_t i = 0; i < design->n_factor; i++) {
            const char *value = design->value[row * design->n_factor + i];
            mr_csv_put_text(&w, value != NULL ? value : "");
        }
        mr_csv_put_u64(&w, design->seed[row]);
        mr_csv_put_text(&w, design->hash[row]);
        mr_csv_put_end(&w);
    }
}

/* ---- parts ---- */

static bool parse_pair(struct mr_str text, char between, uint64_t *a, uint64_t *b)
{
    const char *at = memchr(text.p, between, text.n);
    if (at == NULL)
        return false;
    const struct mr_str first = {text.p, (size_t)(at - text.p)};
    const struct mr_str second = {at + 1, text.n - first.n - 1};
    return mr_num_parse_u64(mr_str_trim(first), a) == MR_OK &&
           mr_num_parse_u64(mr_str_trim(second), b) == MR_OK;
}

mr_status mr_design_shard(const char *text, size_t n_row, bool *is_on, struct mr_err *err)
{
    uint64_t part, n;
    if (text == NULL)
        return MR_OK;
    if (!parse_pair(mr_str_of(text), '/', &part, &n) || part >= n)
        return mr_err_set(err, MR_PARSE, MR_NOWHERE,
                          "--shard \"%s\": not I/N with I from 0 to N - 1", text);
    for (size_t i = 0; i < n_row; i++)
        is_on[i] = is_on[i] && i % n == part;
    return MR_OK;
}

mr_status mr_design_rows(const char *text, size_t n_row, bool *is_on, struct mr_err *err)
{
    if (text == NULL)
        return MR_OK;
    bool *is_named = mr_alloc_zero(n_row, sizeof *is_named);
    if (is_named == NULL)
        return mr_err_nomem(err, n_row);
    mr_status st = MR_OK;
    for (const char *from = text; from != NULL && st == MR_OK;) {
        const char *comma = strchr(from, ',');
        const struct mr_str item = mr_str_trim(
            (struct mr_str){from, comma != NULL ? (size_t)(comma - from) : strlen(from)});
        uint64_t a = 0, b = 0;
        if (mr_num_parse_u64(item, &a) == MR_OK)
            b = a;
        else if (!parse_pair(item, '-', &a, &b) || b < a)
            st = mr_err_set(err, MR_PARSE, MR_NOWHERE, "--rows \"%s\": not as in 3-7,12", text);
        if (st == MR_OK && b >= n_row)
            st = mr_err_set(err, MR_RANGE, MR_NOWHERE, "--rows \"%s\": rows go from 0 to %zu", text,
                            n_row - 1);
        for (size_t i = (size_t)a; st == MR_OK && i <= b; i++)
            is_named[i] = true;
        from = comma != NULL ? comma + 1 : NULL;
    }
    for (size_t i = 0; i < n_row; i++)
        is_on[i] = is_on[i] && is_named[i];
    mr_free(is_named);
    return st;
}
