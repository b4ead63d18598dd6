/* SPDX-License-Identifier: Apache-2.0 */
/* What pages of verbs and pages of files have in common. */
#include "engine/cli/man.h"

#include "engine/cli/version.h"

void mr_man_head(struct mr_buf *out, const char *name, int section, const char *text)
{
    mr_buf_text(out, ".TH ");
    for (const char *p = name; *p != '\0'; p++)
        mr_buf_char(out, *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p);
    mr_buf_printf(out, " %d \"\" \"Millrace %s\" \"Millrace manual\"\n.SH NAME\n", section,
                  mr_version_number());
    mr_man_text(out, name);
    mr_buf_text(out, " \\- ");
    mr_man_text(out, text);
    mr_buf_char(out, '\n');
}

void mr_man_text(struct mr_buf *out, const char *text)
{
    if (*text == '.' || *text == '\'')
        mr_buf_text(out, "\\&");
    for (; *text != '\0'; text++) {
        if (*text == '\\')
            mr_buf_text(out, "\\e");
        else if (*text == '-')
            mr_buf_text(out, "\\-");
        else
            mr_buf_char(out, *text);
    }
}

void mr_man_line(struct mr_buf *out, const char *macro, const char *text)
{
    mr_buf_text(out, macro);
    mr_man_text(out, text);
    mr_buf_char(out, '\n');
}

void mr_man_item(struct mr_buf *out, const char *name)
{
    mr_buf_text(out, ".TP\n");
    mr_man_line(out, ".B ", name);
}

void mr_man_options(struct mr_buf *out, const struct mr_opt_table *table)
{
    for (size_t i = 0; i < table->n; i++) {
        const struct mr_opt *opt = &table->row[i];
        mr_buf_text(out, ".TP\n");
        if (opt->letter != 0)
            mr_buf_printf(out, "\\fB\\-%c\\fR, ", opt->letter);
        mr_buf_text(out, "\\fB\\-\\-");
        mr_man_text(out, opt->param.name);
        mr_buf_text(out, "\\fR");
        if (opt->metavar != NULL)
            mr_buf_printf(out, " \\fI%s\\fR", opt->metavar);
        mr_buf_char(out, '\n');
        mr_man_text(out, opt->param.doc);
        if (opt->metavar != NULL && opt->param.fallback != NULL) {
            mr_buf_text(out, " (default: ");
            mr_man_text(out, opt->param.fallback);
            mr_buf_char(out, ')');
        }
        mr_buf_text(out, ".\n");
    }
}

/* "Kind; default; bounds." below the sentence of a row. */
static void param_facts(struct mr_buf *out, const struct mr_param *row)
{
    struct mr_buf bounds = {0};
    mr_param_bounds(row, &bounds);
    mr_buf_text(out, ".br\n");
    mr_man_text(out, mr_param_kind_name(row));
    mr_buf_text(out, "; ");
    mr_man_text(out, row->fallback != NULL ? "default " : mr_param_without_default(row));
    mr_man_text(out, row->fallback != NULL ? row->fallback : "");
    if (bounds.n > 0) {
        mr_buf_text(out, "; ");
        mr_man_text(out, bounds.text);
    }
    mr_buf_char(out, '\n');
    mr_buf_fini(&bounds);
}

void mr_man_params(struct mr_buf *out, const struct mr_param_table *table)
{
    mr_buf_text(out, ".SH \"");
    mr_man_text(out, table->name);
    mr_buf_text(out, "\"\n");
    mr_man_line(out, "", table->doc);
    for (size_t i = 0; i < table->n; i++) {
        mr_man_item(out, table->row[i].name);
        mr_man_line(out, "", table->row[i].doc);
        param_facts(out, &table->row[i]);
    }
}
