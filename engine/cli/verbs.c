/* SPDX-License-Identifier: Apache-2.0 */
/* The verb table. */
#include "engine/cli/verbs.h"

#include "engine/cli/bench/bench.h"
#include "engine/cli/calibrate.h"
#include "engine/cli/export.h"
#include "engine/cli/fidelity.h"
#include "engine/cli/help.h"
#include "engine/cli/merge.h"
#include "engine/cli/models.h"
#include "engine/cli/power.h"
#include "engine/cli/regress.h"
#include "engine/cli/report.h"
#include "engine/cli/run.h"
#include "engine/cli/schema.h"
#include "engine/cli/site.h"
#include "engine/cli/size.h"
#include "engine/cli/step.h"
#include "engine/cli/sweep.h"
#include "engine/cli/thermal.h"
#include "engine/cli/trace.h"
#include "engine/cli/version.h"
#include "engine/cli/watch.h"

// clang-format off
const struct mr_verb mr_verbs_table[] = {
    {.name = "run", .args = "SCENARIO|run.h5", .summary = "simulate once",
     .doc = "Plays one scenario, call by call: traffic and, where it names a site, heat and power in one loop. The "
            "result file holds what <record> of the scenario or --record says; millrace run of it is the same run again.",
     .example = {"millrace run chat.scenario.xml -o chat.h5", "millrace run chat.scenario.xml --set deployment/tp=4 --json -"},
     .opts = &mr_run_opts, .opts_bytes = sizeof(struct mr_run_opts_values),
     .n_arg_min = 1, .n_arg_max = 1, .run = mr_run_verb},
    {.name = "validate", .args = "FILE...", .summary = "check files without simulating",
     .doc = "Checks schema, units, references, reachability, power and cooling sums; every finding with file, line and column.",
     .example = {"millrace validate hall.layout.xml", "millrace validate --strict --json hall.platform.xml"},
     .opts = &mr_site_validate_table, .opts_bytes = sizeof(struct mr_site_validate_opts),
     .n_arg_min = 1, .n_arg_max = -1, .run = mr_site_validate_run},
    {.name = "show", .args = "FILE", .summary = "what will be simulated",
     .doc = "Shows racks, GPUs, megawatts, links, loops and pools, and where every default came from.",
     .example = {"millrace show hall.layout.xml", "millrace show --graph dot hall.platform.xml"},
     .opts = &mr_site_show_table, .opts_bytes = sizeof(struct mr_site_show_opts),
     .n_arg_min = 1, .n_arg_max = 1, .run = mr_site_show_run},
    {.name = "platform", .args = "LAYOUT", .summary = "layout to SimGrid platform",
     .doc = "Turns a compact layout into SimGrid platform XML that carries every thermal and electrical relation.",
     .example = {"millrace platform hall.layout.xml -o hall.platform.xml", "millrace platform --level rack big.layout.xml"},
     .opts = &mr_site_platform_table, .opts_bytes = sizeof(struct mr_site_platform_opts),
     .n_arg_min = 1, .n_arg_max = 1, .run = mr_site_platform_run},
    {.name = "trace", .args = "info|convert|cut|pack FILE | generate KIND", .summary = "inspect and convert workloads",
     .doc = "Reads every trace format that Millrace knows, told by its content, plain or gzip: its statistics (info), the same in "
            "Millrace's own form or as other tools read it (convert), some of its sessions (cut), in binary, which is read faster (pack). "
            "Not read: AIPerf's dag_jsonl, which has prompts and no lengths. "
            "Draws synthetic agents or chats from distributions fitted to recorded ones (generate).",
     .example = {"millrace trace convert chat.csv -o chat.jsonl", "millrace trace generate agents --seed 7 -o agents.jsonl"},
     .opts = &mr_trace_opts, .opts_bytes = sizeof(struct mr_trace_opts_values),
     .n_arg_min = 2, .n_arg_max = 2, .run = mr_trace_run},
    {.name = "sweep", .args = "EXPERIMENT", .summary = "many runs, resumable",
     .doc = "Expands an experiment into DIR/manifest.csv and runs its rows, here or as parts of a cluster job; a line of DIR/status.csv "
            "for each. INT, TERM or USR1 begin no new row; exit code 75 when rows are left (--resume goes on), 1 when rows failed.",
     .example = {"millrace sweep kv.experiment.xml -d out -j 4", "millrace sweep kv.experiment.xml --dry-run"},
     .opts = &mr_sweep_opts, .opts_bytes = sizeof(struct mr_sweep_opts_values),
     .n_arg_min = 1, .n_arg_max = 1, .run = mr_sweep_verb},
    {.name = "merge", .args = "DIR", .summary = "one file over many runs",
     .doc = "Joins the runs that DIR/manifest.csv names into one file that xarray opens: figures and factors over runs, series over "
            "run, time and entity. It refers to the runs and stays beside them, or copies. Missing runs are NaN and named.",
     .example = {"millrace merge out", "millrace merge out --copy -o sweep.h5"},
     .opts = &mr_merge_opts, .opts_bytes = sizeof(struct mr_merge_opts_values),
     .n_arg_min = 1, .n_arg_max = 1, .run = mr_merge_verb},
    {.name = "report", .args = "FILE", .summary = "a page about one run",
     .doc = "Writes one self-contained HTML page about a run and prints its key figures. Takes the result files of run, thermal and "
            "power, parts of runs that were cut off, and JSON summaries; says what a file does not hold.",
     .example = {"millrace report run.h5 -o report.html", "millrace report run.h5 --csv tables"},
     .opts = &mr_report_opts, .opts_bytes = sizeof(struct mr_report_opts_values),
     .n_arg_min = 1, .n_arg_max = 1, .run = mr_report_verb},
    {.name = "compare", .args = "FILE FILE...", .summary = "runs side by side",
     .doc = "Puts two or more runs on one page: differences, floor plans on one scale, Pareto front, limits; prints the key figures "
            "and the front in characters. Of merged files of sweeps: fronts, rankings, effects of factors.",
     .example = {"millrace compare a.h5 b.h5 -o ab.html", "millrace compare a.h5 b.h5 --csv ab"},
     .opts = &mr_report_compare_opts, .opts_bytes = sizeof(struct mr_report_opts_values),
     .n_arg_min = 1, .n_arg_max = -1, .run = mr_report_verb},
    {.name = "regress", .args = "--baseline BASE RUN...", .summary = "guard results in CI",
     .doc = "Compares key figures of summaries or result files with a baseline; exit code 1 when one is worse than its limit. The "
            "simulator's own speed is told apart, as the median of all runs, and fails only when the tolerance file says so. "
            "A run that did not reach its end (partial: stopped, killed, still running) fails whatever its figures are, and is no "
            "baseline (exit code 3).",
     .example = {"millrace regress --baseline base.json now.json", "millrace regress --baseline base.json run.h5 --junit j.xml"},
     .opts = &mr_regress_opts, .opts_bytes = sizeof(struct mr_regress_opts_values),
     .n_arg_min = 1, .n_arg_max = -1, .run = mr_regress_verb},
    {.name = "size", .args = "SCENARIO", .summary = "smallest build for a target",
     .doc = "Finds the smallest build that reaches a target, or the one that makes the most within megawatts, budget and promises, by short "
            "runs of those that could be it; shows the front it walked and why the others lost. Exit code 1 when there is none.",
     .example = {"millrace size b.scenario.xml --limit-mw 20 -o best.h5", "millrace size b.scenario.xml --target-tok-s 1e6 --over layout/hall/row/count=2:12:1"},
     .opts = &mr_size_opts, .opts_bytes = sizeof(struct mr_size_opts_values),
     .n_arg_min = 1, .n_arg_max = 1, .run = mr_size_verb},
    {.name = "export", .args = "RUN", .summary = "tables and traces out of a run",
     .doc = "Writes CSV tables, DSX-named series, a Chrome trace or an agentic request trace from a result file; alone, lists its tables.",
     .example = {"millrace export run.h5 --table racks", "millrace export run.h5 --format trace -o run.json"},
     .opts = &mr_export_opts, .opts_bytes = sizeof(struct mr_export_opts_values),
     .n_arg_min = 1, .n_arg_max = 1, .run = mr_export_verb},
    {.name = "models", .args = "[NAME]", .summary = "cards with their sources",
     .doc = "Lists the hardware and LLM cards, every figure with its source and confidence.",
     .example = {"millrace models rubin", "millrace models --assumptions"},
     .opts = &mr_models_opts, .opts_bytes = sizeof(struct mr_models_opts_values),
     .n_arg_min = 0, .n_arg_max = 1, .run = mr_models_run},
    {.name = "schema", .args = "[KIND]", .summary = "parameters, figures, file formats",
     .doc = "Prints the reference of parameters, key figures and datasets, from the tables the program itself uses.",
     .example = {"millrace schema platform", "millrace schema --rng layout"},
     .opts = &mr_schema_opts, .opts_bytes = sizeof(struct mr_schema_opts_values),
     .n_arg_min = 0, .n_arg_max = 1, .run = mr_schema_run},
    {.name = "step", .args = "", .summary = "cost of one batch step",
     .doc = "Predicts one batch step: time by term and what bounds it, watts by cause, what fits. With --lpu on "
            "LPUs too, with --profile from measured times.",
     .example = {"millrace step --gpu gb300 --llm DeepSeek-R1 --tp 8 --batch 64 --context 8192", "millrace step --gpu rubin --llm Kimi-K2 --tp 8 --ep 8 --batch 64 --lpu lp30 --lpus 2560"},
     .opts = &mr_step_opts, .opts_bytes = sizeof(struct mr_step_opts_values),
     .n_arg_min = 0, .n_arg_max = 0, .run = mr_step_run},
    {.name = "fidelity", .args = "FILE.csv...|DIR...", .summary = "predictions against measurements",
     .doc = "Predicts measured rows and prints the error by system, model and mode. Files that measure watts "
            "(operators, served networks) are told by their columns and held against the power model. A folder is a "
            "recorded run of a serving engine (requests.jsonl, meta.json, profile/tpN): it is played again request by request.",
     .example = {"millrace fidelity silicon.csv", "millrace fidelity vllm_runs/*"},
     .opts = &mr_fidelity_opts, .opts_bytes = sizeof(struct mr_fidelity_opts_values),
     .n_arg_min = 1, .n_arg_max = -1, .run = mr_fidelity_run},
    {.name = "calibrate", .args = "DIR|FILE...", .summary = "fit a card to measurements",
     .doc = "Fits a card override from profiles or measured rows, with its own held-out split.",
     .example = {"millrace calibrate profile/tp1 -o mycard.xml", "millrace calibrate rows.csv --backend vllm"},
     .opts = &mr_calibrate_opts, .opts_bytes = sizeof(struct mr_calibrate_opts_values),
     .n_arg_min = 1, .n_arg_max = -1, .run = mr_calibrate_run},
    {.name = "thermal", .args = "SITE", .summary = "the coolant model alone",
     .doc = "Drives the thermal model of a site, from die to weather, with a power trace and without serving: PUE, hours "
            "above limits, hottest die, water, events; outages with --fail, every parameter with --set.",
     .example = {"millrace thermal hall.layout.xml --power load.csv --weather phoenix.epw --start '4560 h'",
                 "millrace thermal hall.layout.xml --load 0.9 --until '1 h' --fail pumps@10min+5min --events e.csv"},
     .opts = &mr_thermal_opts, .opts_bytes = sizeof(struct mr_thermal_opts_values),
     .n_arg_min = 1, .n_arg_max = 1, .run = mr_thermal_run},
    {.name = "power", .args = "SITE", .summary = "the power model alone",
     .doc = "Drives the electric side of a site, from grid to rack, with a power trace and without serving: energy, losses by "
            "stage, trips, caps, curtailment, cost, stranded power; outages and grid events with --fail, every parameter "
            "with --set (what there is: millrace schema scenario). "
            "VALUE of --fail: utility: voltage over its nominal [0]; units: how many are lost [1]; curtail: watts or a share of "
            "the draw before, known NOTICE ahead (none: released; best_effort behind it: stops nobody); policy: max_p, max_q, "
            "max_lps; node, close: none.",
     .example = {"millrace power hall.layout.xml --power load.csv --fail utility@1h+10min --events e.csv",
                 "millrace power hall.layout.xml --load 0.9 --until '6 h' --fail 'curtail@1h+3h=75 %' --json"},
     .opts = &mr_power_opts, .opts_bytes = sizeof(struct mr_power_opts_values),
     .n_arg_min = 1, .n_arg_max = 1, .run = mr_power_run},
    {.name = "watch", .args = "RUN", .summary = "live view in the terminal",
     .doc = "Shows a running or finished run: tokens per second, megawatts, temperatures, tiers, as wide as the terminal is "
            "(else as COLUMNS says; 40 to 200). Ends with the run; with 5 when that was killed, by then or before.",
     .example = {"millrace watch run.h5.part", "millrace watch run.h5 --every 5s"},
     .opts = &mr_watch_opts, .opts_bytes = sizeof(struct mr_watch_opts_values),
     .n_arg_min = 1, .n_arg_max = 1, .run = mr_watch_verb},
    {.name = "bench", .args = "[NAME...]", .summary = "speed on this machine",
     .doc = "Measures the program's own parts, each beside a plain reference loop in the same run: the ratio means "
            "something on any machine, the nanoseconds only on this one. NAME selects by prefix (base, base/json). "
            "Real traces are read from the folder that MILLRACE_DATA names (default ../shared/data).",
     .example = {"millrace bench base/json", "millrace bench --json"},
     .opts = &mr_bench_opts, .opts_bytes = sizeof(struct mr_bench_opts_values),
     .n_arg_min = 0, .n_arg_max = -1, .run = mr_bench_run},
    {.name = "help", .args = "[VERB]", .summary = "this overview, or one verb",
     .doc = "Shows the overview or one verb; with --man the same as a manual page, with --completion the completion for bash.",
     .example = {"millrace help bench", "millrace help --man | man -l -"},
     .opts = &mr_help_opts, .opts_bytes = sizeof(struct mr_help_opts_values),
     .n_arg_min = 0, .n_arg_max = 1, .run = mr_help_run},
    {.name = "version", .args = "", .summary = "build, libraries, revision",
     .doc = "Shows the version, git revision, compiler, flags and the versions of the libraries in use.",
     .example = {"millrace version", "millrace version --json"},
     .opts = &mr_version_opts, .opts_bytes = sizeof(struct mr_version_opts_values),
     .n_arg_min = 0, .n_arg_max = 0, .run = mr_version_run},
};
// clang-format on

const size_t mr_verbs_n = sizeof mr_verbs_table / sizeof *mr_verbs_table;

const struct mr_verb *mr_verbs_find(const char *name)
{
    for (size_t i = 0; i < mr_verbs_n; i++)
        if (strcmp(name, mr_verbs_table[i].name) == 0)
            return &mr_verbs_table[i];
    return NULL;
}

const char *mr_verbs_nearest(const char *name)
{
    const char *names[sizeof mr_verbs_table / sizeof *mr_verbs_table];
    for (size_t i = 0; i < mr_verbs_n; i++)
        names[i] = mr_verbs_table[i].name;
    return mr_text_nearest(mr_str_of(name), names, mr_verbs_n);
}
