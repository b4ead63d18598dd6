/* SPDX-License-Identifier: Apache-2.0 */
/* The elements of experiments: reading, the reference page and the grammar come from these rows. */
#include "experiments/experiment_impl.h"

static const char *const scales[] = {"linear", "log"};
static const char *const betters[] = {"own", "up", "down"}; /* enum mr_kpi_better */

// clang-format off
static const struct mr_param top_rows[] = {
    MR_PARAM_STR(struct mr_experiment_top, name, "name", NULL, "Name of the experiment, for reports"),
    MR_PARAM_STR(struct mr_experiment_top, scenario, "scenario", NULL, "The scenario that is varied; counts from the folder of this file"),
};
#define F struct mr_experiment_factor
static const struct mr_param factor_rows[] = {
    MR_PARAM_STR(F, path, "path", NULL, "What is varied, as run --set names it: ELEMENT/ATTRIBUTE"),
    MR_PARAM_STR(F, values, "values", NULL, "Its values with their units, with commas between"),
    MR_PARAM_STR(F, from, "from", NULL, "Instead of values: the first of evenly spaced ones"),
    MR_PARAM_STR(F, to, "to", NULL, "The last of them, in the same unit"),
    MR_PARAM_N(F, n_step, "steps", "0", 0, 1000000, "How many of them (grid, zip)"),
    MR_PARAM_ONE_OF(F, scale, "scale", scales, "linear", "log: evenly spaced factors instead of differences"),
    MR_PARAM_YES(F, is_whole, "whole", "no", "Rounded to whole numbers"),
};
#undef F
static const struct mr_param latin_rows[] = {
    MR_PARAM_N(struct mr_experiment_block, n_sample, "samples", NULL, 1, 1000000, "Rows: each factor has one in every such part of its range"),
    MR_PARAM_N(struct mr_experiment_block, seed, "seed", "1", 0, MR_UNBOUNDED, "Seed of what is drawn"),
};
static const struct mr_param set_rows[] = {
    MR_PARAM_STR(struct mr_experiment_set, path, "path", NULL, "What is set, as run --set names it"),
    MR_PARAM_STR(struct mr_experiment_set, value, "to", NULL, "Its value in this row, with its unit"),
};
static const struct mr_param seeds_rows[] = {
    MR_PARAM_STR(struct mr_experiment_seeds, values, "values", NULL, "Seeds, with commas between"),
    MR_PARAM_N(struct mr_experiment_seeds, n_first, "first", "1", 0, MR_UNBOUNDED, "Instead: the first of several in a row"),
    MR_PARAM_N(struct mr_experiment_seeds, n_count, "count", "1", 1, 1000000, "How many of them there are"),
};
static const struct mr_param run_rows[] = {
    MR_PARAM(struct mr_experiment_run, record_every_s, "record_every", MR_Q_TIME, "0 s", 0, 1e9, "Time between samples in the result files; 0: as the scenario and factors say (record/every)"),
    MR_PARAM_YES(struct mr_experiment_run, has_no_leap, "no_leap", "no", "Play every step by itself"),
};
static const struct mr_param output_rows[] = {
    MR_PARAM_STR(struct mr_asked_output, path, "kpi", NULL, "Path of a figure in the summary, a column of kpi.csv"),
};
static const struct mr_param kpi_rows[] = {
    MR_PARAM_STR(struct mr_asked_kpi, name, "name", NULL, "Its name, which no other figure has: letters, digits, \"_\" and \".\""),
    MR_PARAM_STR(struct mr_asked_kpi, formula, "formula", NULL, "Paths of figures, names of kpi elements above, numbers, + - * /, min(a, b), max(a, b)"),
    MR_PARAM_STR(struct mr_asked_kpi, unit, "unit", "1", "Its unit, for tables and the merged file"),
    MR_PARAM_ONE_OF(struct mr_asked_kpi, better, "better", betters, "own", "Whether more or less of it is better; own: up"),
};
static const struct mr_param constraint_rows[] = {
    MR_PARAM_STR(struct mr_asked_constraint, path, "kpi", NULL, "Path of a figure, or the name of a kpi element"),
    MR_PARAM(struct mr_asked_constraint, min, "min", MR_Q_COUNT, "-1e300", -MR_UNBOUNDED, MR_UNBOUNDED, "Least value, in the unit its path ends with"),
    MR_PARAM(struct mr_asked_constraint, max, "max", MR_Q_COUNT, "1e300", -MR_UNBOUNDED, MR_UNBOUNDED, "Largest value, likewise"),
};
static const struct mr_param rank_rows[] = {
    MR_PARAM_STR(struct mr_asked_rank, path, "kpi", "tok_s_per_mw", "The figure that ranks configurations, or the name of a kpi element"),
    MR_PARAM_ONE_OF(struct mr_asked_rank, better, "better", betters, "own", "Whether more or less of it is better; own: as is known of it"),
    MR_PARAM_STR(struct mr_asked_rank, against, "against", "tok_s.output_per_user_p50", "The other figure of the Pareto front"),
    MR_PARAM_ONE_OF(struct mr_asked_rank, against_better, "against_better", betters, "own", "The same of it"),
};

#define TABLE(name, rows, doc) {name, doc, rows, sizeof rows / sizeof *rows}
const struct mr_param_table mr_experiment_tables[MR_EXPERIMENT_ELEMENTS] = {
    [MR_EXPERIMENT_TOP] = TABLE("experiment", top_rows, "A scenario and what is varied in it; the root of the file."),
    [MR_EXPERIMENT_OF_GRID] = {"grid", "Every combination of its factors. Several may be given; all blocks multiply.", NULL, 0},
    [MR_EXPERIMENT_OF_ZIP] = {"zip", "Its factors side by side: first values together, then second ones.", NULL, 0},
    [MR_EXPERIMENT_OF_LATIN] = TABLE("latin", latin_rows, "A Latin hypercube over its factors."),
    [MR_EXPERIMENT_OF_LIST] = {"list", "Rows one by one; what a row does not set is the scenario's.", NULL, 0},
    [MR_EXPERIMENT_FACTOR] = TABLE("factor", factor_rows, "One thing that is varied, in a grid, zip or latin."),
    [MR_EXPERIMENT_ROW] = {"row", "One row of a list.", NULL, 0},
    [MR_EXPERIMENT_SET] = TABLE("set", set_rows, "One setting of a row."),
    [MR_EXPERIMENT_SEEDS] = TABLE("seeds", seeds_rows, "Every row is run with each of these; not given: with the scenario's."),
    [MR_EXPERIMENT_RUN] = TABLE("run", run_rows, "How rows are run."),
    [MR_EXPERIMENT_OUTPUT] = TABLE("output", output_rows, "A figure that is wanted. Several may be given."),
    [MR_EXPERIMENT_KPI] = TABLE("kpi", kpi_rows, "A figure made of others. Several may be given."),
    [MR_EXPERIMENT_CONSTRAINT] = TABLE("constraint", constraint_rows, "What an acceptable row keeps to. Several may be given."),
    [MR_EXPERIMENT_RANK] = TABLE("rank", rank_rows, "What makes a configuration a winner; where nothing is said, output tokens per second and megawatt."),
};
// clang-format on

const struct mr_param_table *mr_experiment_table(size_t i, const char **element)
{
    if (i >= MR_EXPERIMENT_ELEMENTS)
        return NULL;
    *element = mr_experiment_tables[i].name;
    return &mr_experiment_tables[i];
}

/* ---- the grammar ---- */

static void define(int element, const char *inside, struct mr_buf *out)
{
    const struct mr_param_table *table = &mr_experiment_tables[element];
    mr_buf_printf(out, "\n <define name=\"%s\">\n  <element name=\"%s\">\n", table->name,
                  table->name);
    mr_param_print_rng(table, 3, out);
    mr_buf_printf(out, "   %s\n  </element>\n </define>\n", inside);
}

void mr_experiment_print_rng(struct mr_buf *out)
{
    static const char factors[] = "<oneOrMore><ref name=\"factor\"/></oneOrMore>";
    mr_buf_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                     "<!-- Experiments. Values are checked by the reader. -->\n"
                     "<grammar xmlns=\"http://relaxng.org/ns/structure/1.0\">\n"
                     " <start><ref name=\"experiment\"/></start>\n");
    define(MR_EXPERIMENT_TOP,
           "<interleave>\n"
           "    <zeroOrMore><choice>\n"
           "     <ref name=\"grid\"/><ref name=\"zip\"/><ref name=\"latin\"/><ref name=\"list\"/>\n"
           "    </choice></zeroOrMore>\n"
           "    <optional><ref name=\"seeds\"/></optional>\n"
           "    <optional><ref name=\"run\"/></optional>\n"
           "    <zeroOrMore><ref name=\"output\"/></zeroOrMore>\n"
           "    <zeroOrMore><ref name=\"kpi\"/></zeroOrMore>\n"
           "    <zeroOrMore><ref name=\"constraint\"/></zeroOrMore>\n"
           "    <optional><ref name=\"rank\"/></optional>\n"
           "   </interleave>",
           out);
    define(MR_EXPERIMENT_OF_GRID, factors, out);
    define(MR_EXPERIMENT_OF_ZIP, factors, out);
    define(MR_EXPERIMENT_OF_LATIN, factors, out);
    define(MR_EXPERIMENT_OF_LIST, "<oneOrMore><ref name=\"row\"/></oneOrMore>", out);
    define(MR_EXPERIMENT_FACTOR, "<empty/>", out);
    define(MR_EXPERIMENT_ROW, "<zeroOrMore><ref name=\"set\"/></zeroOrMore>", out);
    define(MR_EXPERIMENT_SET, "<empty/>", out);
    for (int i = MR_EXPERIMENT_SEEDS; i < MR_EXPERIMENT_ELEMENTS; i++)
        define(i, "<empty/>", out);
    mr_buf_text(out, "</grammar>\n");
}
