/* SPDX-License-Identifier: Apache-2.0 */
/* The list of lists, and the groups that every result file has. */
#include "engine/cli/groups.h"

#include "engine/base/jsonw.h"
#include "engine/cli/man.h"
#include "engine/cli/power_flex.h"
#include "engine/cli/power_points.h"
#include "engine/cli/power_record.h"
#include "engine/cli/run_record.h"
#include "engine/cli/run_sums.h"
#include "engine/cli/site_record.h"
#include "engine/cli/thermal_record.h"
#include "engine/cli/thermal_series.h"

// clang-format off
#define TEXT(name_, long_) {.name = (name_), .units = "1", .long_name = (long_), .type = MR_CHANNEL_U8}
static const struct mr_channel config[] = {
    TEXT("effective", "The scenario with all defaults filled in, as XML"),
    TEXT("used", "Paths that the scenario gives"),
    TEXT("defaulted", "Paths that have their default"),
    TEXT("overridden", "Paths that were set from outside"),
    TEXT("files", "Texts of the layout or platform and of cards that a run read, as JSON: name, role, sha256, text (run)"),
    TEXT("assumptions", "Figures of cards in use that are assumed or estimated, one to a line"),
};
static const struct mr_channel provenance[] = {
    TEXT("summary", "The summary as JSON"),
    TEXT("inputs", "Files that were read, by path and SHA-256 (run)"),
};
static const struct mr_channel kpi[] = {
    {.name = "value", .units = "1", .long_name = "Key figure; its name on the axis is its path in the summary", .type = MR_CHANNEL_F64},
    TEXT("unit", "Unit of the figure"),
    TEXT("formula", "What the figure is"),
    TEXT("better", "Which way is better: neither, up, down"),
};
static const struct mr_group common[] = {
    MR_GROUP("/config", "", config, "Configuration of a run, as texts"),
    MR_GROUP("/provenance", "", provenance, "Where the file comes from, as texts and attributes; only this group may differ between equal runs"),
    MR_GROUP("/kpi", "kpi", kpi, "Key figures"),
};
// clang-format on
static const struct mr_group_list common_list = MR_GROUP_LIST("every file", common);

static const struct mr_group_list *const lists[] = {
    &common_list,
    &mr_run_groups,
    &mr_run_sums_groups,
    &mr_site_groups,
    &mr_thermal_series_groups,
    &mr_thermal_groups,
    &mr_power_groups,
    &mr_power_points_groups,
    &mr_power_flex_groups,
    NULL,
};

/* The sentence of a dataset, and what its values mean where they are states. */
static void sentence(const struct mr_channel *channel, struct mr_buf *out)
{
    mr_buf_text(out, channel->long_name);
    for (size_t i = 0; i < channel->n_flag; i++)
        mr_buf_printf(out, "%s%zu %s", i > 0 ? ", " : ": ", i, channel->flag[i]);
}

static void group_head(const struct mr_group_list *list, const struct mr_group *group,
                       struct mr_buf *out)
{
    mr_buf_printf(out, "%s. Written by %s.", group->doc, list->who);
    if (group->axes[0] != '\0')
        mr_buf_printf(out, " Axes: %s.", group->axes);
}

static void group_md(const struct mr_group_list *list, const struct mr_group *group,
                     struct mr_buf *out)
{
    mr_buf_printf(out, "## %s\n\n", group->path);
    group_head(list, group, out);
    mr_buf_text(out, "\n\n");
    if (group->n > 0)
        mr_buf_text(out, "| dataset | unit | DSX Exchange | meaning |\n|---|---|---|---|\n");
    for (size_t i = 0; i < group->n; i++) {
        const struct mr_channel *c = &group->channel[i];
        mr_buf_printf(out, "| `%s` | %s | %s | ", c->name, c->units, c->dsx != NULL ? c->dsx : "");
        sentence(c, out);
        mr_buf_text(out, " |\n");
    }
    if (group->n > 0)
        mr_buf_char(out, '\n');
}

static void group_man(const struct mr_group_list *list, const struct mr_group *group,
                      struct mr_buf *out)
{
    struct mr_buf text = {0};
    mr_man_line(out, ".SH ", group->path);
    group_head(list, group, &text);
    mr_man_line(out, "", text.text);
    for (size_t i = 0; i < group->n; i++) {
        const struct mr_channel *c = &group->channel[i];
        mr_man_item(out, c->name);
        text.n = 0;
        sentence(c, &text);
        if (strcmp(c->units, "1") != 0)
            mr_buf_printf(&text, " [%s]", c->units);
        if (c->dsx != NULL)
            mr_buf_printf(&text, "; DSX Exchange: %s", c->dsx);
        mr_man_line(out, "", text.text);
    }
    mr_buf_fini(&text);
}

static void group_json(const struct mr_group_list *list, const struct mr_group *group,
                       struct mr_jsonw *w)
{
    mr_jsonw_object(w);
    mr_jsonw_key_text(w, "path", group->path);
    mr_jsonw_key_text(w, "axes", group->axes);
    mr_jsonw_key_text(w, "written_by", list->who);
    mr_jsonw_key_text(w, "doc", group->doc);
    mr_jsonw_key(w, "datasets");
    mr_jsonw_array(w);
    for (size_t i = 0; i < group->n; i++) {
        const struct mr_channel *c = &group->channel[i];
        mr_jsonw_object(w);
        mr_jsonw_key_text(w, "name", c->name);
        mr_jsonw_key_text(w, "units", c->units);
        mr_jsonw_key_text(w, "dsx", c->dsx);
        mr_jsonw_key_text(w, "doc", c->long_name);
        mr_jsonw_key(w, "flags");
        mr_jsonw_array(w);
        for (size_t k = 0; k < c->n_flag; k++)
            mr_jsonw_text(w, c->flag[k]);
        mr_jsonw_end(w);
        mr_jsonw_end(w);
    }
    mr_jsonw_end(w);
    mr_jsonw_end(w);
}

static void print_all(void (*print)(const struct mr_group_list *list, const struct mr_group *group,
                                    struct mr_buf *out),
                      struct mr_buf *out)
{
    for (size_t l = 0; lists[l] != NULL; l++)
        for (size_t i = 0; i < lists[l]->n; i++)
            print(lists[l], &lists[l]->group[i], out);
}

void mr_groups_print_md(struct mr_buf *out)
{
    print_all(group_md, out);
}

void mr_groups_print_man(struct mr_buf *out)
{
    mr_man_line(out, ".SH DESCRIPTION\n",
                "HDF5 that readers of netCDF-4 open too. Every axis is a dimension scale; every "
                "dataset carries its unit, a sentence and, where DSX Exchange has one, that name. "
                "A file under its own name is complete; one that ends in .part holds what was "
                "written so far.");
    print_all(group_man, out);
}

void mr_groups_print_json(struct mr_buf *out)
{
    struct mr_jsonw w;
    mr_jsonw_init(&w, out, 2);
    mr_jsonw_object(&w);
    mr_jsonw_key_u64(&w, "schema", 1);
    mr_jsonw_key_text(&w, "kind", "h5");
    mr_jsonw_key(&w, "groups");
    mr_jsonw_array(&w);
    for (size_t l = 0; lists[l] != NULL; l++)
        for (size_t i = 0; i < lists[l]->n; i++)
            group_json(lists[l], &lists[l]->group[i], &w);
    mr_jsonw_end(&w);
    mr_jsonw_end(&w);
    mr_buf_char(out, '\n');
}
