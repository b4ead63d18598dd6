/* SPDX-License-Identifier: Apache-2.0 */
/* A page of HTML that is well-formed XML, holds its style and its tables as CSV, has no script and
 * asks nobody for anything. Light and dark by the reader's preference; prints on A4 and Letter. */
#ifndef MR_POSTPROCESS_PAGE_H
#define MR_POSTPROCESS_PAGE_H

#include "engine/base/csv.h"
#include "engine/base/num.h"

struct mr_page_sheet {
    char name[64]; /* "power_duration": of its file, without ".csv" */
    struct mr_buf csv;
};

/* Owned by the caller: mr_page_fini. Zero-initialize. */
struct mr_page {
    struct mr_buf out; /* the page; look at its status once */
    struct mr_page_sheet *sheet;
    size_t n_sheet, cap_sheet;
    size_t n_tab;      /* groups of tabs so far */
    struct mr_err err; /* of sheets */
};

void mr_page_begin(struct mr_page *page, const char *title);
void mr_page_end(struct mr_page *page);
void mr_page_fini(struct mr_page *page);

/** @return MR_OK, or why the page is not whole */
MR_CHECKED mr_status mr_page_check(const struct mr_page *page, struct mr_err *err);

/** A heading with its anchor; closes the section before it. */
void mr_page_section(struct mr_page *page, const char *id, const char *title);

/** A paragraph, escaped. */
void mr_page_say(struct mr_page *page, const char *fmt, ...) MR_PRINTF(2, 3);

/** What a file does not hold, in its place. */
void mr_page_missing(struct mr_page *page, const char *fmt, ...) MR_PRINTF(2, 3);

/* ---- tables: of the page and of its sheet at once ---- */

struct mr_page_table {
    struct mr_page *page;
    struct mr_buf csv, brief; /* brief: of the page's link */
    struct mr_csv_writer w, brief_w;
    const char *name;
    size_t i_column;
    bool is_over; /* on the page; rows from here on are in the sheet alone */
};

/** @param[in] head n titles of columns; a leading '#' marks one of numbers @param[in] name of its
 *  sheet */
void mr_page_table(struct mr_page_table *table, struct mr_page *page, const char *name,
                   const char *const *head, size_t n);
void mr_page_cell(struct mr_page_table *table, const char *text);
void mr_page_cell_hint(struct mr_page_table *table, const char *text, const char *hint);
void mr_page_cell_f64(struct mr_page_table *table, double value); /* four digits; NaN: a dash */
void mr_page_row(struct mr_page_table *table);                    /* before its cells */
void mr_page_table_rest(struct mr_page_table *table); /* before mr_page_row: see is_over */
void mr_page_table_end(struct mr_page_table *table);

/** A sheet of the numbers of a chart or a table, whose link on the page may give less than the
 * sheet: pages stay small. Takes the text. @param[in] brief lent; NULL: no link */
void mr_page_sheet_brief(struct mr_page *page, const char *name, struct mr_buf *take_csv,
                         const struct mr_buf *brief);

/** A number of a brief sheet: five digits; NaN is empty. */
void mr_page_brief_f64(struct mr_csv_writer *w, double value);

#endif
