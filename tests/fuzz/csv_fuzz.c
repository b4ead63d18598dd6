/* SPDX-License-Identifier: Apache-2.0 */
/* CSV: the first byte picks the dialect. All rows that are accepted, written by the writer and read
 * again, must give the same fields; every error must be placed inside the text. */
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
                          struct mr_buf *seen, struct mr_buf *rewritten)
{
    struct mr_err err = {0};
    struct mr_gz *gz;
    struct mr_csv *csv;
    struct mr_csv_writer w = {rewritten, false};
    bool has_row = true;
    mr_status st = mr_gz_open_memory(bytes, n, "fuzz", &gz, &err);
    if (st == MR_OK)
        st = mr_csv_create(gz, options, &csv, &err);
    if (st != MR_OK)
        return st;
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
            require(mr_csv_place(csv, i).line >= 1 && mr_csv_place(csv, i).col >= 1, "a place");
        }
        mr_buf_char(seen, ';');
        mr_csv_put_end(&w);
    }
    require(st == MR_OK || err.text[0] != '\0', "an error says why");
    mr_csv_close(csv);
    return st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const struct mr_csv_options options = {.separator = (data[0] & 1) != 0 ? ';' : ',',
                                           .comment = (data[0] & 2) != 0 ? '#' : '\0',
                                           .has_no_header = (data[0] & 4) != 0,
                                           .may_be_ragged = (data[0] & 8) != 0,
                                           .n_skip = data[0] >> 7,
                                           .row_max_bytes = 1 << 16};
    const struct mr_csv_options plain = {.has_no_header = true, .may_be_ragged = true};
    struct mr_buf seen = {0}, rewritten = {0}, again = {0}, ignored = {0};
    if (read_all((const char *)data + 1, size - 1, &options, &seen, &rewritten) == MR_OK &&
        rewritten.n > 0) {
        require(read_all(rewritten.text, rewritten.n, &plain, &again, &ignored) == MR_OK,
                "what is written can be read");
        require(again.n == seen.n && memcmp(again.text, seen.text, seen.n) == 0, "the same fields");
    }
    mr_buf_fini(&seen);
    mr_buf_fini(&rewritten);
    mr_buf_fini(&again);
    mr_buf_fini(&ignored);
    return 0;
}
