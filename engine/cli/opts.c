/* SPDX-License-Identifier: Apache-2.0 */
/* getopt_long driven by option tables. Its own messages are silenced: ours name the nearest option.
 */
#define _DEFAULT_SOURCE /* getopt_long */
#include "engine/cli/opts.h"

#include "engine/base/assert.h"

#include <getopt.h>
#include <stdio.h>

enum {
    opts_max = 64,
    long_base = 256
};

static const char *const colors[] = {"auto", "always", "never"};

static const struct mr_opt global_rows[] = {
    {MR_PARAM_YES(struct mr_global_opts, is_quiet, "quiet", "no", "Errors only"), 'q', NULL},
    {MR_PARAM_YES(struct mr_global_opts, is_verbose, "verbose", "no", "Say what is being done"),
     'v', NULL},
    {MR_PARAM_YES(struct mr_global_opts, is_very_verbose, "very-verbose", "no",
                  "Say more than that; -vv"),
     0, NULL},
    {MR_PARAM_ONE_OF(struct mr_global_opts, color, "color", colors, "auto",
                     "Color messages: auto, always, never; NO_COLOR is respected"),
     0, "WHEN"},
    {MR_PARAM_YES(struct mr_global_opts, no_progress, "no-progress", "no", "No progress line"), 0,
     NULL},
    {MR_PARAM_YES(struct mr_global_opts, may_overwrite, "force", "no", "Overwrite existing files"),
     'f', NULL},
    {MR_PARAM_YES(struct mr_global_opts, wants_help, "help", "no", "Show the help of this verb"),
     'h', NULL},
};

const struct mr_opt_table mr_opts_global = {global_rows, sizeof global_rows / sizeof *global_rows};

/* One row with its target, addressed by the value getopt_long returns. */
struct slot {
    const struct mr_opts_target *target;
    const struct mr_opt *opt;
    struct mr_param_table table; /* of this row alone */
    uint8_t origin;
};

struct parser {
    struct slot slot[opts_max];
    struct option option[opts_max + 1];
    const char *name[opts_max];
    char letters[2 * opts_max + 2];
    int n;
};

static struct mr_param_target target_of(struct slot *slot)
{
    return (struct mr_param_target){&slot->table, slot->target->object, &slot->origin, NULL, NULL};
}

static void add_table(struct parser *p, const struct mr_opts_target *target)
{
    size_t n_letters = strlen(p->letters);
    for (size_t i = 0; i < target->table->n; i++) {
        const struct mr_opt *opt = &target->table->row[i];
        MR_ASSERT(p->n < opts_max);
        MR_ASSERT((opt->metavar == NULL) == (opt->param.kind == MR_PARAM_BOOL));
        p->slot[p->n] = (struct slot){target, opt, {"options", "", &opt->param, 1}, 0};
        struct mr_param_target one = target_of(&p->slot[p->n]);
        mr_param_defaults(&one);
        p->name[p->n] = opt->param.name;
        p->option[p->n] =
            (struct option){opt->param.name, opt->metavar != NULL ? required_argument : no_argument,
                            NULL, long_base + p->n};
        if (opt->letter != 0) {
            p->letters[n_letters++] = opt->letter;
            if (opt->metavar != NULL)
                p->letters[n_letters++] = ':';
        }
        p->n++;
    }
    p->letters[n_letters] = '\0';
}

/* Index of the option getopt_long means by `code`, or p->n. */
static int index_of(const struct parser *p, int code)
{
    if (code >= long_base)
        return code - long_base;
    int i = 0;
    while (i < p->n && p->slot[i].opt->letter != code)
        i++;
    return i;
}

/* What getopt_long refused: an unknown option, one without its argument, one with too many. */
static mr_status refused(const struct parser *p, const char *word, bool lacks_argument,
                         struct mr_err *err)
{
    char quoted[MR_QUOTE_CAP], hint[96] = "";
    const int i = index_of(p, optopt);
    if (optopt != 0 && i >= p->n)
        return mr_err_set(err, MR_SCHEMA, MR_NOWHERE, "unknown option -%c", optopt);
    if (optopt != 0 && lacks_argument)
        return mr_err_set(err, MR_SCHEMA, MR_NOWHERE, "option --%s needs a value: %s", p->name[i],
                          p->slot[i].opt->metavar);
    if (optopt != 0)
        return mr_err_set(err, MR_SCHEMA, MR_NOWHERE, "option --%s takes no value", p->name[i]);
    const char *name = word + strspn(word, "-");
    const struct mr_str plain = {name, strcspn(name, "=")};
    mr_text_hint(plain, p->name, (size_t)p->n, hint, sizeof hint);
    return mr_err_set(err, MR_SCHEMA, MR_NOWHERE, "unknown option %s%s",
                      mr_text_quote(mr_str_of(word), quoted), hint);
}

static mr_status set(struct slot *slot, const char *argument, struct mr_err *err)
{
    const struct mr_param_target one = target_of(slot);
    const char *text = slot->opt->metavar != NULL ? argument : "yes";
    return mr_param_set(&one, mr_str_of(slot->opt->param.name), mr_str_of(text),
                        MR_PARAM_OVERRIDDEN, MR_NOWHERE, err);
}

mr_status mr_opts_parse(const struct mr_opts_target *global, const struct mr_opts_target *verb,
                        int argc, char **argv, int *first, struct mr_err *err)
{
    struct parser p = {.letters = ":"};
    struct mr_global_opts *const shared = global->object;
    add_table(&p, global);
    if (verb != NULL && verb->table != NULL)
        add_table(&p, verb);
    optind = 1;
    opterr = 0;
    for (;;) {
        optopt = 0;
        const int code = getopt_long(argc, argv, p.letters, p.option, NULL);
        if (code == -1)
            break;
        if (code == '?' || code == ':')
            /* the word before optind was looked at: those without dashes have been passed over */
            return refused(&p, argv[optind - 1], code == ':', err);
        if (code == 'v' && shared->is_verbose)
            shared->is_very_verbose = true;
        const int i = index_of(&p, code);
        MR_ASSERT(i < p.n); /* getopt_long returns what it was given */
        MR_TRY(set(&p.slot[i], optarg, err));
    }
    *first = optind;
    return MR_OK;
}

void mr_opts_fini(const struct mr_opts_target *target)
{
    if (target->table == NULL)
        return;
    for (size_t i = 0; i < target->table->n; i++) {
        struct slot slot = {
            target, &target->table->row[i], {"options", "", &target->table->row[i].param, 1}, 0};
        const struct mr_param_target one = target_of(&slot);
        mr_param_fini(&one);
    }
}

void mr_opts_print_help(const struct mr_opt_table *table, struct mr_buf *out)
{
    struct mr_buf text = {0};
    for (size_t i = 0; i < table->n; i++) {
        const struct mr_opt *opt = &table->row[i];
        char left[64], letter[8] = "    ";
        if (opt->letter != 0)
            snprintf(letter, sizeof letter, "-%c, ", opt->letter);
        snprintf(left, sizeof left, "%s--%s%s%s", letter, opt->param.name,
                 opt->metavar != NULL ? " " : "", opt->metavar != NULL ? opt->metavar : "");
        mr_buf_clear(&text);
        mr_buf_text(&text, opt->param.doc);
        if (opt->metavar != NULL && opt->param.fallback != NULL)
            mr_buf_printf(&text, " [%s]", opt->param.fallback);
        mr_buf_printf(out, "  %-26s ", left);
        const size_t n_left = strlen(left);
        mr_buf_wrap(out, text.text, 3 + (n_left > 26 ? n_left : 26), 29, 100);
        mr_buf_char(out, '\n');
        if (text.status != MR_OK)
            out->status = text.status;
    }
    mr_buf_fini(&text);
}

void mr_opts_print_names(const struct mr_opt_table *table, struct mr_buf *out)
{
    for (size_t i = 0; i < table->n; i++) {
        const struct mr_opt *opt = &table->row[i];
        if (opt->letter != 0)
            mr_buf_printf(out, " -%c", opt->letter);
        else
            mr_buf_printf(out, " --%s", opt->param.name);
        if (opt->metavar != NULL)
            mr_buf_printf(out, " %s", opt->metavar);
    }
    mr_buf_char(out, '\n');
}
