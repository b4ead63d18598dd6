/* SPDX-License-Identifier: Apache-2.0 */
/* The style stands first. Its colors are those of Okabe and Ito, lightened where the ground is
 * dark; every series differs by dash or shape too. */
#include "postprocess/page.h"

#include "engine/base/mem.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

enum {
    n_column_max =
        9, /* columns of numbers whose place the style knows; others say so cell by cell */
    n_column_roomy = 9 /* more stand closer */
};

static const char style[] =
    ":root{color-scheme:light dark;--ink:#1a1a1a;--dim:#5c5c5c;--line:#d8d8d4;--page:#ffffff;"
    "--card:#f5f5f2;--good:#00664a;--bad:#a33b00;--shade:#009e73;"
    "--c0:#0072b2;--c1:#d55e00;--c2:#009e73;--c3:#b0568c;--c4:#a87400;--c5:#3a8fc0;--c6:#6a5acd;"
    "--c7:#555555}\n"
    "@media (prefers-color-scheme:dark){:root{--ink:#e8e8e4;--dim:#a8a8a2;--line:#44443f;"
    "--page:#161614;--card:#22221f;--good:#5fd3a8;--bad:#ff9d5c;--shade:#5fd3a8;"
    "--c0:#56b4e9;--c1:#ff8f40;--c2:#3fcf9f;--c3:#e69fc4;--c4:#f0c040;--c5:#9fd4f5;--c6:#b3a8ff;"
    "--c7:#bbbbbb}}\n"
    "*{box-sizing:border-box}body{margin:0 auto;max-width:1080px;padding:16px;font:15px/1.45 "
    "system-ui,sans-serif;color:var(--ink);background:var(--page)}\n"
    "h1{font-size:1.5em;margin:.2em 0}h2{font-size:1.2em;margin:1.6em 0 .5em;padding-top:.5em;"
    "border-top:1px solid var(--line)}h3{font-size:1em;margin:1em 0 .3em}p{margin:.4em 0}\n"
    ".verdict{font-size:1.1em;background:var(--card);padding:.7em .9em;border-left:4px solid "
    "var(--c0)}.part{border-left-color:var(--c1)}.missing{color:var(--dim);background:var(--card);"
    "padding:.4em .7em;font-size:.93em}.dim,small{color:var(--dim)}\n"
    "nav a{margin-right:.9em;white-space:nowrap}a{color:var(--c0)}.csv{font-size:.85em}\n"
    ".wide{overflow-x:auto}table{border-collapse:collapse;font-size:.9em;margin:.4em 0}"
    "th,td{padding:.2em .6em;border-bottom:1px solid var(--line);text-align:left;"
    "vertical-align:top}th.n,td.n,"
    ".n1 tr>:nth-child(1),.n2 tr>:nth-child(2),.n3 tr>:nth-child(3),"
    ".n4 tr>:nth-child(4),.n5 tr>:nth-child(5),.n6 tr>:nth-child(6),"
    ".n7 tr>:nth-child(7),.n8 tr>:nth-child(8),.n9 "
    "tr>:nth-child(9){text-align:right;font-variant-numeric:tabular-nums;"
    "white-space:nowrap}.good{color:var(--good)}.bad{color:var(--bad)}td.break{overflow-wrap:"
    "anywhere}\n"
    ".grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,400px),1fr));"
    "gap:12px}figure{margin:0;background:var(--card);padding:8px 10px;min-width:0}"
    "figcaption{font-weight:600}figcaption small{font-weight:400}svg.chart{width:100%;"
    "max-width:640px;overflow:visible;height:auto;display:block}svg.chart.wide{max-width:none}svg."
    "plan{width:100%;height:auto;display:block;margin-top:6px}\n"
    "svg text{font:11px system-ui,sans-serif;fill:var(--ink)}svg .e{text-anchor:end}svg .m{"
    "text-anchor:middle}svg .name{fill:var(--dim)}"
    "svg .note{fill:var(--ink);paint-order:stroke;stroke:var(--card);stroke-width:3px}"
    "svg path.grid{stroke:var(--line);fill:none;stroke-width:.7}svg path.axis{stroke:var(--dim);"
    "fill:none}svg path.mark{stroke:var(--ink);stroke-dasharray:2 2;fill:none}"
    "svg .shade{fill:var(--shade);opacity:.13}svg .l{fill:none;stroke-width:3.2;"
    "stroke-linejoin:round}svg .p{stroke:var(--card);stroke-width:.8}svg "
    ".many{stroke:none}svg "
    ".b{stroke:none;opacity:"
    ".85}.cell{stroke-width:.92;stroke-dasharray:.92 .08}svg "
    "path.none{fill:none;stroke-width:1;stroke:var(--dim);stroke-dasharray:2 1;vector-effect:"
    "non-scaling-stroke}\n"
    ".l.c0{stroke:var(--c0)}.l.c1{stroke:var(--c1);stroke-dasharray:14 6}.l.c2{stroke:var(--c2);"
    "stroke-dasharray:4 4}.l.c3{stroke:var(--c3);stroke-dasharray:18 6 4 6}.l.c4{stroke:var(--c4);"
    "stroke-dasharray:10 4}.l.c5{stroke:var(--c5);stroke-dasharray:2 6}.l.c6{stroke:var(--c6);"
    "stroke-dasharray:24 8}.l.c7{stroke:var(--c7);stroke-dasharray:8 8}\n"
    ".p.c0,.b.c0{fill:var(--c0)}.p.c1,.b.c1{fill:var(--c1)}.p.c2,.b.c2{fill:var(--c2)}.p.c3,.b.c3{"
    "fill:var(--c3)}.p.c4,.b.c4{fill:var(--c4)}.p.c5,.b.c5{fill:var(--c5)}.p.c6,.b.c6{fill:"
    "var(--c6)}.p.c7,.b.c7{fill:var(--c7)}\n"
    ".legend{font-size:.85em;color:var(--dim);margin:.2em 0 0}.legend span{margin-right:1em;"
    "display:inline-block}.key{width:24px;height:12px;vertical-align:-1px}\n"
    ".scale{display:flex;justify-content:space-between;font-size:11px;margin:4px 0 "
    "0;padding-top:10px;"
    "background:linear-gradient(90deg,#00224e,#33436b,#575d6d,#7b7977,#a59770,#d0b85c,#fee838) "
    "0 0/100% 9px no-repeat}\n" /* the colors of mr_chart_color */
    ".tabs{margin:.4em 0}.tabs>input{position:absolute;opacity:0}.tabs>label{display:inline-block;"
    "padding:.25em .7em;border:1px solid var(--line);margin:0 .3em .3em 0;cursor:pointer;"
    "font-size:.9em}.tabs>input:checked+label{background:var(--c0);color:var(--page)}"
    ".tabs>input:focus-visible+label{outline:2px solid var(--c1)}.tabs>.panel{display:none}\n";

/* What few charts and tables need. */
static const char rare_style[] =
    "nav{margin:.6em 0}table.tight{font-size:.8em}.tight th,.tight td{padding:.2em .3em}\n"
    /* from the ninth series on */
    ".l.r1{stroke-dasharray:1 10;stroke-linecap:round;stroke-width:5}.l.r2{stroke-dasharray:30 6 2 "
    "6 2 6}.p.r1{fill-opacity:.15;stroke:var(--ink)}.p.r2{fill-opacity:.5;stroke:var(--ink)}"
    ".b.r1{opacity:.45}.b.r2{opacity:.25}\n"
    /* the dark end of the scale on dark ground; paper has the ground of light windows */
    "@media screen and (prefers-color-scheme:dark){svg.plan{filter:drop-shadow(0 0 1px "
    "var(--dim))}}\n";

/* Lines are drawn in halves of a unit. Narrow windows have narrow tables. */
static const char print_style[] =
    "svg .l{transform:scale(.5)}@media (max-width:900px){table{font-size:.8em}th,td{padding:.2em "
    ".3em}thead th{white-space:normal!important}}@page{margin:14mm}@media "
    "print{:root{--ink:#000;--dim:#444;--line:#bbb;--page:#fff;"
    "--card:#fff;--good:#00523b;--bad:#8a3200;--c0:#0072b2;--c1:#b84f00;--c2:#00805c;--c3:#96467a;"
    "--c4:#8a6000;--c5:#2b7aa8;--c6:#5446b8;--c7:#444}body{max-width:none;padding:0;font-size:10pt}"
    ".wide{overflow:visible}table{font-size:8pt}th,td{padding:.15em "
    ".3em}th,td,th.n{white-space:normal!important}td:first-child{overflow-wrap:"
    "anywhere}td.name{overflow-wrap:break-word!important}nav,.csv,.tabs>input,.tabs>label{display:"
    "none}.tabs>.panel{display:block!important}"
    ".panel svg.plan{width:auto;max-width:100%!important;max-height:52mm}"
    "figure,tr{break-inside:avoid}h2,h3{break-after:avoid}.grid{grid-template-columns:1fr 1fr}"
    "*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}\n";

/* ---- pages ---- */

static void put_xml(struct mr_page *page, const char *text)
{
    mr_buf_xml(&page->out, (struct mr_str){text, mr_utf8_valid_len(text, strlen(text))});
}

void mr_page_begin(struct mr_page *page, const char *title)
{
    mr_buf_text(&page->out,
                "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n"
                "<head><meta charset=\"utf-8\"/><meta name=\"viewport\" "
                "content=\"width=device-width, initial-scale=1\"/><title>");
    put_xml(page, title);
    mr_buf_text(&page->out, "</title><style>\n");
    mr_buf_text(&page->out, style);
    mr_buf_text(&page->out, rare_style);
    mr_buf_text(&page->out, print_style);
    mr_buf_text(&page->out, "</style></head>\n<body><h1>");
    put_xml(page, title);
    mr_buf_text(&page->out, "</h1>\n<div>");
}

void mr_page_end(struct mr_page *page)
{
    mr_buf_text(&page->out, "</div></body></html>\n");
}

mr_status mr_page_check(const struct mr_page *page, struct mr_err *err)
{
    if (page->err.status != MR_OK) {
        *err = page->err;
        return page->err.status;
    }
    return mr_buf_check(&page->out, err);
}

void mr_page_fini(struct mr_page *page)
{
    for (size_t i = 0; i < page->n_sheet; i++)
        mr_buf_fini(&page->sheet[i].csv);
    mr_free(page->sheet);
    mr_buf_fini(&page->out);
    *page = (struct mr_page){0};
}

void mr_page_section(struct mr_page *page, const char *id, const char *title)
{
    mr_buf_printf(&page->out, "</div>\n<h2 id=\"%s\">", id);
    put_xml(page, title);
    mr_buf_text(&page->out, "</h2><div>\n");
}

static void MR_PRINTF(3, 0)
    put_words(struct mr_page *page, const char *class, const char *fmt, va_list args)
{
    char text[1024];
    (void)vsnprintf(text, sizeof text, fmt, args);
    mr_buf_printf(&page->out, "<p%s>", class);
    put_xml(page, text);
    mr_buf_text(&page->out, "</p>\n");
}

void mr_page_say(struct mr_page *page, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    put_words(page, "", fmt, args);
    va_end(args);
}

void mr_page_missing(struct mr_page *page, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    put_words(page, " class=\"missing\"", fmt, args);
    va_end(args);
}

/* ---- sheets ---- */

static void put_uri(struct mr_buf *out, const struct mr_buf *text)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text->n; i++) {
        const unsigned char c = (unsigned char)text->text[i];
        const bool is_plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                              (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_' ||
                              c == ',';
        if (is_plain) {
            mr_buf_char(out, (char)c);
        } else {
            mr_buf_char(out, '%');
            mr_buf_char(out, hex[c >> 4]);
            mr_buf_char(out, hex[c & 15]);
        }
    }
}

void mr_page_sheet_brief(struct mr_page *page, const char *name, struct mr_buf *take_csv,
                         const struct mr_buf *brief)
{
    if (page->err.status != MR_OK || mr_buf_check(take_csv, &page->err) != MR_OK ||
        mr_grow(&page->sheet, &page->cap_sheet, page->n_sheet + 1, sizeof *page->sheet,
                &page->err) != MR_OK) {
        mr_buf_fini(take_csv);
        return;
    }
    struct mr_page_sheet *sheet = &page->sheet[page->n_sheet++];
    (void)snprintf(sheet->name, sizeof sheet->name, "%s", name);
    if (brief != NULL) {
        mr_buf_printf(&page->out,
                      "<p class=\"csv\"><a download=\"%s.csv\" "
                      "href=\"data:text/csv;charset=utf-8,",
                      sheet->name);
        put_uri(&page->out, brief);
        mr_buf_printf(&page->out, "\">%s.csv</a></p>\n", sheet->name);
    }
    sheet->csv = *take_csv;
    *take_csv = (struct mr_buf){0};
}

void mr_page_brief_f64(struct mr_csv_writer *w, double value)
{
    char text[MR_NUM_CAP] = "";
    if (!isnan(value))
        (void)mr_num_format_human(value, 5, text);
    mr_csv_put_text(w, text);
}

/* ---- tables ---- */

void mr_page_table(struct mr_page_table *table, struct mr_page *page, const char *name,
                   const char *const *head, size_t n)
{
    *table = (struct mr_page_table){.page = page, .name = name};
    table->w.buf = &table->csv;
    table->brief_w.buf = &table->brief;
    mr_buf_printf(&page->out, "<div class=\"wide\"><table class=\"n%s",
                  n > n_column_roomy ? " tight" : "");
    for (size_t i = 0; i < n; i++)
        if (i < n_column_max && head[i][0] == '#')
            mr_buf_printf(&page->out, " n%zu", i + 1);
    mr_buf_text(&page->out, "\"><thead><tr>");
    for (size_t i = 0; i < n; i++) {
        const bool is_number = head[i][0] == '#';
        mr_buf_text(&page->out, is_number && i >= n_column_max ? "<th class=\"n\">" : "<th>");
        put_xml(page, head[i] + is_number);
        mr_buf_text(&page->out, "</th>");
        mr_csv_put_text(&table->w, head[i] + is_number);
        mr_csv_put_text(&table->brief_w, head[i] + is_number);
    }
    mr_csv_put_end(&table->w);
    mr_csv_put_end(&table->brief_w);
    mr_buf_text(&page->out, "</tr></thead><tbody><tr>");
}

/* The first row is open already. */
void mr_page_row(struct mr_page_table *table)
{
    if (!table->w.has_field)
        return;
    mr_csv_put_end(&table->w);
    mr_csv_put_end(&table->brief_w);
    table->i_column = 0;
    if (!table->is_over)
        mr_buf_text(&table->page->out, "</tr>\n<tr>");
}

void mr_page_table_rest(struct mr_page_table *table)
{
    table->is_over = true;
}

static void put_text(struct mr_page_table *table, const char *text)
{
    mr_csv_put_text(&table->w, text);
    mr_csv_put_text(&table->brief_w, text);
    table->i_column++;
}

void mr_page_cell_hint(struct mr_page_table *table, const char *text, const char *hint)
{
    put_text(table, text);
    if (table->is_over)
        return;
    mr_buf_text(&table->page->out, "<td class=\"name\" title=\"");
    put_xml(table->page, hint);
    mr_buf_text(&table->page->out, "\">");
    for (const char *word = text; *word != '\0';) { /* a line may end behind a word of it */
        size_t n = strcspn(word, "._");
        n += word[n] != '\0';
        mr_buf_xml(&table->page->out, (struct mr_str){word, mr_utf8_valid_len(word, n)});
        word += n;
        if (*word != '\0')
            mr_buf_text(&table->page->out, "<wbr/>");
    }
    mr_buf_text(&table->page->out, "</td>");
}

void mr_page_cell(struct mr_page_table *table, const char *text)
{
    const bool is_good = strcmp(text, "better") == 0, is_bad = strcmp(text, "worse") == 0;
    put_text(table, text);
    if (table->is_over)
        return;
    mr_buf_text(&table->page->out, is_good             ? "<td class=\"good\">"
                                   : is_bad            ? "<td class=\"bad\">"
                                   : strlen(text) > 40 ? "<td class=\"break\">"
                                                       : "<td>");
    put_xml(table->page, text);
    mr_buf_text(&table->page->out, "</td>");
}

void mr_page_cell_f64(struct mr_page_table *table, double value)
{
    char text[MR_NUM_CAP] = "-";
    mr_csv_put_f64(&table->w, value);
    mr_page_brief_f64(&table->brief_w, value);
    const bool is_far = table->i_column++ >= n_column_max;
    if (table->is_over)
        return;
    if (!isnan(value))
        (void)mr_num_format_human(value, 4, text);
    mr_buf_printf(&table->page->out, is_far ? "<td class=\"n\">%s</td>" : "<td>%s</td>", text);
}

void mr_page_table_end(struct mr_page_table *table)
{
    mr_csv_put_end(&table->w);
    mr_csv_put_end(&table->brief_w);
    mr_buf_text(&table->page->out, "</tr></tbody></table></div>\n");
    mr_page_sheet_brief(table->page, table->name, &table->csv, &table->brief);
    mr_buf_fini(&table->brief);
}
