/* SPDX-License-Identifier: Apache-2.0 */
/* postprocess/report: pages are well-formed, ask nobody for anything, say what a file lacks; no
 * chart is empty, no text stands on another or outside of its picture; sheets hold the numbers. */
#include "postprocess/report.h"

#include "engine/base/num.h"
#include "engine/base/xml.h"
#include "postprocess/chart.h"
#include "postprocess/curve.h"
#include "tests/postprocess/sample.h"

/* Widths of letters differ; sans-serif of 11 units is 6.2 wide on the mean. */
static const double letter = 6.2, line = 11;

enum {
    n_text_max = 64
};

struct box {
    double x0, x1, y0, y1;
    const char *text;
};

static double number(const struct mr_xml_node *node, const char *name)
{
    const char *text = mr_xml_value(node, name);
    double value = 0;
    if (text == NULL || mr_num_parse_f64(mr_str_of(text), &value) != MR_OK)
        fail_msg("<%s %s=\"%s\">", node->name, name, text != NULL ? text : "");
    return value;
}

static void check_svg(const struct mr_xml_node *svg)
{
    struct box box[n_text_max];
    size_t n = 0, n_data = 0;
    double size[4] = {0};
    const char *view = mr_xml_value(svg, "viewBox");
    for (size_t i = 0; i < 4; i++) {
        view += strspn(view, " ");
        view += mr_num_scan_f64(view, strlen(view), &size[i]);
    }
    for (const struct mr_xml_node *x = svg; x != NULL; x = mr_xml_walk(svg, x)) {
        const char *class = mr_xml_value(x, "class");
        n_data += class != NULL && (strcmp(class, "d") == 0 || strncmp(class, "d ", 2) == 0);
        if (strcmp(x->name, "text") != 0)
            continue;
        const char *anchor = mr_xml_value(x, "text-anchor");
        if (class != NULL && strchr("em", class[0]) != NULL && strchr(" ", class[1]) != NULL)
            anchor = class[0] == 'e' ? "end" : "middle"; /* of the style */
        const double width = letter * (double)strlen(x->text), at = number(x, "x");
        const double from = anchor == NULL || strcmp(anchor, "start") == 0 ? at
                            : strcmp(anchor, "end") == 0                   ? at - width
                                                                           : at - width / 2;
        assert_true(n < n_text_max);
        box[n++] = (struct box){from, from + width, number(x, "y") - line, number(x, "y"), x->text};
    }
    assert_true(n_data > 0);
    for (size_t i = 0; i < n; i++) {
        if (box[i].x0 < -2 || box[i].x1 > size[2] + 14 || box[i].y0 < -2 || box[i].y1 > size[3])
            fail_msg("\"%s\" stands outside", box[i].text);
        for (size_t k = 0; k < i; k++)
            if (box[i].x0 < box[k].x1 && box[k].x0 < box[i].x1 && box[i].y0 < box[k].y1 - 1 &&
                box[k].y0 < box[i].y1 - 1)
                fail_msg("\"%s\" stands on \"%s\"", box[i].text, box[k].text);
    }
}

/* @return pictures on the page */
static size_t check_page(const struct mr_page *page)
{
    struct mr_xml_doc *doc = NULL;
    struct mr_err err = {0};
    size_t n = 0;
    if (mr_xml_load_text("page", (struct mr_str){page->out.text, page->out.n}, NULL, &doc, &err) !=
        MR_OK)
        fail_msg("%d:%d: %s", err.line, err.col, err.text);
    const struct mr_xml_node *root = mr_xml_root(doc);
    for (const struct mr_xml_node *x = root; x != NULL; x = mr_xml_walk(root, x)) {
        const char *class = mr_xml_value(x, "class");
        static const char *const asking[] = {"href", "src"};
        assert_string_not_equal(x->name, "script");
        for (size_t i = 0; i < 2; i++) {
            const char *at = mr_xml_value(x, asking[i]);
            assert_true(at == NULL || at[0] == '#' || strncmp(at, "data:", 5) == 0);
        }
        if (strcmp(x->name, "svg") != 0 || (class != NULL && strcmp(class, "key") == 0))
            continue;
        check_svg(x);
        n++;
    }
    mr_xml_destroy(doc);
    return n;
}

static void make(const char *const *path, size_t n, struct mr_report *report, struct mr_page *page)
{
    struct mr_err err = {0};
    if (mr_report_load(path, n, 0, report, &err) != MR_OK ||
        mr_report_html(report, "A & <B>", page, &err) != MR_OK)
        fail_msg("%s: %s", err.file, err.text);
}

static void end(struct mr_report *report, struct mr_page *page)
{
    mr_page_fini(page);
    mr_report_fini(report);
    assert_int_equal(mr_test_live_allocations(), 0);
}

static const char *sheet(const struct mr_page *page, const char *name)
{
    for (size_t i = 0; i < page->n_sheet; i++)
        if (strcmp(page->sheet[i].name, name) == 0)
            return page->sheet[i].csv.text;
    fail_msg("no sheet %s", name);
    return "";
}

MR_TEST(a_run_is_a_page)
{
    char path[512];
    const char *const paths[] = {path};
    struct mr_report report;
    struct mr_page page;
    snprintf(path, sizeof path, "%s", mr_test_tmp_path("a.h5"));
    sample_write(path, 1, true);
    make(paths, 1, &report, &page);
    assert_true(check_page(&page) >= 8);
    mr_assert_contains(page.out.text, "breaks ramp at feed &lt;A&amp;B&gt; twice");
    mr_assert_contains(page.out.text, "too_hot");
    mr_assert_contains(page.out.text, "throttled packages");
    mr_assert_contains(page.out.text, "No temperatures in the file");
    /* 3 + 33 is the last rack's mean over the sevens; the hottest row is the seventh */
    mr_assert_contains(sheet(&page, "floor_power_peak"), "H0.R2.K3,3,2,139\n");
    mr_assert_contains(sheet(&page, "figures"), "power.site_mw_peak,MW,1.4,2,0.6");
    /* 40 sessions of 5 calls, one every 10 s: 0.1 s of queue, 0.2 of prompt, 2 of tokens each */
    mr_assert_contains(sheet(&page, "task"), "writing tokens,10");
    mr_assert_contains(sheet(&page, "task"), "between calls: tools and thinking,30.8");
    mr_assert_contains(sheet(&page, "limits"), "throttled packages,H0.R1.K1,");
    /* the link has a rack's numbers in one row, and no sheet's seventeen digits */
    mr_assert_contains(page.out.text, "a.h5,H0.R2.K3,139,");
    mr_assert_contains(sheet(&page, "floor"), "a.h5,H0.R2.K3,139,");
    end(&report, &page);
}

MR_TEST(runs_stand_side_by_side)
{
    char a[512], b[512], part[530], json[512];
    const char *const paths[] = {a, part, json};
    struct mr_report report;
    struct mr_page page;
    struct mr_buf text = {0};
    snprintf(a, sizeof a, "%s", mr_test_tmp_path("a.h5"));
    snprintf(b, sizeof b, "%s", mr_test_tmp_path("b.h5"));
    snprintf(part, sizeof part, "%s.part", b);
    snprintf(json, sizeof json, "%s", mr_test_write("c.json", sample_json, sizeof sample_json - 1));
    sample_write(a, 1, true);
    sample_write(b, 2, false);
    make(paths, 3, &report, &page);
    assert_true(check_page(&page) >= 8);
    mr_assert_contains(page.out.text, "PARTIAL");
    mr_assert_contains(page.out.text, "C serves as many tokens/s");
    mr_assert_contains(page.out.text, "B has no key figure in common");
    mr_assert_contains(sheet(&page, "floor_power_peak"), "H0.R2.K3,3,2,278\n");
    mr_report_text(&report, &text);
    mr_assert_contains(text.text, "(PARTIAL)");
    mr_assert_contains(text.text, "tokens/s per MW, up to");
    mr_buf_fini(&text);
    end(&report, &page);
}

MR_TEST(a_summary_alone_says_what_it_lacks)
{
    struct mr_report report;
    struct mr_page page;
    const char *const paths[] = {mr_test_write("x.json", "{\"schema\":1}", 12)};
    make(paths, 1, &report, &page);
    assert_int_equal(check_page(&page), 0);
    static const char *const told[] = {"No key figures",
                                       "No rack over time",
                                       "No tokens per megawatt",
                                       "No power over time",
                                       "No temperatures",
                                       "No tiers",
                                       "Nothing in the file was at a limit",
                                       "no events are recorded",
                                       "No distributions",
                                       "No KV or cache figures",
                                       "No task of several calls",
                                       "No series of the site",
                                       "does not list the assumptions"};
    for (size_t i = 0; i < sizeof told / sizeof *told; i++)
        mr_assert_contains(page.out.text, told[i]);
    end(&report, &page);
}

/* Of two summaries. */
static void make_of_two(const char *a, const char *b, struct mr_report *report,
                        struct mr_page *page)
{
    char of_a[512], of_b[512];
    const char *const paths[] = {of_a, of_b};
    snprintf(of_a, sizeof of_a, "%s", mr_test_write("a.json", a, strlen(a)));
    snprintf(of_b, sizeof of_b, "%s", mr_test_write("b.json", b, strlen(b)));
    make(paths, 2, report, page);
}

/* A limit bounds the figure of its own file: A has 18 - 10 left, B 28 - 13. */
MR_TEST(headroom_is_that_of_the_file_with_the_least)
{
    static const char a[] = "{\"schema\":1,\"power\":{\"packages_mw_mean\":10,"
                            "\"packages_mw_limit\":18,\"site_mw_peak\":19,\"feed_limit_mw\":20}}",
                      b[] = "{\"schema\":1,\"power\":{\"packages_mw_mean\":13,"
                            "\"packages_mw_limit\":28,\"site_mw_peak\":25}}";
    struct mr_report report;
    struct mr_page page;
    make_of_two(a, b, &report, &page);
    mr_assert_contains(sheet(&page, "figures"),
                       "power.packages_mw_mean,MW,10,13,3,30,differs,18,8,A\n");
    /* B tells no limit: it is held to that of A, and passes it */
    mr_assert_contains(sheet(&page, "figures"), ",worse,20,-5,B\n");
    end(&report, &page);
}

/* Rounding is neither better nor worse, nor is a mean power: figures of efficiency judge it. */
MR_TEST(noise_and_power_are_not_judged)
{
    static const char a[] = "{\"schema\":1,\"power\":{\"site_mw_mean\":10,\"it_mw_mean\":9,"
                            "\"packages_mw_mean\":8},\"energy\":{\"closure_rel\":1e-14},"
                            "\"thermal\":{\"die_c_max\":60}}",
                      b[] = "{\"schema\":1,\"power\":{\"site_mw_mean\":11,\"it_mw_mean\":10,"
                            "\"packages_mw_mean\":9},\"energy\":{\"closure_rel\":1.33e-13},"
                            "\"thermal\":{\"die_c_max\":60.04}}";
    struct mr_report report;
    struct mr_page page;
    make_of_two(a, b, &report, &page);
    mr_assert_contains(sheet(&page, "figures"), "power.site_mw_mean,MW,10,11,1,10,differs");
    mr_assert_contains(sheet(&page, "figures"), "power.packages_mw_mean,MW,8,9,1,12.5,differs");
    mr_assert_contains(sheet(&page, "figures"), "thermal.die_c_max,degC,60,60.04,");
    assert_null(strstr(sheet(&page, "figures"), "worse"));
    mr_assert_contains(sheet(&page, "figures_other"), "power.it_mw_mean,MW,9,10,1,");
    assert_null(strstr(sheet(&page, "figures_other"), "worse"));
    end(&report, &page);
}

/* On a terminal what is worse does not stand beside a zero, and what rose from nothing is judged.
 */
MR_TEST(small_changes_are_told_on_a_terminal)
{
    static const char a[] = "{\"schema\":1,\"tpot_s\":{\"mean\":0.1298,\"p50\":0.1},"
                            "\"thermal\":{\"throttle_gpu_s\":0},\"tok_s_per_mw\":1000}",
                      b[] = "{\"schema\":1,\"tpot_s\":{\"mean\":0.12981,\"p50\":0.1},"
                            "\"thermal\":{\"throttle_gpu_s\":300},\"tok_s_per_mw\":1200}";
    struct mr_report report;
    struct mr_page page;
    struct mr_buf text = {0};
    make_of_two(a, b, &report, &page);
    mr_report_text(&report, &text);
    mr_assert_contains(text.text, "0.1298      0.1298  +0.008 % worse");
    mr_assert_contains(text.text, "0.1         0.1    +0.0 % same");
    mr_assert_contains(text.text, "0         300           worse");
    mr_assert_contains(text.text, "1000        1200   +20.0 % better");
    mr_buf_fini(&text);
    end(&report, &page);
}

/* What the run added up stands before what recorded calls say; parts that took no time are left
 * out. */
MR_TEST(time_of_a_task_is_the_summarys)
{
    static const char text[] = "{\"schema\":1,\"sessions\":{\"finished\":7,\"time_s\":{\"queue\":1,"
                               "\"kv_load\":10,\"prefill\":2,"
                               "\"decode\":5,\"tools\":12,\"memory\":0,\"think\":20}}}";
    const char *const paths[] = {mr_test_write("t.json", text, sizeof text - 1)};
    struct mr_report report;
    struct mr_page page;
    make(paths, 1, &report, &page);
    assert_int_equal(check_page(&page), 1);
    mr_assert_contains(sheet(&page, "task"), "2 contexts on their way to HBM,10,20,7\n");
    mr_assert_contains(sheet(&page, "task"), "10 the user thinking,20,40,7\n");
    assert_null(strstr(sheet(&page, "task"), "sandbox"));
    end(&report, &page);
}

/* Charts of anything: values of every size, none, one; marks that fall together. */
MR_TEST(charts_of_any_numbers_keep_their_texts_apart)
{
    static const double scales[] = {1e-9, 1e-3, 1, 12345, 1e9, 1e15};
    static const struct mr_chart_mark marks[] = {{0.5, "one", false},
                                                 {0.5, "two", false},
                                                 {0.51, "three", false},
                                                 {0.5, "four", true},
                                                 {0.5, "five", true}};
    for (size_t i = 0; i < sizeof scales / sizeof *scales; i++)
        for (size_t n = 1; n < 4; n++) {
            const double x[] = {0, 0.5 * scales[i], scales[i]}, y[] = {-scales[i], 0.25, scales[i]};
            const struct mr_chart_series series = {"s", x, y, n, MR_CHART_LINE, NULL};
            const struct mr_chart chart = {"t", "x", "y", &series, 1, marks, 5, false, (double)NAN};
            struct mr_page page = {0};
            mr_page_begin(&page, "t");
            assert_true(mr_chart_svg(&chart, &page.out));
            mr_page_end(&page);
            assert_int_equal(check_page(&page), 1);
            mr_page_fini(&page);
        }
    const double nothing[] = {(double)NAN};
    const struct mr_chart_series series = {"s", nothing, nothing, 1, MR_CHART_POINTS, NULL};
    const struct mr_chart chart = {"t", "x", "y", &series, 1, NULL, 0, false, (double)NAN};
    struct mr_buf out = {0};
    assert_false(mr_chart_svg(&chart, &out));
    assert_int_equal(out.n, 0);
}

/* Every point that was taken out is within one unit of the line through its kept neighbors. */
MR_TEST(lines_keep_what_can_be_seen)
{
    enum {
        n_all = 400
    };
    static double t_s[n_all], value[n_all], all[n_all];
    for (int is_step = 0; is_step < 2; is_step++) {
        for (size_t i = 0; i < n_all; i++) {
            t_s[i] = (double)i;
            all[i] = i < 100 ? 5 : i < 200 ? (double)i : i % 2 == 0 ? 100 : 107.5;
            if (i == 50)
                all[i] = 90; /* a peak of one sample */
            if (i == 300)
                all[i] = (double)NAN;
            value[i] = all[i];
        }
        struct mr_curve s = {.t_s = t_s, .value = value, .n = n_all};
        mr_curve_straighten(&s, 1, 1, is_step == 1);
        assert_true(s.n < n_all - 100 && s.n >= 200);
        assert_float_equal(s.t_s[s.n - 1], n_all - 1, 0);
        bool has_peak = false, has_gap = false;
        for (size_t k = 0; k + 1 < s.n; k++) {
            const size_t from = (size_t)s.t_s[k], to = (size_t)s.t_s[k + 1];
            has_peak = has_peak || s.value[k] == 90;
            has_gap = has_gap || isnan(s.value[k]);
            for (size_t i = from + 1; i < to; i++) {
                const double slope = is_step == 1 ? 0 : (all[to] - all[from]) / (double)(to - from);
                const double off = all[i] - all[from] - slope * (double)(i - from);
                assert_true(fabs(off) <= sqrt(1 + slope * slope) + 1e-12);
            }
        }
        assert_true(has_peak && has_gap);
    }
}

MR_TEST(colors_run_evenly)
{
    char color[8];
    mr_chart_color(0, color);
    assert_string_equal(color, "#00224e");
    mr_chart_color(1, color);
    assert_string_equal(color, "#fee838");
    mr_chart_color(7, color);
    assert_string_equal(color, "#fee838");
}

/* The class of a series' key: its color, dash and filling. */
static const char *next_key(const char *from, char out[32])
{
    static const char head[] = "viewBox=\"0 0 24 12\"><path class=\"";
    const char *at = strstr(from, head);
    if (at == NULL)
        return NULL;
    at += sizeof head - 1;
    snprintf(out, 32, "%.*s", (int)strcspn(at, "\""), at);
    return at;
}

/* No two of a chart's series look the same. */
MR_TEST(every_series_has_a_look_of_its_own)
{
    const double x[] = {0, 1, 2}, y[] = {1, 3, 2};
    for (int style = MR_CHART_LINE; style <= MR_CHART_BARS; style++) {
        struct mr_chart_series series[24];
        char key[24][32];
        size_t n = 0;
        struct mr_buf out = {0};
        for (size_t i = 0; i < 24; i++)
            series[i] = (struct mr_chart_series){"s", x, y, 3, (enum mr_chart_style)style, NULL};
        const struct mr_chart chart = {"t", "x", "y", series, 24, NULL, 0, false, (double)NAN};
        assert_true(mr_chart_svg(&chart, &out));
        for (const char *p = out.text; n < 24 && (p = next_key(p, key[n])) != NULL; n++)
            for (size_t k = 0; k < n; k++)
                assert_string_not_equal(key[n], key[k]);
        assert_int_equal(n, 24);
        mr_buf_fini(&out);
    }
}

/* Files of one point each have letters, also where one lies on another; neither points nor the
 * marks of objectives lie on the edges, nor a line that stays at one value. */
MR_TEST(what_lies_on_edges_or_below_others_is_seen)
{
    const double x[] = {41.6, 41.6, 33}, y[] = {1967, 1966, 2000}, flat_x[] = {0, 60},
                 flat_y[] = {18, 18}, high_y[] = {20, 28};
    const struct mr_chart_mark mark = {20, "standard", true};
    const struct mr_chart_series point[] = {{"A first", x, y, 1, MR_CHART_POINTS, NULL},
                                            {"B second", x + 1, y + 1, 1, MR_CHART_POINTS, NULL},
                                            {"C third", x + 2, y + 2, 1, MR_CHART_POINTS, NULL}},
                                 level[] = {{"flat", flat_x, flat_y, 2, MR_CHART_LINE, NULL},
                                            {"high", flat_x, high_y, 2, MR_CHART_LINE, NULL}};
    const struct mr_chart front = {"t", "x", "y", point, 3, &mark, 1, true, 20},
                          air = {"t", "x", "y", level, 2, NULL, 0, false, (double)NAN};
    struct mr_page page = {0};
    mr_page_begin(&page, "t");
    assert_true(mr_chart_svg(&front, &page.out));
    for (const char *l = "ABC"; *l != '\0'; l++) {
        const char text[] = {'>', *l, '<', '/', 't', 'e', '\0'};
        mr_assert_contains(page.out.text, text);
    }
    assert_null(strstr(page.out.text, "class=\"mark\" d=\"M62.0"));
    assert_null(strstr(page.out.text, " 14m")); /* a point at the upper edge */
    assert_true(mr_chart_svg(&air, &page.out));
    assert_null(strstr(page.out.text, "M124 448")); /* in halves: along the axis */
    mr_page_end(&page);
    assert_int_equal(check_page(&page), 2);
    mr_page_fini(&page);
}

/* What one run does ill says nothing before it is told how the other does. */
MR_TEST(the_verdict_tells_both_sides)
{
    static const char
        a[] = "{\"schema\":1,\"scenario\":\"hall\",\"requests\":{\"arrived\":100,\"shed\":40},"
              "\"tok_s\":{\"output\":100},\"thermal\":{\"die_c_max\":60},"
              "\"tiers\":[{\"name\":\"gold\",\"slo_met_frac\":0.5}],"
              "\"violations\":[{\"what\":\"ramp\",\"where\":\"feed\",\"count\":2,\"first_s\":1}]}",
        b[] = "{\"schema\":1,\"scenario\":\"hall\",\"requests\":{\"arrived\":100,\"shed\":0},"
              "\"tok_s\":{\"output\":150},\"thermal\":{\"die_c_max\":75},"
              "\"tiers\":[{\"name\":\"gold\",\"slo_met_frac\":0.25}],\"violations\":[]}";
    struct mr_report report;
    struct mr_page page;
    struct mr_buf text = {0};
    make_of_two(a, b, &report, &page);
    mr_report_text(&report, &text);
    mr_assert_contains(text.text, "B serves 50 % more tokens/s");
    mr_assert_contains(text.text, "turns no call away, A 40 %");
    mr_assert_contains(text.text,
                       "tier gold is within its objectives for 25 % of its calls, A for 50 %");
    mr_assert_contains(text.text, "breaks no limit of the site; A breaks ramp at feed twice");
    mr_assert_contains(text.text, "+15.0 K worse"); /* of degrees Celsius no share */
    assert_null(strstr(text.text, "+25.0 %"));
    mr_assert_contains(sheet(&page, "figures"), "thermal.die_c_max,degC,60,75,15,,worse");
    mr_assert_contains(page.out.text, "50\xc2\xa0% more");
    /* of one name: told apart by their files */
    mr_assert_contains(text.text, "A hall (a.json)");
    mr_assert_contains(page.out.text, "B hall (b.json)");
    mr_buf_fini(&text);
    end(&report, &page);
}

MR_TEST_MAIN(MR_TEST_ENTRY(a_run_is_a_page), MR_TEST_ENTRY(runs_stand_side_by_side),
             MR_TEST_ENTRY(a_summary_alone_says_what_it_lacks),
             MR_TEST_ENTRY(noise_and_power_are_not_judged),
             MR_TEST_ENTRY(small_changes_are_told_on_a_terminal),
             MR_TEST_ENTRY(headroom_is_that_of_the_file_with_the_least),
             MR_TEST_ENTRY(time_of_a_task_is_the_summarys),
             MR_TEST_ENTRY(charts_of_any_numbers_keep_their_texts_apart),
             MR_TEST_ENTRY(every_series_has_a_look_of_its_own),
             MR_TEST_ENTRY(what_lies_on_edges_or_below_others_is_seen),
             MR_TEST_ENTRY(the_verdict_tells_both_sides),
             MR_TEST_ENTRY(lines_keep_what_can_be_seen), MR_TEST_ENTRY(colors_run_evenly))
