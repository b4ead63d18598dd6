/* SPDX-License-Identifier: Apache-2.0 */
/* Rows are those of the table that compare, regress and report judge by. */
#include "engine/cli/schema_kpi.h"

#include "engine/base/jsonw.h"
#include "engine/base/num.h"
#include "engine/cli/man.h"
#include "postprocess/kpi.h"

#include <stdio.h>

static const char *const how =
    "The first row that fits a figure's path tells what is known of it; * stands for any text. "
    "compare and report say better or worse by it, regress fails beyond its limit where a "
    "tolerance file says nothing else. Differences within the noise are none: same.";

static const char *const ways[] = {
    [MR_KPI_NEITHER] = "neither", [MR_KPI_UP] = "up", [MR_KPI_DOWN] = "down"};

enum {
    limit_cap = 64
};

/* What it may get worse by: "2 %", "0", "any". */
static const char *limit_of(const struct mr_kpi *row, char out[limit_cap])
{
    char text[MR_NUM_CAP];
    if (row->better == MR_KPI_NEITHER)
        return "any";
    if (!(row->rel > 0))
        return "0";
    (void)mr_num_format_human(100 * row->rel, 3, text);
    (void)snprintf(out, limit_cap, "%s %%", text);
    return out;
}

static const char *noise_of(const struct mr_kpi *row, char out[MR_NUM_CAP])
{
    (void)mr_num_format_human(row->abs, 3, out);
    return out;
}

void mr_schema_kpi_md(struct mr_buf *out)
{
    char limit[limit_cap], noise[MR_NUM_CAP];
    mr_buf_printf(out,
                  "%s\n\n| figure | unit | better | limit | noise | bounded by | meaning |\n"
                  "|---|---|---|---|---|---|---|\n",
                  how);
    for (size_t i = 0; i < mr_kpi_n(); i++) {
        const struct mr_kpi *row = mr_kpi_at(i);
        mr_buf_printf(out, "| `%s` | %s | %s | %s | %s | %s | %s |\n", row->path, row->unit,
                      ways[row->better], limit_of(row, limit), noise_of(row, noise),
                      row->limit != NULL ? row->limit : "", row->doc);
    }
}

void mr_schema_kpi_man(struct mr_buf *out)
{
    char limit[limit_cap], noise[MR_NUM_CAP];
    mr_man_line(out, ".SH DESCRIPTION\n", how);
    mr_buf_text(out, ".SH FIGURES\n");
    for (size_t i = 0; i < mr_kpi_n(); i++) {
        const struct mr_kpi *row = mr_kpi_at(i);
        mr_man_item(out, row->path);
        mr_man_line(out, "", row->doc);
        mr_buf_printf(out, ".br\nunit %s, better %s, limit %s, noise %s", row->unit,
                      ways[row->better], limit_of(row, limit), noise_of(row, noise));
        if (row->limit != NULL)
            mr_buf_printf(out, ", bounded by %s", row->limit);
        mr_buf_char(out, '\n');
    }
}

void mr_schema_kpi_json(struct mr_buf *out)
{
    struct mr_jsonw w;
    mr_jsonw_init(&w, out, 2);
    mr_jsonw_object(&w);
    mr_jsonw_key_u64(&w, "schema", 1);
    mr_jsonw_key_text(&w, "kind", "kpi");
    mr_jsonw_key(&w, "figures");
    mr_jsonw_array(&w);
    for (size_t i = 0; i < mr_kpi_n(); i++) {
        const struct mr_kpi *row = mr_kpi_at(i);
        mr_jsonw_object(&w);
        mr_jsonw_key_text(&w, "path", row->path);
        mr_jsonw_key_text(&w, "unit", row->unit);
        mr_jsonw_key_text(&w, "better", ways[row->better]);
        mr_jsonw_key_f64(&w, "rel", row->rel);
        mr_jsonw_key_f64(&w, "noise", row->abs);
        mr_jsonw_key_text(&w, "bounded_by", row->limit);
        mr_jsonw_key_text(&w, "doc", row->doc);
        mr_jsonw_end(&w);
    }
    mr_jsonw_end(&w);
    mr_jsonw_end(&w);
    mr_buf_char(out, '\n');
}
