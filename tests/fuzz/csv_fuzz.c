/* SPDX-License-Identifier: Apache-2.0 */
/* CSV: the first byte picks the dialect. All rows that are accepted, written by the writer and read
 * again, must give the same fields; fields, places and errors must not depend on how the bytes
 * arrive; an error has a place and stays. */
#include "engine/base/csv.h"
#include "engine/base/mem.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

/* Everything read, as "LENGTH:bytes" per field and ";" per row; and the same rows as CSV. */
static mr_status read_all(const char *bytes, size_t n, const struct mr_csv_options *options,
                          struct mr_buf *seen, struct mr_buf *rewritten, struct mr_buf *places)
{
    struct mr_err err = {0};
    struct mr_gz *gz;
    struct mr_csv *csv;
    struct mr_csv_writer w = {rewritten, false};
    bool has_row = true;
    mr_status st = mr_gz_open_memory(bytes, n, "fuzz", &gz, &err);
    if (st == MR_OK)
        st = mr_csv_create(gz, options, &csv, &err);
    if (st != MR_OK) {
        mr_buf_text(places, err.text);
        return st;
    }
    while (has_row) {
        st = mr_csv_next(csv, &has_row, &err);
        if (st != MR_OK || !has_row)
            break;
        for (size_t i = 0; i < mr_csv_n_field(csv); i++) {
            const struct mr_str f = mr_csv_field(csv, i);
            double value;
            mr_buf_printf(seen, "%zu:", f.n);
            mr_buf_add(seen, f.p, f.n);
            mr_csv_put_str(&w, f);
            (void)!mr_csv_f64(csv, i, &value, NULL);
            const struct mr_place at = mr_csv_place(csv, i);
            require(at.line >= 1 && at.col >= 1, "a place");
            mr_buf_printf(places, "%d:%d ", at.line, at.col);
        }
        mr_buf_char(seen, ';');
        mr_csv_put_end(&w);
    }
    require(st == MR_OK || (err.text[0] != '\0' && err.line >= 1 && err.col >= 1),
            "an error says why and where");
    mr_buf_printf(places, "%d:%d %s", err.line, err.col, err.text);
    if (st != MR_OK && st != MR_SCHEMA)
        require(mr_csv_next(csv, &has_row, NULL) == st && !has_row && mr_csv_n_field(csv) == 0,
                "an error stays");
    mr_csv_close(csv);
    return st;
}

static bool equal(const struct mr_buf *a, const struct mr_buf *b)
{
    return mr_str_eq((struct mr_str){a->text, a->n}, (struct mr_str){b->text, b->n});
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct mr_csv_options options = {.separator = (data[0] & 1) != 0 ? ';' : ',',
                                     .comment = (data[0] & 2) != 0 ? '#' : '\0',
                                     .has_no_header = (data[0] & 4) != 0,
                                     .may_be_ragged = (data[0] & 8) != 0,
                                     .n_skip = data[0] >> 7,
                                     .field_max_bytes = (data[0] & 64) != 0 ? 12 : 1 << 14,
                                     .row_max_bytes = (data[0] & 64) != 0 ? 40 : 1 << 16};
    const struct mr_csv_options plain = {.has_no_header = true, .may_be_ragged = true};
    const char *text = (const char *)data + 1;
    struct mr_buf seen = {0}, rewritten = {0}, places = {0}, again = {0}, ignored = {0};
    const mr_status st = read_all(text, size - 1, &options, &seen, &rewritten, &places);
    options.read_bytes = 1 + (data[0] >> 4) % 4;
    struct mr_buf places_again = {0};
    require(read_all(text, size - 1, &options, &again, &ignored, &places_again) == st,
            "the same verdict from small reads");
    require(equal(&seen, &again), "the same fields from small reads");
    require(equal(&places, &places_again), "the same places and message from small reads");
    mr_buf_clear(&again);
    if (st == MR_OK && rewritten.n > 0) {
        require(read_all(rewritten.text, rewritten.n, &plain, &again, &ignored, &places_again) ==
                    MR_OK,
                "what is written can be read");
        require(equal(&seen, &again), "the same fields");
    }
    mr_buf_fini(&seen);
    mr_buf_fini(&rewritten);
    mr_buf_fini(&places);
    mr_buf_fini(&places_again);
    mr_buf_fini(&again);
    mr_buf_fini(&ignored);
    return 0;
}
