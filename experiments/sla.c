/* SPDX-License-Identifier: Apache-2.0 */
/* Tables, file, judgment. */
#include "experiments/sla.h"

#include "engine/base/mem.h"
#include "engine/base/xml.h"
#include "engine/base/xml_schema.h"

#include <stdio.h>

// clang-format off
#define T struct mr_sla_tier
static const struct mr_param rows[] = {
    MR_PARAM_STR(T, name, "name", "", "Tier of the scenario"),
    MR_PARAM(T, met_frac, "met", MR_Q_FRACTION, "95 %", 0, 1, "Share of its calls within the scenario's objectives"),
    MR_PARAM(T, tok_s, "tok_s", MR_Q_TOKEN_RATE, "0 tok/s", 0, 1e15, "Output tokens per second, at least; 0: any"),
    MR_PARAM(T, ttft_p90_s, "ttft_p90", MR_Q_TIME, "0 s", 0, 1e9, "Time to the first token of nine calls in ten; 0: any"),
    MR_PARAM(T, ttft_p99_s, "ttft_p99", MR_Q_TIME, "0 s", 0, 1e9, "The same of 99 in a hundred; 0: any"),
    MR_PARAM(T, tpot_p90_s, "tpot_p90", MR_Q_TIME, "0 s", 0, 1e9, "Time per output token of nine calls in ten; 0: any"),
    MR_PARAM(T, tpot_p99_s, "tpot_p99", MR_Q_TIME, "0 s", 0, 1e9, "The same of 99 in a hundred; 0: any"),
};
#undef T
// clang-format on

static const struct mr_param_table table = {
    "tier", "What a tier is promised. Several may be given.", rows, sizeof rows / sizeof *rows};

enum {
    n_row = sizeof rows / sizeof *rows,
    path_cap = 192
};

const struct mr_param_table *mr_sla_table(size_t i, const char **element)
{
    if (i > 0)
        return NULL;
    *element = table.name;
    return &table;
}

void mr_sla_print_rng(struct mr_buf *out)
{
    mr_buf_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                     "<!-- What tiers are promised. -->\n"
                     "<grammar xmlns=\"http://relaxng.org/ns/structure/1.0\">\n <start>\n"
                     "  <element name=\"sla\">\n   <zeroOrMore>\n    <element name=\"tier\">\n");
    mr_param_print_rng(&table, 5, out);
    mr_buf_text(out, "     <empty/>\n    </element>\n   </zeroOrMore>\n  </element>\n </start>\n"
                     "</grammar>\n");
}

/* ---- the file ---- */

mr_status mr_sla_of(struct mr_sla *sla, struct mr_str tier, double met_frac,
                    struct mr_sla_tier **out, struct mr_err *err)
{
    for (size_t i = 0; i < sla->n_tier; i++)
        if (mr_str_is(tier, sla->tier[i].name)) {
            *out = &sla->tier[i];
            return MR_OK;
        }
    MR_TRY(mr_grow(&sla->tier, &sla->cap_tier, sla->n_tier + 1, sizeof *sla->tier, err));
    const char *name = mr_arena_text(&sla->arena, tier, err);
    if (name == NULL)
        return MR_NOMEM;
    *out = &sla->tier[sla->n_tier++];
    **out = (struct mr_sla_tier){.name = name, .met_frac = met_frac};
    return MR_OK;
}

static mr_status read_tier(struct mr_sla *sla, const struct mr_xml_node *node,
                           struct mr_diags *diags)
{
    struct mr_sla_tier tier, *own;
    uint8_t origin[n_row] = {0};
    const struct mr_param_target target = {&table, &tier, origin, &sla->arena, "<tier>"};
    struct mr_err err = {0};
    const size_t n_error = diags->n_error, n_tier = sla->n_tier;
    mr_param_defaults(&target);
    for (uint32_t i = 0; i < node->n_attribute; i++) {
        const struct mr_xml_attribute *a = &node->attribute[i];
        err = (struct mr_err){0};
        if (mr_param_set(&target, mr_str_of(a->name), mr_str_of(a->value), MR_PARAM_GIVEN,
                         mr_xml_attribute_place(node, a), &err) != MR_OK)
            (void)mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    }
    if (diags->n_error > n_error)
        return diags->first_error;
    err = (struct mr_err){0};
    if (mr_sla_of(sla, mr_str_of(tier.name), 0, &own, &err) != MR_OK)
        return mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    if (sla->n_tier == n_tier || tier.name[0] == '\0')
        return mr_diags_add(diags, MR_SEVERITY_ERROR, MR_SCHEMA, mr_xml_place(node),
                            "tier \"%s\": %s", tier.name,
                            tier.name[0] == '\0' ? "has no name" : "is promised twice");
    const char *name = own->name;
    *own = tier;
    own->name = name;
    own->at = (struct mr_place){NULL, node->line, node->col};
    return MR_OK;
}

mr_status mr_sla_load(const char *path, struct mr_sla *out, struct mr_diags *diags)
{
    struct mr_xml_doc *doc = NULL;
    struct mr_err err = {0};
    *out = (struct mr_sla){0};
    if (mr_xml_load(path, NULL, &doc, &err) != MR_OK)
        return mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    const mr_status st = mr_xml_schema_check_by("sla.rng", mr_sla_print_rng, doc, diags);
    if (st == MR_OK)
        for (const struct mr_xml_node *n = mr_xml_child(mr_xml_root(doc), "tier"); n != NULL;
             n = mr_xml_next(n, "tier"))
            (void)read_tier(out, n, diags);
    mr_xml_destroy(doc);
    return diags->n_error > 0 ? diags->first_error : st;
}

void mr_sla_fini(struct mr_sla *sla)
{
    mr_free(sla->tier);
    mr_arena_fini(&sla->arena);
    *sla = (struct mr_sla){0};
}

/* ---- the judgment ---- */

/* Counts of a tier's calls. */
struct calls {
    double n_arrived, n_met; /* n_arrived: that are judged */
    double n_late;           /* of them under way, beyond what is to be expected */
    double scale;            /* tokens of all that came over those of the ended */
};

/* More of them are a queue that grows: tokens are then those of the calls that ended. */
static const double late_max_frac = 0.05;

static double figure(const struct mr_figures *run, const char *tier, const char *name)
{
    char path[path_cap];
    snprintf(path, sizeof path, "tiers.%s.%s", tier, name);
    return mr_figures_value(run, path);
}

static double n_refused(const struct mr_figures *run, const char *tier)
{
    char prefix[path_cap];
    double n = 0;
    snprintf(prefix, sizeof prefix, "tiers.%s.refused.", tier);
    for (size_t i = 0; i < run->n_item; i++)
        if (strncmp(run->item[i].path, prefix, strlen(prefix)) == 0)
            n += run->item[i].value;
    return n;
}

/* Of the calls that came and stayed in the tier, and of those that were moved to it. Four standard
 * deviations of a Poisson count are room for chance. */
static struct calls count(const struct mr_figures *run, const char *tier)
{
    const double moved = figure(run, tier, "moved_in") - figure(run, tier, "moved_out");
    const double n = figure(run, tier, "arrived") + (isnan(moved) ? 0 : moved);
    const double mean_s = figure(run, tier, "e2e_s.mean");
    const double met_frac = figure(run, tier, "slo_met_frac");
    const double sim_s = mr_figures_value(run, "sim_s");
    struct calls c = {n, isnan(met_frac) ? 0 : met_frac * n, 0, 1};
    const double n_open = fmax(0, n - figure(run, tier, "finished") - n_refused(run, tier));
    const double expected = mean_s > 0 && sim_s > 0 ? n / sim_s * mean_s : 0;
    const double room = expected * 1.02 + 4 * sqrt(expected);
    c.n_late = fmax(0, n_open - room);
    c.n_arrived = n - fmin(n_open, room);
    if (c.n_late <= late_max_frac * n && c.n_arrived > 0)
        c.scale = n / c.n_arrived;
    return c;
}

double mr_sla_tok_s(const struct mr_figures *run, const char *tier)
{
    double sum = 0;
    for (size_t i = 0; i < run->n_tier; i++) {
        const double tok_s = figure(run, run->tier[i], "tok_s");
        if ((tier == NULL || strcmp(tier, run->tier[i]) == 0) && !isnan(tok_s))
            sum += tok_s * count(run, run->tier[i]).scale;
    }
    return sum;
}

static bool keeps_times(const struct mr_sla_tier *t, const struct mr_figures *run, char *why,
                        size_t cap)
{
    const struct {
        const char *name;
        double limit_s;
    } times[] = {{"ttft_s.p90", t->ttft_p90_s},
                 {"ttft_s.p99", t->ttft_p99_s},
                 {"tpot_s.p90", t->tpot_p90_s},
                 {"tpot_s.p99", t->tpot_p99_s}};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        const double s = figure(run, t->name, times[i].name);
        if (times[i].limit_s > 0 && !(s <= times[i].limit_s)) { /* NaN is no answer */
            snprintf(why, cap, "tier %.40s: %s %.4g s of %.4g s", t->name, times[i].name, s,
                     times[i].limit_s);
            return false;
        }
    }
    return true;
}

static bool keeps(const struct mr_sla_tier *t, const struct mr_figures *run, char *why, size_t cap)
{
    const struct calls c = count(run, t->name);
    if (isnan(c.n_arrived)) {
        snprintf(why, cap, "tier %.40s: the run has none of this name", t->name);
        return false;
    }
    if (c.n_met < t->met_frac * c.n_arrived) {
        snprintf(why, cap, "tier %.40s: %.4g %% within objectives, %.4g %% wanted%s", t->name,
                 100 * c.n_met / c.n_arrived, 100 * t->met_frac,
                 c.n_late > late_max_frac * c.n_arrived ? "; the queue grows" : "");
        return false;
    }
    return keeps_times(t, run, why, cap);
}

bool mr_sla_is_kept(const struct mr_sla *sla, double met_frac, const struct mr_figures *run,
                    char *why, size_t cap)
{
    for (size_t i = 0; i < run->n_tier; i++) {
        struct mr_sla_tier plain = {.name = run->tier[i], .met_frac = met_frac};
        const struct mr_sla_tier *t = &plain;
        for (size_t k = 0; k < sla->n_tier; k++)
            if (strcmp(sla->tier[k].name, plain.name) == 0)
                t = &sla->tier[k];
        if (!keeps(t, run, why, cap))
            return false;
    }
    for (size_t k = 0; k < sla->n_tier; k++) {
        size_t i = 0;
        while (i < run->n_tier && strcmp(sla->tier[k].name, run->tier[i]) != 0)
            i++;
        if (i == run->n_tier)
            return keeps(&sla->tier[k], run, why, cap);
    }
    return true;
}

bool mr_sla_has_tokens(const struct mr_sla *sla, const struct mr_figures *run, char *why,
                       size_t cap)
{
    for (size_t i = 0; i < sla->n_tier; i++) {
        const struct mr_sla_tier *t = &sla->tier[i];
        const double tok_s = mr_sla_tok_s(run, t->name);
        if (tok_s < t->tok_s) {
            snprintf(why, cap, "tier %.40s: %.4g tok/s of %.4g tok/s", t->name, tok_s, t->tok_s);
            return false;
        }
    }
    return true;
}
