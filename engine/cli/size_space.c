/* SPDX-License-Identifier: Apache-2.0 */
/* Map: factors (given, chosen) - loads - settings - what a build is worth without a run. */
#include "engine/cli/size_space.h"

#include "engine/base/fmath.h"
#include "engine/base/mem.h"
#include "engine/base/num.h"
#include "engine/base/xml.h"
#include "engine/twin/pool.h"
#include "engine/twin/stand.h"
#include "experiments/values.h"
#include "platforms/check.h"
#include "platforms/fabric.h"
#include "platforms/library.h"
#include "platforms/meter.h"
#include "platforms/open.h"

#include <math.h>
#include <stdio.h>

enum {
    load_octave = 8, /* loads of the scenario's rate, an eighth to sixteen times it */
    load_below = 3 * load_octave,
    load_above = 4 * load_octave,
    target_octave = 32, /* loads of a target */
    target_below = 3,
    auto_size_min = 2, /* rows, in eighths of what the layout has */
    auto_size_max = 12
};

/* Losses and cooling are estimated, and grants by share of the limit are by another estimate of
 * them: this much over the limit is for the run to decide. */
static const double doubt = 1.03;

/* A connection of less is a slip of the unit. */
static const double least_w = 1e3;

struct making {
    struct mr_size_space *space;
    struct mr_shelf *shelf;
    struct mr_library *library;
    double fill[2]; /* share of the room for them that instances of the pools take */
    struct mr_diags *diags;
    struct mr_err *err;
    struct mr_diags first_refused;
};

static const char *keep(struct mr_size_space *space, struct mr_buf *text, struct mr_err *err)
{
    const char *own = NULL;
    if (mr_buf_check(text, err) == MR_OK)
        own = mr_arena_text(&space->texts, (struct mr_str){text->text, text->n}, err);
    mr_buf_fini(text);
    return own;
}

/* ---- factors ---- */

static bool is_path_of(const char *setting, const char *path)
{
    const size_t n = strlen(path);
    return strncmp(setting, path, n) == 0 && setting[n] == '=';
}

/* Does the user say it, or vary it? */
static bool is_said(const struct mr_size_space *space, const char *path)
{
    for (size_t i = 0; i < space->opts->set.n; i++)
        if (is_path_of(space->opts->set.item[i], path))
            return true;
    for (size_t i = 0; i < space->n_factor; i++)
        if (strcmp(space->factor[i].path, path) == 0)
            return true;
    return space->load.path != NULL && strcmp(space->load.path, path) == 0;
}

static mr_status read_factor(struct mr_size_space *space, const char *text, const char *what,
                             struct mr_size_factor *factor, struct mr_err *err)
{
    const char *equals = strchr(text, '=');
    char quoted[MR_QUOTE_CAP];
    if (equals == NULL || equals == text)
        return mr_err_set(err, MR_PARSE, MR_NOWHERE, "%s \"%s\": not PATH=VALUES", what,
                          mr_text_quote(mr_str_of(text), quoted));
    const struct mr_str path = mr_str_trim((struct mr_str){text, (size_t)(equals - text)});
    const char *own = mr_arena_text(&space->texts, path, err);
    if (own == NULL)
        return MR_NOMEM;
    if (is_said(space, own))
        return mr_err_set(err, MR_SCHEMA, MR_NOWHERE, "%s \"%s\": is given twice", what, own);
    factor->path = own;
    return mr_values_read(mr_str_of(equals + 1), what, MR_SIZE_VALUES, &space->texts,
                          &factor->value, &factor->n_value, &factor->cap_value, err);
}

/* As far as numbers of one unit tell. */
static mr_status check_rising(const struct mr_size_factor *load, struct mr_err *err)
{
    for (size_t i = 1; i < load->n_value; i++) {
        const char *a = load->value[i - 1], *b = load->value[i];
        double x = 0, y = 0;
        const size_t n = mr_num_scan_f64(a, strlen(a), &x), m = mr_num_scan_f64(b, strlen(b), &y);
        if (n > 0 && m > 0 && strcmp(a + n, b + m) == 0 && !(y > x))
            return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                              "--load \"%s\": %s, %s: loads are given from the lightest to the "
                              "heaviest",
                              load->path, a, b);
    }
    return MR_OK;
}

static mr_status read_factors(struct mr_size_space *space, struct mr_err *err)
{
    const struct mr_param_list *over = &space->opts->over;
    if (over->n > MR_SIZE_FACTORS)
        return mr_err_set(err, MR_LIMIT, MR_NOWHERE, "--over: more than %d", MR_SIZE_FACTORS);
    space->has_factors = over->n > 0;
    for (size_t i = 0; i < over->n; i++) {
        MR_TRY(read_factor(space, over->item[i], "--over", &space->factor[space->n_factor], err));
        space->n_factor++;
    }
    space->is_load_mine = space->opts->load != NULL;
    if (!space->is_load_mine)
        return MR_OK;
    MR_TRY(read_factor(space, space->opts->load, "--load", &space->load, err));
    return check_rising(&space->load, err);
}

static mr_status choose(struct mr_size_space *space, const char *path, const char *values,
                        struct mr_err *err)
{
    struct mr_size_factor *f = &space->factor[space->n_factor];
    if (is_said(space, path))
        return MR_OK;
    f->path = path;
    MR_TRY(mr_values_read(mr_str_of(values), "--over", MR_SIZE_VALUES, &space->texts, &f->value,
                          &f->n_value, &f->cap_value, err));
    space->n_factor++;
    return MR_OK;
}

/* The only child of that name, or NULL. */
static const struct mr_xml_node *only(const struct mr_xml_node *node, const char *name)
{
    return node != NULL && mr_xml_n_child(node, name) == 1 ? mr_xml_child(node, name) : NULL;
}

/* Rows of a layout with one kind of row, or racks of a row that is alone: from a quarter to one and
 * a half of them. */
static mr_status choose_count(struct mr_size_space *space, const struct mr_xml_node *root,
                              struct mr_err *err)
{
    const struct mr_xml_node *row = only(only(root, "hall"), "row"), *rack = only(row, "rack");
    const char *of_row = row != NULL ? mr_xml_value(row, "count") : NULL;
    const char *of_rack = rack != NULL ? mr_xml_value(rack, "count") : NULL;
    uint64_t n = 1, n_last = 0;
    struct mr_buf values = {0};
    const bool is_rows =
        of_row != NULL && mr_num_parse_u64(mr_str_of(of_row), &n) == MR_OK && n > 1;
    if (!is_rows &&
        (of_rack == NULL || mr_num_parse_u64(mr_str_of(of_rack), &n) != MR_OK || n > 10000))
        return mr_err_set(
            err, MR_SCHEMA, MR_NOWHERE,
            "the layout has several kinds of rows or racks: say what may vary (--over "
            "'layout/hall/row[0]/rack/count=4:12:4')");
    for (int k = auto_size_min; k <= auto_size_max; k++) {
        const uint64_t value = (n * (uint64_t)k + 4) / 8;
        if (value > n_last)
            mr_buf_printf(&values, "%s%llu", n_last > 0 ? "," : "", (unsigned long long)value);
        n_last = value > n_last ? value : n_last;
    }
    const char *text = keep(space, &values, err);
    if (text == NULL)
        return MR_NOMEM;
    return choose(space, is_rows ? "layout/hall/row/count" : "layout/hall/row/rack/count", text,
                  err);
}

/* Nothing said: how many, and how their power is granted. */
static mr_status choose_factors(struct mr_size_space *space, const struct mr_scenario *base,
                                struct mr_err *err)
{
    struct mr_xml_doc *doc = NULL;
    if (space->has_factors)
        return MR_OK;
    if (base->site.file == NULL || mr_open_is_platform(base->site.file))
        return mr_err_set(
            err, MR_SCHEMA, (struct mr_place){space->path, 0, 0},
            "names no layout: say what may vary (--over 'deployment/instances=1:8:1')");
    MR_TRY(mr_xml_load(base->site.file, NULL, &doc, err));
    mr_status st = choose_count(space, mr_xml_root(doc), err);
    const struct mr_xml_node *grid = mr_xml_child(mr_xml_root(doc), "grid");
    const bool has_limit =
        space->grid_w > 0 || (grid != NULL && mr_xml_value(grid, "limit") != NULL);
    if (st == MR_OK)
        st = choose(space, "layout/provision/policy",
                    has_limit ? "max_p,max_q,maxlps" : "max_p,max_q", err);
    mr_xml_destroy(doc);
    return st;
}

/* ---- loads ---- */

static mr_status add_load(struct mr_size_space *space, double rate_s, struct mr_err *err)
{
    char number[MR_NUM_CAP], text[MR_NUM_CAP + 8];
    struct mr_size_factor *load = &space->load;
    mr_num_format_human(rate_s, 4, number);
    snprintf(text, sizeof text, "%s req/s", number);
    return mr_values_read(mr_str_of(text), "--load", MR_SIZE_VALUES, &space->texts, &load->value,
                          &load->n_value, &load->cap_value, err);
}

/* From a little less than the target, for mean lengths are of all calls and those of a run vary,
 * to twice it. Tried first is what offers 2 % more than is asked for, and three standard deviations
 * of the number of calls. */
static mr_status choose_target_load(struct mr_size_space *space, const struct mr_scenario *base,
                                    double target_tok_s, struct mr_err *err)
{
    const struct mr_arrivals_spec *w = &base->workload;
    const double mean_tok = w->output_tok * mr_exp(0.5 * w->output_spread * w->output_spread);
    const double rate_s = target_tok_s / mean_tok, n = rate_s * base->top.until_s;
    const double more = 1.02 + (isfinite(n) && n > 0 ? 3 / sqrt(n) : 0);
    for (int k = -target_below; k <= target_octave; k++) {
        const double ratio = mr_exp(k * mr_log(2) / target_octave);
        space->first_load += ratio < more && k < target_octave;
        MR_TRY(add_load(space, rate_s * ratio, err));
    }
    return MR_OK;
}

/* Calls that are drawn can come more or less often; recorded ones and sessions come as they are.
 * Targets of tiers alone do not tell the load: their share of the calls is the workload's. */
static mr_status choose_load(struct mr_size_space *space, const struct mr_scenario *base,
                             double target_tok_s, struct mr_err *err)
{
    static const char path[] = "workload/rate";
    const struct mr_arrivals_spec *w = &base->workload;
    space->first_load = space->load.n_value / 2;
    if (space->is_load_mine || base->has_agents || w->file != NULL || w->windows != NULL ||
        is_said(space, path))
        return MR_OK;
    space->load.path = path;
    if (target_tok_s > 0)
        return choose_target_load(space, base, target_tok_s, err);
    space->first_load = load_below;
    for (int k = -load_below; k <= load_above; k++)
        MR_TRY(add_load(space, w->rate_s * mr_exp(k * mr_log(2) / load_octave), err));
    return MR_OK;
}

/* ---- settings ---- */

static mr_status add_setting(struct making *m, struct mr_size_build *build, const char *path,
                             const char *value)
{
    struct mr_buf text = {0};
    mr_buf_printf(&text, "%s=%s", path, value);
    build->set[build->n_set] = keep(m->space, &text, m->err);
    return build->set[build->n_set++] != NULL ? MR_OK : MR_NOMEM;
}

/* What is the same for all of them, then what varies. Room is left for what follows the racks. */
static mr_status begin(struct making *m, struct mr_size_build *build, size_t row)
{
    enum {
        n_more = 8
    };
    struct mr_size_space *space = m->space;
    const struct mr_size_opts_values *o = space->opts;
    build->set = mr_arena_zero(&space->texts, o->set.n + space->n_factor + n_more,
                               sizeof *build->set, m->err);
    if (build->set == NULL)
        return MR_NOMEM;
    for (size_t i = 0; i < o->set.n; i++)
        build->set[build->n_set++] = o->set.item[i];
    if (o->until != NULL)
        MR_TRY(add_setting(m, build, "scenario/until", o->until));
    if (space->grid_w > 0 && !is_said(space, "layout/grid/limit")) {
        char text[MR_UNIT_CAP];
        mr_unit_format(space->grid_w, MR_Q_POWER, text);
        MR_TRY(add_setting(m, build, "layout/grid/limit", text));
    }
    for (size_t i = space->n_factor; i-- > 0;) {
        const struct mr_size_factor *f = &space->factor[i];
        build->value[i] = f->value[row % f->n_value];
        row /= f->n_value;
        MR_TRY(add_setting(m, build, f->path, build->value[i]));
    }
    return MR_OK;
}

/* ---- without a run ---- */

static uint32_t n_package_of(const struct mr_scenario_deployment *d)
{
    return (uint32_t)(d->n_tp * d->n_dp * d->n_pp);
}

/* Instances of that many packages that have room on a site that is empty else. */
static uint64_t room_for(const struct mr_site *site, const char *gpu, uint32_t n_package)
{
    struct mr_stand stand;
    struct mr_err ignored = {0};
    uint32_t n_all = 0;
    for (size_t i = 0; i < site->n_rack; i++)
        n_all += site->rack[i].n_package;
    if (mr_stand_init(&stand, site, &ignored) == MR_OK)
        (void)!mr_stand_pool(&stand, site, gpu, n_package, n_all / n_package + 1, "", &ignored);
    const uint64_t n = stand.n_instance;
    mr_stand_fini(&stand);
    return n;
}

/* The package most of which are there; NULL without any. */
static const char *main_package(const struct mr_site *site)
{
    const char *best = NULL;
    uint64_t n_best = 0;
    for (size_t i = 0; i < site->n_rack; i++) {
        const char *name = site->rack[i].package;
        uint64_t n = 0;
        for (size_t k = 0; k < site->n_rack && name != NULL; k++)
            if (site->rack[k].package != NULL && strcmp(site->rack[k].package, name) == 0)
                n += site->rack[k].n_package;
        if (n > n_best) {
            n_best = n;
            best = name;
        }
    }
    return best;
}

static void refuse(struct mr_search_item *item, const char *why)
{
    item->fate = MR_SEARCH_REFUSED;
    snprintf(item->why, sizeof item->why, "%s", why);
}

/* One pool: its packages are the racks', its instances fill as much as they did. */
static mr_status follow(struct making *m, const struct mr_site *site, int pool,
                        struct mr_scenario_deployment *d, struct mr_size_build *build,
                        struct mr_search_item *item)
{
    static const char *const gpu_paths[] = {"deployment/gpu", "prefill/gpu"};
    static const char *const count_paths[] = {"deployment/instances", "prefill/instances"};
    char number[MR_NUM_CAP];
    if (room_for(site, d->gpu, 1) == 0 && !is_said(m->space, gpu_paths[pool])) {
        const char *gpu = main_package(site);
        if (gpu == NULL) {
            refuse(item, "no packages in its racks");
            return MR_OK;
        }
        MR_TRY(add_setting(m, build, gpu_paths[pool], gpu));
        d->gpu = strchr(build->set[build->n_set - 1], '=') + 1;
    }
    if (!is_said(m->space, count_paths[pool])) {
        const uint64_t n_room = room_for(site, d->gpu, n_package_of(d));
        d->n_instance = (uint64_t)floor(m->fill[pool] * (double)n_room + 1e-6);
        if (d->n_instance == 0) {
            refuse(item, "no instance has room in it");
            return MR_OK;
        }
        mr_num_format_u64(d->n_instance, number);
        MR_TRY(add_setting(m, build, count_paths[pool], number));
    }
    build->n_instance += d->n_instance;
    return MR_OK;
}

/* Racks at the middle of what is said of their price, the site by its connection, as a run does. */
static double capital_of(struct making *m, const struct mr_scenario *s, const struct mr_site *site,
                         struct mr_search_item *item)
{
    double usd = 0;
    const double building_w = site->grid.limit_w > 0 ? site->grid.limit_w : item->second_size;
    for (size_t i = 0; i < site->n_rack; i++) {
        struct mr_diags ignored = {0};
        const struct mr_place at = {site->path, 0, 0};
        const struct mr_rack_card *card =
            site->rack[i].card != NULL
                ? mr_library_rack(m->library, site->rack[i].card, at, &ignored)
                : NULL;
        if (card == NULL || !(card->price_high_usd > 0)) {
            if (m->space->opts->budget_usd > 0) {
                char why[MR_SEARCH_WHY];
                snprintf(why, sizeof why, "its cost is not known: no price of rack %.60s",
                         site->rack[i].card != NULL ? site->rack[i].card : "without a card");
                refuse(item, why);
            }
            return (double)NAN;
        }
        usd += 0.5 * (card->price_low_usd + card->price_high_usd);
    }
    return usd + building_w * s->economy.site_usd_w;
}

/* No step is shorter than that of so many decodes with empty contexts at full clock, and none makes
 * more tokens than its calls and accepted drafts are: the best batch bounds the instance. With a
 * second pool, whose steps make first tokens, and for measured profiles it is not known. */
static double bound_of(struct making *m, const struct mr_scenario *s)
{
    struct mr_pool pool = {0};
    struct mr_diags ignored = {0};
    struct mr_err err = {0};
    double best = 0;
    if (s->has_prefill || s->deployment.profile != NULL)
        return (double)INFINITY;
    if (mr_pool_open(m->shelf, s, &s->deployment, "deployment", &pool, &ignored, &err) != MR_OK ||
        pool.step == NULL)
        best = (double)INFINITY; /* the run will say what is wrong */
    for (uint64_t n = 1; n <= s->deployment.n_batch && isfinite(best); n++) {
        const struct mr_batch batch = {.n_decode = (double)n};
        const double time_s = mr_step_time(pool.step, &batch, 1);
        best = fmax(best, (double)n * mr_step_accepted(&pool.setup) / time_s);
    }
    mr_pool_close(&pool);
    return best * (double)s->deployment.n_instance;
}

/* Over a limit before anything is played? */
static void check_limits(const struct making *m, const struct mr_size_build *build,
                         struct mr_search_item *item)
{
    const double budget_usd = m->space->opts->budget_usd, grid_w = m->space->grid_w;
    char why[MR_SEARCH_WHY], is[MR_UNIT_CAP], may[MR_UNIT_CAP];
    if (grid_w > 0 && build->nominal_w > grid_w * doubt) {
        mr_unit_human(build->nominal_w, MR_Q_POWER, 4, is);
        mr_unit_human(grid_w, MR_Q_POWER, 4, may);
        snprintf(why, sizeof why, "%s taken by the site by its racks' limits, %s may be", is, may);
        refuse(item, why);
    } else if (budget_usd > 0 && build->capital_usd > budget_usd) {
        mr_unit_human(build->capital_usd, MR_Q_MONEY, 4, is);
        mr_unit_human(budget_usd, MR_Q_MONEY, 4, may);
        snprintf(why, sizeof why, "%s, %s may be", is, may);
        refuse(item, why);
    }
}

static mr_status look_at(struct making *m, struct mr_scenario *s, const struct mr_site *site,
                         struct mr_size_build *build, struct mr_search_item *item)
{
    struct mr_meter meter = {0};
    MR_TRY(mr_meter_estimate(site, 1, &meter, m->err));
    build->n_rack = site->n_rack;
    for (size_t i = 0; i < site->n_rack; i++)
        build->n_package += site->rack[i].n_package;
    build->nominal_w = mr_meter_total_w(&meter);
    item->second_size = build->nominal_w;
    build->capital_usd = capital_of(m, s, site, item);
    item->size = build->capital_usd;
    if (item->fate == MR_SEARCH_OPEN)
        check_limits(m, build, item);
    if (item->fate == MR_SEARCH_OPEN)
        MR_TRY(follow(m, site, 0, &s->deployment, build, item));
    if (item->fate == MR_SEARCH_OPEN && s->has_prefill)
        MR_TRY(follow(m, site, 1, &s->prefill, build, item));
    if (item->fate == MR_SEARCH_OPEN)
        item->bound_tok_s = bound_of(m, s);
    return MR_OK;
}

/* A site that cannot be, or that its own checks refuse, is one that cannot be built. So is one
 * whose racks may draw more than its contract: limits of racks say what a build is made for. */
static mr_status open_build(struct making *m, struct mr_scenario *s, struct mr_size_build *build,
                            struct mr_search_item *item)
{
    struct mr_diags diags = {0}, over = {0};
    struct mr_site *site = NULL;
    mr_status st = mr_open_site_changed(s->site.file, s->layout, s->n_layout, MR_FABRIC_LEVEL_AUTO,
                                        &site, &diags);
    if (st == MR_OK)
        st = mr_check_site(site, &diags, m->err);
    if (st == MR_OK && mr_check_contract(site, &over))
        (void)mr_diags_add_err(&diags, MR_SEVERITY_ERROR, &over.item[0].err);
    if (diags.n_error > 0) {
        size_t i = 0;
        while (diags.item[i].severity != MR_SEVERITY_ERROR)
            i++;
        refuse(item, diags.item[i].err.text);
        if (m->first_refused.n_item == 0)
            m->first_refused = diags;
        st = diags.first_error == MR_NOMEM ? mr_err_nomem(m->err, 0) : MR_OK;
    } else if (st == MR_OK) {
        st = look_at(m, s, site, build, item);
    }
    mr_site_destroy(site);
    return st;
}

/* Without a site the packages of its pools are its size. */
static void measure_bare(struct making *m, const struct mr_scenario *s, struct mr_size_build *build,
                         struct mr_search_item *item)
{
    build->n_instance = s->deployment.n_instance + (s->has_prefill ? s->prefill.n_instance : 0);
    build->n_package = s->deployment.n_instance * n_package_of(&s->deployment);
    if (s->has_prefill)
        build->n_package += s->prefill.n_instance * n_package_of(&s->prefill);
    item->second_size = (double)build->n_package;
    item->bound_tok_s = bound_of(m, s);
}

static mr_status make_build(struct making *m, size_t row)
{
    struct mr_size_build *build = &m->space->build[row];
    struct mr_search_item *item = &m->space->item[row];
    struct mr_scenario s = {0};
    *build = (struct mr_size_build){.nominal_w = (double)NAN, .capital_usd = (double)NAN};
    *item = (struct mr_search_item){
        .size = (double)NAN, .second_size = (double)NAN, .bound_tok_s = (double)INFINITY};
    MR_TRY(begin(m, build, row));
    mr_status st = mr_scenario_load(m->space->path, build->set, build->n_set, &s, m->diags);
    if (st == MR_OK && s.site.file != NULL)
        st = open_build(m, &s, build, item);
    else if (st == MR_OK)
        measure_bare(m, &s, build, item);
    mr_scenario_fini(&s);
    return st;
}

/* ---- all of them ---- */

/* How full the scenario's own site is; full where it cannot be told. */
static void look_at_base(struct making *m, const struct mr_scenario *s)
{
    const struct mr_scenario_deployment *pools[] = {&s->deployment, &s->prefill};
    struct mr_diags ignored = {0};
    struct mr_site *site = NULL;
    m->fill[0] = m->fill[1] = 1;
    if (s->site.file == NULL ||
        mr_open_site_changed(s->site.file, s->layout, s->n_layout, MR_FABRIC_LEVEL_AUTO, &site,
                             &ignored) != MR_OK)
        return;
    for (int i = 0; i < 1 + s->has_prefill; i++) {
        const uint64_t n_room = room_for(site, pools[i]->gpu, n_package_of(pools[i]));
        if (n_room > 0)
            m->fill[i] = fmin(1, (double)pools[i]->n_instance / (double)n_room);
    }
    mr_site_destroy(site);
}

/* Before anything is played. */
static mr_status check_tiers(const struct mr_size_space *space, const struct mr_scenario *base,
                             struct mr_err *err)
{
    for (size_t i = 0; i < space->sla->n_tier; i++) {
        const struct mr_sla_tier *t = &space->sla->tier[i];
        size_t k = 0;
        while (k < base->n_tier && strcmp(base->tier[k].name, t->name) != 0)
            k++;
        if (k == base->n_tier)
            return mr_err_set(err, MR_REF, t->at,
                              "tier \"%.60s\": the scenario has none of that name", t->name);
    }
    return MR_OK;
}

static mr_status keep_goals(struct mr_size_space *space, const struct mr_scenario *base,
                            struct mr_err *err)
{
    space->goal = mr_arena_zero(&space->texts, base->n_tier, sizeof *space->goal, err);
    if (space->goal == NULL)
        return MR_NOMEM;
    for (; space->n_goal < base->n_tier; space->n_goal++) {
        const struct mr_scenario_tier *t = &base->tier[space->n_goal];
        const char *name = mr_arena_text(&space->texts, mr_str_of(t->name), err);
        if (name == NULL)
            return MR_NOMEM;
        space->goal[space->n_goal] = (struct mr_steady_goal){name, t->ttft_s, t->tpot_s};
    }
    return MR_OK;
}

static mr_status count_builds(struct mr_size_space *space, struct mr_err *err)
{
    size_t n = 1;
    for (size_t i = 0; i < space->n_factor; i++) {
        n *= space->factor[i].n_value;
        if (n > MR_SIZE_BUILDS)
            return mr_err_set(err, MR_LIMIT, MR_NOWHERE, "--over: more than %d builds in all",
                              MR_SIZE_BUILDS);
    }
    space->build = mr_alloc_zero(n, sizeof *space->build);
    space->item = mr_alloc_zero(n, sizeof *space->item);
    if (space->build == NULL || space->item == NULL)
        return mr_err_nomem(err, n * sizeof *space->item);
    space->n_build = n;
    return MR_OK;
}

static mr_status make_all(struct making *m, double target_tok_s)
{
    struct mr_size_space *space = m->space;
    const struct mr_size_opts_values *o = space->opts;
    struct mr_scenario base = {0};
    struct mr_size_build plain = {0};
    MR_TRY(read_factors(space, m->err));
    const size_t n_given = space->n_factor;
    space->n_factor = 0; /* the scenario as it stands */
    mr_status st = begin(m, &plain, 0);
    space->n_factor = n_given;
    space->grid_w = 1e6 * o->limit_mw;
    if (st == MR_OK && space->grid_w > 0 && space->grid_w < least_w)
        st = mr_err_set(m->err, MR_RANGE, MR_NOWHERE,
                        "--limit-mw %g: these are megawatts, and no rack runs on less than 1 kW",
                        o->limit_mw);
    if (st == MR_OK)
        st = mr_scenario_load(space->path, plain.set, plain.n_set, &base, m->diags);
    if (st == MR_OK && base.site.file == NULL && (o->limit_mw > 0 || o->budget_usd > 0))
        st = mr_err_set(m->err, MR_SCHEMA, (struct mr_place){space->path, 0, 0},
                        "names no site: megawatts and dollars are those of a site");
    space->until_s = base.top.until_s;
    if (st == MR_OK)
        st = check_tiers(space, &base, m->err);
    if (st == MR_OK)
        st = keep_goals(space, &base, m->err);
    if (st == MR_OK)
        st = choose_factors(space, &base, m->err);
    if (st == MR_OK)
        st = choose_load(space, &base, target_tok_s, m->err);
    if (st == MR_OK)
        st = count_builds(space, m->err);
    if (st == MR_OK)
        look_at_base(m, &base);
    for (size_t i = 0; i < space->n_build && st == MR_OK; i++)
        st = make_build(m, i);
    mr_scenario_fini(&base);
    return st;
}

mr_status mr_size_space_make(struct mr_size_space *space, double target_tok_s,
                             struct mr_diags *diags)
{
    struct mr_err err = {0};
    struct making m = {.space = space, .diags = diags, .err = &err};
    mr_status st = mr_shelf_create(&m.shelf, &err);
    if (st == MR_OK)
        st = mr_library_create(&m.library, &err);
    if (st == MR_OK)
        st = make_all(&m, target_tok_s);
    size_t n_open = 0;
    for (size_t i = 0; i < space->n_build && st == MR_OK; i++)
        n_open += space->item[i].fate == MR_SEARCH_OPEN;
    if (st == MR_OK && n_open == 0 && m.first_refused.n_item > 0) {
        *diags = m.first_refused; /* most likely what is wrong with all of them */
        st = diags->first_error;
    }
    if (err.status != MR_OK)
        (void)mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    mr_library_destroy(m.library);
    mr_shelf_destroy(m.shelf);
    return st;
}

void mr_size_space_fini(struct mr_size_space *space)
{
    for (size_t i = 0; i < space->n_factor; i++)
        mr_free(space->factor[i].value);
    mr_free(space->load.value);
    mr_free(space->build);
    mr_free(space->item);
    mr_arena_fini(&space->texts);
}
