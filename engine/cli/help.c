/* SPDX-License-Identifier: Apache-2.0 */
/* Everything a user can read about the command line comes from the tables that parse it. */
#include "engine/cli/help.h"

#include "engine/base/status.h"
#include "engine/cli/man.h"
#include "engine/cli/schema.h"
#include "engine/cli/verbs.h"

static const struct mr_opt help_rows[] = {
    {MR_PARAM_YES(struct mr_help_opts_values, as_man, "man", "no", "Print a manual page (troff)"),
     0, NULL},
    {MR_PARAM_YES(struct mr_help_opts_values, as_completion, "completion", "no",
                  "Print the completion for bash"),
     0, NULL},
};

const struct mr_opt_table mr_help_opts = {help_rows, sizeof help_rows / sizeof *help_rows};

static const struct {
    int code;
    const char *text;
} exit_codes[] = {
    {0, "done"},
    {1, "a check failed: a regression, a violation, a broken limit"},
    {2, "wrong usage: unknown verb or option, missing argument"},
    {3, "wrong input: syntax, schema, unit, range, dangling reference"},
    {4, "model or build: diverged, deadlock, capacity"},
    {5, "system: file, disk, memory"},
    {75, "sweep interrupted with rows left: run it again with --resume"},
    {130, "stopped by an interrupt (143: by a termination signal)"},
};

static const struct {
    const char *name, *text;
} variables[] = {
    {"MILLRACE_PATH",
     "Folders, separated by colons, where cards and platforms are looked for after "
     "the folder of the file that names them."},
    {"MILLRACE_DATA", "Folder of real traces and measurements for bench and the tests. No result "
                      "depends on it."},
    {"NO_COLOR", "When set and not empty, no colors (no-color.org)."},
};

enum {
    n_exit_code = sizeof exit_codes / sizeof *exit_codes,
    n_variable = sizeof variables / sizeof *variables
};

void mr_help_overview(struct mr_buf *out)
{
    mr_buf_text(out, "millrace: a digital twin of an AI factory, from token to turbine\n"
                     "usage: millrace VERB [OPTIONS] ARGS\n\n");
    for (size_t i = 0; i < mr_verbs_n; i++) {
        const struct mr_verb *verb = &mr_verbs_table[i];
        mr_buf_printf(out, "  %-10s %s\n", verb->name, verb->summary);
    }
    mr_buf_text(out, "\noptions of every verb:\n");
    mr_opts_print_help(&mr_opts_global, out);
    mr_buf_text(out, "\nexamples:\n  millrace help bench\n  millrace bench base/json\n");
}

void mr_help_verb(const struct mr_verb *verb, struct mr_buf *out)
{
    mr_buf_printf(out, "usage: millrace %s [OPTIONS]%s%s\n\n", verb->name,
                  verb->args[0] != '\0' ? " " : "", verb->args);
    mr_buf_wrap(out, verb->doc, 0, 0, 78);
    mr_buf_char(out, '\n');
    if (verb->opts != NULL) {
        mr_buf_text(out, "\noptions:\n");
        mr_opts_print_help(verb->opts, out);
    }
    /* their meaning is on the page of all verbs: this one has to fit a screen */
    mr_buf_text(out, "\nand those of every verb (millrace help):");
    mr_opts_print_names(&mr_opts_global, out);
    mr_buf_printf(out, "\nexamples:\n  %s\n  %s\n", verb->example[0], verb->example[1]);
}

/* ---- manual pages ---- */

static void man_overview(struct mr_buf *out)
{
    mr_man_head(out, "millrace", 1, "digital twin of an AI factory, from token to turbine");
    mr_buf_text(out,
                ".SH SYNOPSIS\n.B millrace\n.I VERB\n[\\fIOPTIONS\\fR] \\fIARGS\\fR\n"
                ".SH DESCRIPTION\n"
                "Plays a site of racks, links, coolant loops and power feeds, serving LLM agents "
                "replayed from traces, through one clock.\n.SH VERBS\n");
    for (size_t i = 0; i < mr_verbs_n; i++) {
        const struct mr_verb *verb = &mr_verbs_table[i];
        mr_buf_printf(out, ".TP\n.B %s", verb->name);
        if (verb->args[0] != '\0') {
            mr_buf_text(out, " \\fI");
            mr_man_text(out, verb->args);
            mr_buf_text(out, "\\fR");
        }
        mr_buf_char(out, '\n');
        mr_man_line(out, "", verb->doc);
        if (verb->opts != NULL) {
            mr_buf_text(out, ".RS\n");
            mr_man_options(out, verb->opts);
            mr_buf_text(out, ".RE\n");
        }
    }
}

void mr_help_man(const struct mr_verb *verb, struct mr_buf *out)
{
    struct mr_buf name = {0};
    if (verb == NULL) {
        man_overview(out);
    } else {
        mr_buf_printf(&name, "millrace-%s", verb->name);
        mr_man_head(out, name.text, 1, verb->summary);
        mr_buf_fini(&name);
        mr_buf_printf(out, ".SH SYNOPSIS\n.B millrace %s\n[\\fIOPTIONS\\fR]", verb->name);
        if (verb->args[0] != '\0') {
            mr_buf_text(out, " \\fI");
            mr_man_text(out, verb->args);
            mr_buf_text(out, "\\fR");
        }
        mr_buf_text(out, "\n.SH DESCRIPTION\n");
        mr_man_line(out, "", verb->doc);
        if (verb->opts != NULL) {
            mr_buf_text(out, ".SH OPTIONS\n");
            mr_man_options(out, verb->opts);
        }
    }
    mr_buf_text(out, ".SH OPTIONS OF EVERY VERB\n");
    mr_man_options(out, &mr_opts_global);
    mr_buf_text(out, ".SH EXIT STATUS\n");
    for (size_t i = 0; i < n_exit_code; i++) {
        mr_buf_printf(out, ".TP\n.B %d\n", exit_codes[i].code);
        mr_man_line(out, "", exit_codes[i].text);
    }
    mr_buf_text(out, ".SH ENVIRONMENT\n");
    for (size_t i = 0; i < n_variable; i++) {
        mr_man_item(out, variables[i].name);
        mr_man_line(out, "", variables[i].text);
    }
    if (verb != NULL) {
        mr_buf_text(out, ".SH EXAMPLES\n.nf\n");
        mr_man_line(out, "", verb->example[0]);
        mr_man_line(out, "", verb->example[1]);
        mr_buf_text(out, ".fi\n.SH SEE ALSO\n.BR millrace (1)\n");
    } else {
        mr_buf_text(out, ".SH SEE ALSO\n");
        for (size_t i = 0; i < mr_verbs_n; i++)
            mr_buf_printf(out, ".BR millrace\\-%s (1),\n", mr_verbs_table[i].name);
        for (size_t i = 0; mr_schema_kind(i) != NULL; i++)
            mr_buf_printf(out, ".BR millrace\\-%s (5)%s\n", mr_schema_kind(i),
                          mr_schema_kind(i + 1) != NULL ? "," : "");
    }
}

/* ---- completion ---- */

static void completion_words(struct mr_buf *out, const struct mr_opt_table *table)
{
    for (size_t i = 0; i < table->n; i++)
        mr_buf_printf(out, " --%s", table->row[i].param.name);
}

static void completion_verbs(struct mr_buf *out)
{
    for (size_t i = 0; i < mr_verbs_n; i++)
        mr_buf_printf(out, "%s%s", i > 0 ? " " : "", mr_verbs_table[i].name);
}

/* A case for each option of one of a few words: "*:--color) words="auto always never" ;;". */
static void completion_choices(struct mr_buf *out, const char *verb,
                               const struct mr_opt_table *table)
{
    for (size_t i = 0; i < table->n; i++) {
        const struct mr_param *param = &table->row[i].param;
        if (param->kind != MR_PARAM_CHOICE)
            continue;
        mr_buf_printf(out, "    %s:--%s) words=\"", verb, param->name);
        for (size_t k = 0; k < param->n_choice; k++)
            mr_buf_printf(out, "%s%s", k > 0 ? " " : "", param->choices[k]);
        mr_buf_text(out, "\" ;;\n");
    }
}

/* What stands first after the verb, where it is one of a few words. */
static void completion_first(struct mr_buf *out)
{
    mr_buf_text(out, "    help:2) words=\"");
    completion_verbs(out);
    mr_buf_text(out, "\" ;;\n    schema:2) words=\"");
    for (size_t i = 0; mr_schema_kind(i) != NULL; i++)
        mr_buf_printf(out, "%s%s", i > 0 ? " " : "", mr_schema_kind(i));
    mr_buf_text(out, "\" ;;\n");
    for (size_t i = 0; i < mr_verbs_n; i++) { /* "info|convert FILE": words in small letters */
        const char *args = mr_verbs_table[i].args;
        const size_t n = strspn(args, "abcdefghijklmnopqrstuvwxyz|");
        if (n == 0 || args[n] != ' ')
            continue;
        mr_buf_printf(out, "    %s:2) words=\"", mr_verbs_table[i].name);
        for (size_t k = 0; k < n; k++)
            mr_buf_char(out, args[k] == '|' ? ' ' : args[k]);
        mr_buf_text(out, "\" ;;\n");
    }
}

static void completion(struct mr_buf *out)
{
    mr_buf_text(out, "# bash completion of millrace; printed by millrace help --completion\n"
                     "_millrace() {\n"
                     "    local word=${COMP_WORDS[COMP_CWORD]} last=${COMP_WORDS[COMP_CWORD-1]}\n"
                     "    local verb=${COMP_WORDS[1]} words= options=\"");
    completion_words(out, &mr_opts_global);
    mr_buf_text(out, "\"\n    [ \"$COMP_CWORD\" -gt 1 ] || words=\"");
    completion_verbs(out);
    mr_buf_text(out, "\"\n    case $verb in\n");
    for (size_t i = 0; i < mr_verbs_n; i++) {
        if (mr_verbs_table[i].opts == NULL)
            continue;
        mr_buf_printf(out, "    %s) options=\"$options", mr_verbs_table[i].name);
        completion_words(out, mr_verbs_table[i].opts);
        mr_buf_text(out, "\" ;;\n");
    }
    mr_buf_text(out, "    esac\n    case $verb:$last in\n");
    completion_choices(out, "*", &mr_opts_global);
    for (size_t i = 0; i < mr_verbs_n; i++)
        if (mr_verbs_table[i].opts != NULL)
            completion_choices(out, mr_verbs_table[i].name, mr_verbs_table[i].opts);
    mr_buf_text(out, "    esac\n    case $verb:$COMP_CWORD in\n");
    completion_first(out);
    mr_buf_text(out, "    esac\n    case $word in\n"
                     "    -*) COMPREPLY=($(compgen -W \"$options\" -- \"$word\")) ;;\n"
                     "    *) COMPREPLY=($(if [ -n \"$words\" ]; then compgen -W \"$words\" -- "
                     "\"$word\"; else compgen -f -- \"$word\"; fi)) ;;\n    esac\n}\n"
                     "complete -o filenames -F _millrace millrace\n");
}

int mr_help_run(const struct mr_verb_call *call)
{
    const struct mr_help_opts_values *opts = call->opts;
    const struct mr_verb *verb = NULL;
    if (call->n_arg == 1) {
        verb = mr_verbs_find(call->arg[0]);
        if (verb == NULL) {
            const char *nearest = mr_verbs_nearest(call->arg[0]);
            return mr_ui_usage(call->ui, NULL, "unknown verb \"%s\"%s%s%s", call->arg[0],
                               nearest != NULL ? " (did you mean \"" : "",
                               nearest != NULL ? nearest : "", nearest != NULL ? "\"?)" : "");
        }
    }
    struct mr_buf out = {0};
    if (opts->as_completion)
        completion(&out);
    else if (opts->as_man)
        mr_help_man(verb, &out);
    else if (verb != NULL)
        mr_help_verb(verb, &out);
    else
        mr_help_overview(&out);
    const int code = mr_ui_out(call->ui, &out);
    mr_buf_fini(&out);
    return code;
}
