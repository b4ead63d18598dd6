/* SPDX-License-Identifier: Apache-2.0 */
/* What a service promises its tiers (NAME.sla.xml), and whether a run keeps it.
 *
 *   <sla>
 *    <tier name="gold" met="99 %" ttft_p99="1 s" tok_s="2e5 tok/s"/>
 *   </sla>
 *
 * Calls that were still on their way when the run ended are not judged, as long as there are no
 * more of them than Little's law expects (arrivals per second x mean time of a call): more than
 * that are a queue that grows, and count as missed. For the same reason tokens per second are those
 * of the calls that ended, scaled up to all that came, when the queue did not grow. */
#ifndef MR_EXPERIMENTS_SLA_H
#define MR_EXPERIMENTS_SLA_H

#include "engine/base/param.h"
#include "postprocess/figures.h"

struct mr_sla_tier {
    const char *name;
    double met_frac;                                       /* of its calls within objectives */
    double tok_s;                                          /* at least; 0: any */
    double ttft_p90_s, ttft_p99_s, tpot_p90_s, tpot_p99_s; /* at most; 0: any */
    struct mr_place at;
};

/* Zero-initialize, or mr_sla_load; mr_sla_fini. */
struct mr_sla {
    struct mr_arena arena;
    struct mr_sla_tier *tier;
    size_t n_tier, cap_tier;
};

/** All mistakes are added to `diags`. @param[out] out mr_sla_fini, also after errors */
MR_CHECKED mr_status mr_sla_load(const char *path, struct mr_sla *out, struct mr_diags *diags);
void mr_sla_fini(struct mr_sla *sla);

/** The promise to a tier: a new one, at its end, when there is none. */
MR_CHECKED mr_status mr_sla_of(struct mr_sla *sla, struct mr_str tier, double met_frac,
                               struct mr_sla_tier **out, struct mr_err *err);

/** Does a run keep it, but for tokens per second? Tiers that are not named owe `met_frac` of their
 *  calls.
 *  @param[out] why what is broken first, and by how much */
bool mr_sla_is_kept(const struct mr_sla *sla, double met_frac, const struct mr_figures *run,
                    char *why, size_t cap);

/** Does a run make the tokens per second that tiers are promised? @param[out] why */
bool mr_sla_has_tokens(const struct mr_sla *sla, const struct mr_figures *run, char *why,
                       size_t cap);

/** Tokens per second of a tier, or of all for NULL: see above. */
double mr_sla_tok_s(const struct mr_figures *run, const char *tier);

const struct mr_param_table *mr_sla_table(size_t i, const char **element);
void mr_sla_print_rng(struct mr_buf *out);

#endif
