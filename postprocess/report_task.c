/* SPDX-License-Identifier: Apache-2.0 */
/* Where the time of a task of several calls went: as the run added it up for its live sessions,
 * tools and all; where it did not, out of the calls that are recorded. Map: parts - from the
 * summary - from calls - the picture. */
#include "engine/base/mem.h"
#include "postprocess/report_impl.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- parts ---- */

/* Keys of the summary, below sessions.time_s; what only recorded calls tell has none. */
#define PART_LIST(X)                                            \
    X(QUEUE, "queue", "waiting for a first step")               \
    X(LOAD, "kv_load", "contexts on their way to HBM")          \
    X(PROMPT, "prefill", "reading the prompt, to first token")  \
    X(TOKENS, "decode", "writing tokens")                       \
    X(TOOLS, "tools", "tools at work")                          \
    X(TOOL_QUEUE, "tool_queue", "waiting for sandbox or cores") \
    X(MEMORY, "memory", "reading, writing long-term memory")    \
    X(GATEWAY, "gateway", "policy engine and privacy router")   \
    X(NETWORK, "network", "network, to the instance and back")  \
    X(THINK, "think", "the user thinking")                      \
    X(DELAY, "delay", "delays of the recording")                \
    X(BETWEEN, NULL, "between calls: tools and thinking")

enum part {
#define PART_ENUM(name, key, text) PART_##name,
    PART_LIST(PART_ENUM)
#undef PART_ENUM
    n_part
};

static const struct {
    const char *key, *text;
} parts[] = {
#define PART_ROW(name, key, text) {key, text},
    PART_LIST(PART_ROW)
#undef PART_ROW
};

enum {
    n_file_max = 26
};

/* Seconds of all tasks together, or of the mean one with n_session 1 and n_task of them. */
struct budget {
    double part_s[n_part];
    size_t n_session;
    double n_task;
};

/* ---- from the summary ---- */

/* @return whether it was there */
static bool read_summary(const struct mr_figures *figures, struct budget *b)
{
    double total_s = 0;
    const double n_task = mr_figures_value(figures, "sessions.finished");
    for (size_t k = 0; k < n_part; k++) {
        char path[64];
        (void)snprintf(path, sizeof path, "sessions.time_s.%s",
                       parts[k].key != NULL ? parts[k].key : "");
        const double s = parts[k].key != NULL ? mr_figures_value(figures, path) : 0;
        b->part_s[k] = s > 0 ? s : 0;
        total_s += b->part_s[k];
    }
    b->n_session = total_s > 0 && n_task > 0 ? 1 : 0;
    b->n_task = n_task;
    return b->n_session > 0;
}

/* ---- from calls ---- */

struct entry {
    double session, arrived_s;
    size_t i;
};

static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->session < y->session || x->session > y->session)
        return x->session > y->session ? 1 : -1;
    if (x->arrived_s < y->arrived_s || x->arrived_s > y->arrived_s)
        return x->arrived_s > y->arrived_s ? 1 : -1;
    return (x->i > y->i) - (x->i < y->i);
}

/* One session of at least two calls, all of them ended. Calls that overlap leave no time between.
 */
static void add_session(const struct mr_report_calls *c, const struct entry *entry, size_t n,
                        struct budget *b)
{
    double ended_s = c->finished_s[entry[0].i];
    if (n < 2)
        return;
    for (size_t k = 0; k < n; k++)
        if (isnan(c->finished_s[entry[k].i]))
            return;
    for (size_t k = 0; k < n; k++) {
        const size_t i = entry[k].i;
        const double load_s = c->load_s != NULL ? c->load_s[i] : 0; /* older files have none */
        b->part_s[PART_QUEUE] += c->scheduled_s[i] - c->arrived_s[i] - load_s;
        b->part_s[PART_LOAD] += load_s;
        b->part_s[PART_PROMPT] += c->first_s[i] - c->scheduled_s[i];
        b->part_s[PART_TOKENS] += c->finished_s[i] - c->first_s[i];
        if (k > 0)
            b->part_s[PART_BETWEEN] += fmax(c->arrived_s[i] - ended_s, 0);
        ended_s = fmax(ended_s, c->finished_s[i]);
    }
    b->n_session++;
    b->n_task = (double)b->n_session;
}

static mr_status add_up(const struct mr_report_calls *c, struct budget *b, struct mr_err *err)
{
    struct entry *entry = mr_alloc(c->n + 1, sizeof *entry);
    if (entry == NULL)
        return mr_err_nomem(err, c->n * sizeof *entry);
    for (size_t i = 0; i < c->n; i++)
        entry[i] = (struct entry){c->session[i], c->arrived_s[i], i};
    qsort(entry, c->n, sizeof *entry, compare_entries);
    for (size_t from = 0, to; from < c->n; from = to) {
        for (to = from + 1; to < c->n && !(entry[to].session > entry[from].session);)
            to++;
        add_session(c, entry + from, to - from, b);
    }
    mr_free(entry);
    return MR_OK;
}

static mr_status read_calls(const struct mr_report_file *file, struct budget *b, struct mr_err *err)
{
    struct mr_report_calls c;
    *b = (struct budget){.n_session = 0};
    mr_status st = mr_report_calls(file, &c, err);
    if (st == MR_OK && c.n > 0 && c.finished_s != NULL && c.arrived_s != NULL &&
        c.first_s != NULL && c.session != NULL && c.scheduled_s != NULL)
        st = add_up(&c, b, err);
    mr_report_calls_fini(&c);
    return st;
}

/* ---- the picture ---- */

/* A bar of parts, as long as the task; the longest task fills the width. */
static void put_bar(const struct budget *b, const char *name, double longest_s,
                    struct mr_page *page)
{
    double at = 0;
    mr_buf_text(&page->out, "<figure><figcaption>");
    mr_buf_xml(&page->out, mr_str_of(name));
    mr_buf_text(&page->out, "</figcaption><svg class=\"chart\" role=\"img\" "
                            "xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 480 26\">");
    for (size_t k = 0; k < n_part; k++) {
        const double width = 480 * b->part_s[k] / (double)b->n_session / longest_s;
        if (!(width > 0))
            continue;
        mr_buf_printf(&page->out,
                      "<path class=\"d b c%zu\" d=\"M%.2f 2h%.2fv22h%.2fz\"><title>%s</title>"
                      "</path>",
                      k % MR_CHART_COLORS, at, width, -width, parts[k].text);
        if (width > 20)
            mr_buf_printf(&page->out,
                          "<text class=\"note\" x=\"%.1f\" y=\"17\" text-anchor=\"middle\">%zu"
                          "</text>",
                          at + width / 2, k + 1);
        at += width;
    }
    mr_buf_text(&page->out, "</svg></figure>\n");
}

static void put_budgets(const struct mr_report *report, const struct budget *budget,
                        struct mr_page *page)
{
    static const char *const head[] = {"file", "part", "#s of a task", "#% of it", "#tasks"};
    struct mr_page_table table;
    double longest_s = 0, total_s[n_file_max] = {0};
    for (size_t i = 0; i < report->n; i++) {
        for (size_t k = 0; k < n_part && budget[i].n_session > 0; k++)
            total_s[i] += budget[i].part_s[k] / (double)budget[i].n_session;
        longest_s = fmax(longest_s, total_s[i]);
    }
    for (size_t i = 0; i < report->n; i++) {
        char named[96];
        if (total_s[i] > 0)
            put_bar(&budget[i],
                    mr_report_named(&report->file[i], report->file[i].figures.name, named),
                    longest_s, page);
    }
    mr_page_table(&table, page, "task", head, sizeof head / sizeof *head);
    for (size_t i = 0; i < report->n; i++)
        for (size_t k = 0; k < n_part && total_s[i] > 0; k++) {
            char text[96], named[96];
            const double s = budget[i].part_s[k] / (double)budget[i].n_session;
            if (!(s > 0))
                continue;
            (void)snprintf(text, sizeof text, "%zu %s", k + 1, parts[k].text);
            mr_page_row(&table);
            mr_page_cell(&table,
                         mr_report_named(&report->file[i], report->file[i].figures.name, named));
            mr_page_cell(&table, text);
            mr_page_cell_f64(&table, s);
            mr_page_cell_f64(&table, 100 * s / total_s[i]);
            mr_page_cell_f64(&table, budget[i].n_task);
        }
    mr_page_table_end(&table);
}

mr_status mr_report_task(const struct mr_report *report, struct mr_page *page, struct mr_err *err)
{
    struct budget budget[n_file_max] = {{{0}, 0, 0}};
    const struct mr_report shown = {report->file, report->n < n_file_max ? report->n : n_file_max,
                                    report->baseline, report->is_whole};
    size_t n = 0;
    bool has_summary = false;
    for (size_t i = 0; i < shown.n; i++) {
        if (read_summary(&report->file[i].figures, &budget[i]))
            has_summary = true;
        else
            MR_TRY(read_calls(&report->file[i], &budget[i], err));
        n += budget[i].n_session;
    }
    if (n == 0) {
        mr_page_missing(page,
                        "No task of several calls in the file: no live session ended in this run "
                        "(figures sessions.time_s), and none stands in recorded calls (group "
                        "/requests).");
        return MR_OK;
    }
    put_budgets(&shown, budget, page);
    if (has_summary)
        mr_page_say(page, "Means of the tasks that ended, as the run added them up for all of "
                          "them (sessions.time_s); parts without time are left out.");
    return MR_OK;
}
