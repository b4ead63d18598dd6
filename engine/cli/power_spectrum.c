/* SPDX-License-Identifier: Apache-2.0 */
/* Powers are kept at every step of the supply, and only where they change: the spectrum is that of
 * the trace's own resolution, however far apart records are. Between steps they are constant, as
 * the chain takes them; where generators ramp that is off by a step's ramp.
 *
 * Rows of a recording are means: held until the next one they make stairs, whose own spectrum fills
 * all frequencies and is nothing that was measured. So bins end at half of the rows' rate. Where
 * racks have steps, bins above that are those of a second play, in which the steps move and all
 * that is known by rows alone stands at its mean; below, both move.
 * Map: words - resolution - knots - results - output. */
#include "engine/cli/power_spectrum.h"

#include "engine/base/csv.h"
#include "engine/base/mem.h"

#include <math.h>
#include <string.h>

static const char *const watch_names[] = {
#define WATCH_NAME(name, text, doc) text,
    MR_POWER_WATCH_LIST(WATCH_NAME)
#undef WATCH_NAME
};

/* ---- words ---- */

static mr_status read_watch(const char *name, const struct mr_site *site,
                            struct mr_power_watch *watch, struct mr_err *err)
{
    *watch = (struct mr_power_watch){.name = name};
    while (watch->kind < MR_POWER_WATCH_RACK && strcmp(name, watch_names[watch->kind]) != 0)
        watch->kind++;
    if (watch->kind < MR_POWER_WATCH_RACK)
        return MR_OK;
    while (watch->rack < site->n_rack && strcmp(name, site->rack[watch->rack].name) != 0)
        watch->rack++;
    if (watch->rack < site->n_rack)
        return MR_OK;
    return mr_err_set(err, MR_REF, MR_NOWHERE,
                      "--spectrum '%s': neither site, racks nor a rack of site '%s'", name,
                      site->name);
}

/* Both edges have a unit of their own. */
static mr_status read_edge(struct mr_str edge, const char *text, const char *which, double *hz,
                           struct mr_err *err)
{
    struct mr_err why = {0};
    const mr_status st = mr_unit_parse(edge, MR_Q_FREQUENCY, which, MR_NOWHERE, hz, &why);
    return st == MR_OK ? MR_OK
                       : mr_err_set(err, st, MR_NOWHERE,
                                    "--band '%s': %s (LOW and HIGH have a unit each, as in "
                                    "'0.1 Hz..2 Hz=1 MW')",
                                    text, why.text);
}

static mr_status read_band(const char *text, const struct mr_spectrum_params *params,
                           struct mr_spectrum_limit *band, struct mr_err *err)
{
    const char *dots = strstr(text, ".."), *equals = strchr(text, '=');
    if (dots == NULL || (equals != NULL && equals < dots))
        return mr_err_set(err, MR_PARSE, MR_NOWHERE,
                          "--band '%s': LOW..HIGH or LOW..HIGH=WATTS is wanted, as in "
                          "'0.1 Hz..2 Hz=1 MW'",
                          text);
    const char *end = equals != NULL ? equals : text + strlen(text);
    const struct mr_str low = {text, (size_t)(dots - text)};
    const struct mr_str high = {dots + 2, (size_t)(end - dots) - 2};
    band->most_w = (double)INFINITY;
    MR_TRY(read_edge(low, text, "LOW", &band->low_hz, err));
    MR_TRY(read_edge(high, text, "HIGH", &band->high_hz, err));
    if (equals != NULL)
        MR_TRY(
            mr_unit_parse(mr_str_of(equals + 1), MR_Q_POWER, text, MR_NOWHERE, &band->most_w, err));
    if (!(band->low_hz < band->high_hz) || !(band->most_w > 0))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "--band '%s': frequencies must rise and the limit be above 0", text);
    if (band->low_hz < params->low_hz || band->high_hz > params->high_hz)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "--band '%s': outside of the spectrum, %g Hz to %g Hz (--set "
                          "spectrum.low, spectrum.high, within what the trace resolves)",
                          text, params->low_hz, params->high_hz);
    return MR_OK;
}

static bool has_meter(const struct mr_power_spectrum *spectrum)
{
    for (size_t i = 0; i < spectrum->n_watch; i++)
        if (spectrum->watch[i].kind == MR_POWER_WATCH_SITE)
            return true;
    return false;
}

/* ---- resolution ---- */

/* What would make more of it known. */
static const char *cure_of(const struct mr_power_resolution *resolution)
{
    return resolution->is_run ? "millrace run --record rack,steps=RACK records their steps"
                              : "a finer trace, or --set spectrum.rows=changes if watts do hold "
                                "from row to row";
}

/* A rack that rows alone tell of beside others with steps. */
static mr_status check_watch(const struct mr_power_spectrum *spectrum,
                             const struct mr_power_watch *watch,
                             const struct mr_power_resolution *resolution, struct mr_err *err)
{
    if (watch->kind != MR_POWER_WATCH_RACK || resolution->n_stepped == 0 ||
        resolution->is_stepped[watch->rack] || spectrum->params.high_hz <= spectrum->row_hz)
        return MR_OK;
    return mr_err_set(err, MR_RANGE, (struct mr_place){resolution->path, 0, 0},
                      "--spectrum '%s': the rack is recorded every %g s: nothing above %g Hz is "
                      "known of it (record steps=%s, or --set 'spectrum.high=%g Hz')",
                      watch->name, resolution->row_s, spectrum->row_hz, watch->name,
                      spectrum->row_hz);
}

static mr_status cut(struct mr_power_spectrum *spectrum,
                     const struct mr_power_resolution *resolution, struct mr_diags *diags,
                     struct mr_err *err)
{
    struct mr_spectrum_params *p = &spectrum->params;
    const struct mr_place at = {resolution->path, 0, 0};
    spectrum->row_hz = resolution->row_s > 0 ? 0.5 / resolution->row_s : HUGE_VAL;
    spectrum->n_stepped = resolution->n_stepped;
    if (resolution->n_stepped > 0 || p->high_hz <= spectrum->row_hz)
        return MR_OK;
    if (p->low_hz >= spectrum->row_hz)
        return mr_err_set(err, MR_RANGE, at,
                          "spectrum from %g Hz on: rows are %g s apart: nothing above %g Hz is "
                          "known (%s)",
                          p->low_hz, resolution->row_s, spectrum->row_hz, cure_of(resolution));
    (void)mr_diags_add(diags, MR_SEVERITY_WARNING, MR_RANGE, at,
                       "rows are %g s apart: nothing above %g Hz is known, and the spectrum ends "
                       "there (%s)",
                       resolution->row_s, spectrum->row_hz, cure_of(resolution));
    p->high_hz = spectrum->row_hz;
    return MR_OK;
}

bool mr_power_spectrum_needs_fine(const struct mr_power_spectrum *spectrum)
{
    return spectrum->n_watch > 0 && spectrum->n_stepped > 0 &&
           spectrum->params.high_hz > spectrum->row_hz;
}

static mr_status read_watches(struct mr_power_spectrum *spectrum,
                              const struct mr_power_spectrum_asked *asked, struct mr_err *err)
{
    const struct mr_param_list *watch = asked->watch;
    for (; spectrum->n_watch < watch->n; spectrum->n_watch++) {
        const size_t i = spectrum->n_watch;
        MR_TRY(read_watch(watch->item[i], asked->site, &spectrum->watch[i], err));
        for (size_t k = 0; k < i; k++)
            if (strcmp(watch->item[i], watch->item[k]) == 0)
                return mr_err_set(err, MR_SCHEMA, MR_NOWHERE, "--spectrum '%s': said twice",
                                  watch->item[i]);
        MR_TRY(check_watch(spectrum, &spectrum->watch[i], &asked->resolution, err));
    }
    return MR_OK;
}

mr_status mr_power_spectrum_init(struct mr_power_spectrum *spectrum,
                                 const struct mr_power_spectrum_asked *asked,
                                 struct mr_diags *diags, struct mr_err *err)
{
    const struct mr_param_list *watch = asked->watch, *band = asked->band;
    if (watch->n == 0)
        return band->n == 0 ? MR_OK
                            : mr_err_set(err, MR_REF, MR_NOWHERE,
                                         "--band needs a spectrum: --spectrum site");
    MR_TRY(mr_spectrum_check(&spectrum->params, "spectrum", err));
    MR_TRY(cut(spectrum, &asked->resolution, diags, err));
    MR_TRY(mr_spectrum_check(&spectrum->params, "spectrum", err));
    spectrum->watch = mr_alloc_zero(watch->n, sizeof *spectrum->watch);
    spectrum->band = mr_alloc_zero(band->n + 1, sizeof *spectrum->band);
    if (spectrum->watch == NULL || spectrum->band == NULL)
        return mr_err_nomem(err, watch->n * sizeof *spectrum->watch);
    MR_TRY(read_watches(spectrum, asked, err));
    spectrum->band[0] = (struct mr_spectrum_limit){spectrum->params.low_hz,
                                                   spectrum->params.high_hz, (double)INFINITY};
    spectrum->n_band = band->n > 0 ? band->n : 1;
    for (size_t i = 0; i < band->n; i++) {
        MR_TRY(read_band(band->item[i], &spectrum->params, &spectrum->band[i], err));
        if (isfinite(spectrum->band[i].most_w) && !has_meter(spectrum))
            return mr_err_set(err, MR_REF, MR_NOWHERE,
                              "--band '%s': limits are the meter's: --spectrum site is wanted",
                              band->item[i]);
    }
    return MR_OK;
}

void mr_power_spectrum_fini(struct mr_power_spectrum *spectrum)
{
    for (size_t i = 0; i < spectrum->n_watch; i++) {
        mr_free(spectrum->watch[i].all.knot);
        mr_free(spectrum->watch[i].fine.knot);
    }
    mr_free(spectrum->watch);
    mr_free(spectrum->band);
    mr_arena_fini(&spectrum->arena);
    *spectrum = (struct mr_power_spectrum){0};
}

/* ---- knots ---- */

static mr_status add_knot(const char *name, struct mr_power_knots *to, double t_s, double power_w,
                          struct mr_err *err)
{
    struct mr_spectrum_knot *last = to->n > 0 ? &to->knot[to->n - 1] : NULL;
    if (last != NULL && last->t_s == t_s) {
        last->power_w = power_w;
        return MR_OK;
    }
    if (last != NULL && last->power_w == power_w)
        return MR_OK;
    if (to->n == UINT32_MAX)
        return mr_err_set(err, MR_LIMIT, MR_NOWHERE,
                          "--spectrum '%s': more than %u changes (a shorter run)", name,
                          UINT32_MAX);
    MR_TRY(mr_grow(&to->knot, &to->cap, to->n + 1, sizeof *to->knot, err));
    to->knot[to->n++] = (struct mr_spectrum_knot){t_s, power_w, 0};
    return MR_OK;
}

void mr_power_spectrum_add(struct mr_power_spectrum *spectrum, const struct mr_supply *supply)
{
    struct mr_supply_reading r;
    if (spectrum->n_watch == 0 || spectrum->status != MR_OK)
        return;
    mr_supply_read(supply, &r);
    for (size_t i = 0; i < spectrum->n_watch && spectrum->status == MR_OK; i++) {
        struct mr_power_watch *watch = &spectrum->watch[i];
        double power_w = r.grid_w;
        if (watch->kind == MR_POWER_WATCH_RACKS)
            power_w = r.rack_w;
        else if (watch->kind == MR_POWER_WATCH_RACK)
            power_w = mr_supply_rack_w(supply, watch->rack);
        spectrum->status = add_knot(watch->name, spectrum->is_fine ? &watch->fine : &watch->all,
                                    r.t_s, power_w, &spectrum->err);
    }
}

/* ---- results ---- */

/* Bins above what rows resolve are those of the second play. */
static mr_status splice(struct mr_power_spectrum *spectrum, struct mr_power_watch *watch,
                        double end_s, struct mr_err *err)
{
    struct mr_spectrum low, high;
    MR_TRY(mr_spectrum_of(&spectrum->arena, &spectrum->params, watch->all.knot,
                          (uint32_t)watch->all.n, end_s, &low, err));
    watch->spectrum = low;
    if (!mr_power_spectrum_needs_fine(spectrum))
        return MR_OK;
    MR_TRY(mr_spectrum_of(&spectrum->arena, &spectrum->params, watch->fine.knot,
                          (uint32_t)watch->fine.n, end_s, &high, err));
    double *density = mr_arena_zero(&spectrum->arena, low.n_bin, sizeof *density, err);
    if (density == NULL)
        return MR_NOMEM;
    for (uint32_t b = 0; b < low.n_bin; b++)
        density[b] = low.hz[b] > spectrum->row_hz ? high.density[b] : low.density[b];
    watch->spectrum.density = density;
    return MR_OK;
}

mr_status mr_power_spectrum_end(struct mr_power_spectrum *spectrum, double end_s,
                                struct mr_err *err)
{
    if (spectrum->status != MR_OK) {
        *err = spectrum->err;
        return spectrum->status;
    }
    for (size_t i = 0; i < spectrum->n_watch; i++) {
        struct mr_power_watch *watch = &spectrum->watch[i];
        MR_TRY(splice(spectrum, watch, end_s, err));
        MR_TRY(mr_spectrum_swing(&spectrum->arena, watch->all.knot, (uint32_t)watch->all.n, end_s,
                                 spectrum->window_s, &watch->swing_w, err));
    }
    return MR_OK;
}

/* ---- output ---- */

/* The bin that holds most. */
static uint32_t peak_of(const struct mr_spectrum *s)
{
    uint32_t peak = 0;
    for (uint32_t i = 1; i < s->n_bin; i++)
        if (s->density[i] > s->density[peak])
            peak = i;
    return peak;
}

static bool is_over(const struct mr_power_watch *watch, const struct mr_spectrum_limit *band)
{
    double ratio;
    return watch->kind == MR_POWER_WATCH_SITE &&
           mr_spectrum_over(&watch->spectrum, band, 1, &ratio) == 0;
}

void mr_power_spectrum_text(const struct mr_power_spectrum *spectrum, struct mr_buf *out)
{
    if (mr_power_spectrum_needs_fine(spectrum))
        mr_buf_printf(
            out,
            "%-20s above %.4g Hz of the steps of %zu racks; what rows alone tell stands at "
            "its mean there\n",
            "spectra", spectrum->row_hz, spectrum->n_stepped);
    for (size_t i = 0; i < spectrum->n_watch; i++) {
        const struct mr_power_watch *watch = &spectrum->watch[i];
        const struct mr_spectrum *s = &watch->spectrum;
        mr_buf_printf(out, "%-20s %s: swing %.4g MW in %.4g s, densest at %.4g Hz, %u segments\n",
                      "spectrum", watch->name, watch->swing_w * 1e-6, spectrum->window_s,
                      s->hz[peak_of(s)], s->n_segment);
        for (size_t b = 0; b < spectrum->n_band; b++) {
            const struct mr_spectrum_limit *band = &spectrum->band[b];
            mr_buf_printf(out, "%-20s %s: %.4g to %.4g Hz %.4g MW rms", "  band", watch->name,
                          band->low_hz, band->high_hz,
                          mr_spectrum_band_w(s, band->low_hz, band->high_hz) * 1e-6);
            if (isfinite(band->most_w) && watch->kind == MR_POWER_WATCH_SITE)
                mr_buf_printf(out, ", limit %.4g MW %s", band->most_w * 1e-6,
                              is_over(watch, band) ? "exceeded" : "kept");
            mr_buf_char(out, '\n');
        }
    }
}

static void put_watch(const struct mr_power_spectrum *spectrum, const struct mr_power_watch *watch,
                      struct mr_jsonw *w)
{
    const struct mr_spectrum *s = &watch->spectrum;
    mr_jsonw_object(w);
    mr_jsonw_key_text(w, "name", watch->name);
    mr_jsonw_key_f64(w, "swing_kw", watch->swing_w * 1e-3);
    mr_jsonw_key_f64(w, "densest_hz", s->hz[peak_of(s)]);
    mr_jsonw_key(w, "bands");
    mr_jsonw_array(w);
    for (size_t b = 0; b < spectrum->n_band; b++) {
        const struct mr_spectrum_limit *band = &spectrum->band[b];
        mr_jsonw_object(w);
        mr_jsonw_key_f64(w, "low_hz", band->low_hz);
        mr_jsonw_key_f64(w, "high_hz", band->high_hz);
        mr_jsonw_key_f64(w, "rms_kw", mr_spectrum_band_w(s, band->low_hz, band->high_hz) * 1e-3);
        if (isfinite(band->most_w) && watch->kind == MR_POWER_WATCH_SITE) {
            mr_jsonw_key_f64(w, "limit_kw", band->most_w * 1e-3);
            mr_jsonw_key_bool(w, "is_exceeded", is_over(watch, band));
        }
        mr_jsonw_end(w);
    }
    mr_jsonw_end(w);
    mr_jsonw_end(w);
}

void mr_power_spectrum_json(const struct mr_power_spectrum *spectrum, struct mr_jsonw *w)
{
    mr_jsonw_object(w);
    mr_jsonw_key_f64(w, "step_hz", spectrum->watch[0].spectrum.step_hz);
    mr_jsonw_key_u64(w, "segments", spectrum->watch[0].spectrum.n_segment);
    mr_jsonw_key_f64(w, "swing_window_s", spectrum->window_s);
    if (mr_power_spectrum_needs_fine(spectrum)) {
        mr_jsonw_key_f64(w, "steps_alone_above_hz", spectrum->row_hz);
        mr_jsonw_key_u64(w, "racks_with_steps", spectrum->n_stepped);
    }
    mr_jsonw_key(w, "watched");
    mr_jsonw_array(w);
    for (size_t i = 0; i < spectrum->n_watch; i++)
        put_watch(spectrum, &spectrum->watch[i], w);
    mr_jsonw_end(w);
    mr_jsonw_end(w);
}

void mr_power_spectrum_csv(const struct mr_power_spectrum *spectrum, struct mr_buf *out)
{
    struct mr_csv_writer w = {out, false};
    mr_csv_put_text(&w, "hz");
    for (size_t i = 0; i < spectrum->n_watch; i++)
        mr_csv_put_text(&w, spectrum->watch[i].name);
    mr_csv_put_end(&w);
    for (uint32_t b = 0; b < spectrum->watch[0].spectrum.n_bin; b++) {
        mr_csv_put_f64(&w, spectrum->watch[0].spectrum.hz[b]);
        for (size_t i = 0; i < spectrum->n_watch; i++)
            mr_csv_put_f64(&w, spectrum->watch[i].spectrum.density[b]);
        mr_csv_put_end(&w);
    }
}
