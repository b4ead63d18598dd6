/* SPDX-License-Identifier: Apache-2.0 */
/* millrace VERB [OPTIONS] ARGS: find the verb, read its options, run it, return its exit code. */
#include "engine/base/mem.h"
#include "engine/base/mem_system.h"
#include "engine/cli/help.h"
#include "engine/cli/verbs.h"
#include "engine/clock/ranks.h"

#include <signal.h>
#include <stdio.h>

/* "--version" and "--help" without a verb are what newcomers type. */
static const char *verb_word(const char *word)
{
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        return "help";
    if (strcmp(word, "--version") == 0)
        return "version";
    return word;
}

static int no_verb(const struct mr_ui *ui, const char *word)
{
    char quoted[MR_QUOTE_CAP];
    if (word[0] == '-')
        return mr_ui_usage(ui, NULL, "the verb comes first, then its options: millrace VERB %s",
                           mr_text_quote(mr_str_of(word), quoted));
    const char *nearest = mr_verbs_nearest(word);
    return mr_ui_usage(ui, NULL, "unknown verb \"%s\"%s%s%s",
                       mr_text_quote(mr_str_of(word), quoted),
                       nearest != NULL ? " (did you mean \"" : "", nearest != NULL ? nearest : "",
                       nearest != NULL ? "\"?)" : "");
}

static int wrong_count(const struct mr_ui *ui, const struct mr_verb *verb, int n_arg)
{
    if (n_arg < verb->n_arg_min)
        return mr_ui_usage(ui, verb->name, "%s: an argument is missing: millrace %s %s", verb->name,
                           verb->name, verb->args);
    return mr_ui_usage(ui, verb->name, "%s takes %s arguments: millrace %s %s", verb->name,
                       verb->n_arg_max == 0 ? "no" : "fewer", verb->name, verb->args);
}

/* What is said before the options are read obeys this one all the same. */
static enum mr_ui_color early_color(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--color=never") == 0 ||
            (strcmp(argv[i], "--color") == 0 && i + 1 < argc && strcmp(argv[i + 1], "never") == 0))
            return MR_UI_COLOR_NEVER;
    return MR_UI_COLOR_AUTO;
}

static int run_verb(const struct mr_verb *verb, int argc, char **argv, const void *opts, int first,
                    const struct mr_global_opts *global)
{
    struct mr_ui ui;
    const int verbosity =
        global->is_quiet ? -1 : (int)global->is_verbose + (int)global->is_very_verbose;
    mr_ui_init(&ui, (enum mr_ui_color)global->color, verbosity, !global->no_progress,
               global->may_overwrite);
    if (global->wants_help) {
        struct mr_buf out = {0};
        mr_help_verb(verb, &out);
        const int code = mr_ui_out(&ui, &out);
        mr_buf_fini(&out);
        return code;
    }
    const int n_arg = argc - first;
    if (n_arg < verb->n_arg_min || (verb->n_arg_max >= 0 && n_arg > verb->n_arg_max))
        return wrong_count(&ui, verb, n_arg);
    const struct mr_verb_call call = {&ui, opts, n_arg, argv + first};
    return verb->run(&call);
}

int main(int argc, char **argv)
{
    mr_mem_system_begin();
    struct mr_ui ui; /* until the options are known */
    mr_ui_init(&ui, early_color(argc, argv), 0, false, false);
    struct mr_err err = {0};
    (void)signal(SIGXFSZ, SIG_IGN); /* a limit on the size of files is an error of write(2) */
    if (mr_ranks_check_library(&err) != MR_OK)
        return mr_ui_error(&ui, &err);
    if (argc < 2) {
        struct mr_buf out = {0};
        mr_help_overview(&out);
        if (mr_buf_check(&out, NULL) == MR_OK)
            fputs(out.text, stderr);
        mr_buf_fini(&out);
        return 2;
    }
    const struct mr_verb *verb = mr_verbs_find(verb_word(argv[1]));
    if (verb == NULL)
        return no_verb(&ui, argv[1]);

    struct mr_global_opts global = {0};
    void *opts = mr_alloc_zero(1, verb->opts_bytes);
    if (opts == NULL)
        return mr_ui_error(&ui, &(struct mr_err){.status = MR_NOMEM, .text = "out of memory"});
    const struct mr_opts_target of_global = {&mr_opts_global, &global};
    const struct mr_opts_target of_verb = {verb->opts, opts};
    int first = 1, code;
    if (mr_opts_parse(&of_global, &of_verb, argc - 1, argv + 1, &first, &err) != MR_OK) {
        code = mr_ui_usage(&ui, verb->name, "%s: %s", verb->name, err.text);
    } else {
        code = run_verb(verb, argc - 1, argv + 1, opts, first, &global);
    }
    mr_opts_fini(&of_verb);
    mr_free(opts);
    return code;
}
