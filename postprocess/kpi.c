/* SPDX-License-Identifier: Apache-2.0 */
/* The table of key figures. A simulation repeats to the bit, so a change is a change of the program
 * or of its input: 2 % is what a change of a model may cost unseen, where nobody says otherwise.
 * Which way is better: mean power, energy and losses are neither, for they grow with what is
 * served, and a connection is there to be used; what judges them are tokens of a megawatt, joules
 * of a token, PUE and what stays within limits. Peaks, costs, water, times, refusals, what was kept
 * from racks: less is better. What a scenario asks, and counts of what was done: neither. */
#include "postprocess/kpi.h"

#include <math.h>
#include <string.h>

// clang-format off
static const struct mr_kpi rows[] = {
    {"tok_s.output", "tok/s", MR_KPI_UP, 0.02, 0, NULL, true, "Output tokens of calls that finished, over the run: calls that began before its end and had not ended are left out"},
    {"tok_s.output_per_gpu", "tok/s", MR_KPI_UP, 0.02, 0, NULL, false, "Output tokens per second of one package"},
    {"tok_s.output_per_user_p50", "tok/s", MR_KPI_UP, 0.02, 0, NULL, true, "Output tokens per second that a user in the middle sees"},
    {"tok_s.made", "tok/s", MR_KPI_UP, 0.02, 0, NULL, true, "Tokens that instances made, over the run: of calls that had not ended or had to begin again, too"},
    {"tok_s.input", "tok/s", MR_KPI_UP, 0.02, 0, NULL, false, "Prompt tokens per second of the whole site"},
    {"tok_s_per_mw", "tok/s/MW", MR_KPI_UP, 0.02, 0, NULL, true, "Output tokens per second and megawatt, at the widest boundary the run knows"},
    {"j_per_tok", "J/tok", MR_KPI_DOWN, 0.02, 0, NULL, true, "Energy of an output token"},
    {"ttft_s.*", "s", MR_KPI_DOWN, 0.02, 0, NULL, true, "Time from arrival to the first token"},
    {"tpot_s.*", "s", MR_KPI_DOWN, 0.02, 0, NULL, true, "Time per output token after the first"},
    {"e2e_s.*", "s", MR_KPI_DOWN, 0.02, 0, NULL, false, "Time of a whole call"},
    {"requests.finished", "1", MR_KPI_UP, 0.02, 0, NULL, false, "Calls that ended"},
    {"requests.failed", "1", MR_KPI_DOWN, 0.02, 0, NULL, false, "Calls that could not be served"},
    {"requests.shed", "1", MR_KPI_DOWN, 0.02, 0, NULL, false, "Calls that were turned away"},
    {"requests.*", "1", MR_KPI_NEITHER, 0, 0, NULL, false, "Calls that came, were served, failed or were still inside at the end"},
    {"tokens.*", "tok", MR_KPI_NEITHER, 0, 0, NULL, false, "Tokens of calls that finished: of prompts, of them found in a cache, and made"},
    {"measured.from_s", "s", MR_KPI_NEITHER, 0, 0, NULL, false, "Date from which calls are measured"},
    {"measured.finished", "1", MR_KPI_UP, 0.02, 0, NULL, false, "Calls that ended behind the warm-up"},
    {"measured.refused", "1", MR_KPI_DOWN, 0.02, 0, NULL, false, "Calls that were refused behind the warm-up"},
    {"measured.arrived", "1", MR_KPI_NEITHER, 0, 0, NULL, false, "Calls that came behind the warm-up"},
    {"measured.calls_s*", "1/s", MR_KPI_NEITHER, 0.02, 0, NULL, false, "Calls that came behind the warm-up, over time"},
    {"measured.*_tok_s", "tok/s", MR_KPI_UP, 0.02, 0, NULL, false, "Tokens of calls that ended behind the warm-up, over time"},
    {"measured.prefix_hit_frac", "1", MR_KPI_UP, 0.02, 0, NULL, false, "Share of prompt tokens found in the prefix cache behind the warm-up"},
    {"measured.*_s.*", "s", MR_KPI_DOWN, 0.02, 0, NULL, false, "Times of calls and sessions that ended behind the warm-up"},
    {"tiers.*.slo_met_frac", "1", MR_KPI_UP, 0.02, 0, NULL, true, "Share of the tier's calls, refused ones among them, that finished within all its objectives; those in flight that may still do so are left out"},
    {"tiers.*.sessions.time_s.think", "s", MR_KPI_NEITHER, 0.02, 0, NULL, false, "Part of a session's time that its script asks for"},
    {"tiers.*.sessions.time_s.delay", "s", MR_KPI_NEITHER, 0.02, 0, NULL, false, "Part of a session's time that its script asks for"},
    {"tiers.*.sessions.time_s.*", "s", MR_KPI_DOWN, 0.02, 0, NULL, false, "Part of the mean time of a session of the tier"},
    {"tiers.*.sessions.completion_s.*", "s", MR_KPI_DOWN, 0.02, 0, NULL, false, "Time of a session of the tier"},
    {"tiers.*.sessions.finished", "1", MR_KPI_UP, 0.02, 0, NULL, false, "Sessions of the tier that ended well"},
    {"tiers.*.sessions.failed", "1", MR_KPI_DOWN, 0.02, 0, NULL, false, "Sessions of the tier that were given up"},
    {"tiers.*.sessions.*", "1", MR_KPI_NEITHER, 0, 0, NULL, false, "A count of sessions of the tier"},
    {"tiers.*.tok_s", "tok/s", MR_KPI_UP, 0.02, 0, NULL, false, "Output tokens per second of the tier"},
    {"tiers.*.revenue_usd_h", "USD/h", MR_KPI_UP, 0.02, 0, NULL, false, "Revenue of the tier"},
    {"tiers.*.ttft_s.*", "s", MR_KPI_DOWN, 0.02, 0, NULL, false, "Time to the first token in the tier"},
    {"tiers.*.tpot_s.*", "s", MR_KPI_DOWN, 0.02, 0, NULL, false, "Time per output token in the tier"},
    {"tiers.*.e2e_s.*", "s", MR_KPI_DOWN, 0.02, 0, NULL, false, "Time of a whole call in the tier"},
    {"tiers.*.finished", "1", MR_KPI_UP, 0.02, 0, NULL, false, "Calls of the tier that ended"},
    {"tiers.*.refused_frac", "1", MR_KPI_DOWN, 0.02, 1e-4, NULL, true, "Share of the tier's calls that were refused, for any reason"},
    {"tiers.*.refused.*", "1", MR_KPI_DOWN, 0.02, 0, NULL, false, "Calls of the tier that were refused for this reason"},
    {"tiers.*.in_flight_late", "1", MR_KPI_DOWN, 0.02, 0, NULL, false, "Calls in flight that are past their objective"},
    {"tiers.*.prefix_hit_frac", "1", MR_KPI_UP, 0.02, 0, NULL, false, "Share of the tier's prompt tokens found in the prefix cache"},
    {"tiers.*.kv_hit_frac.hbm", "1", MR_KPI_UP, 0.02, 0, NULL, false, "Share of the tier's prompt tokens found in HBM"},
    {"tiers.*.kv_hit_frac.*", "1", MR_KPI_NEITHER, 0.02, 0, NULL, false, "Share of the tier's prompt tokens found in this memory"},
    {"tiers.*", "1", MR_KPI_NEITHER, 0, 0, NULL, false, "A count of the tier"},
    {"tenants.*.sessions.time_s.think", "s", MR_KPI_NEITHER, 0.02, 0, NULL, false, "Part of a session's time that its script asks for"},
    {"tenants.*.sessions.time_s.delay", "s", MR_KPI_NEITHER, 0.02, 0, NULL, false, "Part of a session's time that its script asks for"},
    {"tenants.*.sessions.time_s.*", "s", MR_KPI_DOWN, 0.02, 0, NULL, false, "Part of the mean time of a session of the tenant"},
    {"tenants.*.sessions.completion_s.*", "s", MR_KPI_DOWN, 0.02, 0, NULL, false, "Time of a session of the tenant"},
    {"tenants.*.sessions.finished", "1", MR_KPI_UP, 0.02, 0, NULL, false, "Sessions of the tenant that ended well"},
    {"tenants.*.sessions.failed", "1", MR_KPI_DOWN, 0.02, 0, NULL, false, "Sessions of the tenant that were given up"},
    {"tenants.*.sessions.*", "1", MR_KPI_NEITHER, 0, 0, NULL, false, "A count of sessions of the tenant"},
    {"tenants.*.calls.finished", "1", MR_KPI_UP, 0.02, 0, NULL, false, "Calls of the tenant that ended"},
    {"tenants.*.calls.arrived", "1", MR_KPI_NEITHER, 0, 0, NULL, false, "Calls of the tenant that came"},
    {"tenants.*.calls.*", "1", MR_KPI_DOWN, 0.02, 0, NULL, false, "Calls of the tenant that were refused, or that its budget held up"},
    {"tenants.*.tokens.*", "tok", MR_KPI_NEITHER, 0, 0, NULL, false, "Tokens of the tenant's calls that finished"},
    {"tenants.*.budget*_frac", "1", MR_KPI_NEITHER, 0.02, 0, NULL, false, "Share of the tenant's budget that was used"},
    {"tenants.*.budget_tok", "tok", MR_KPI_NEITHER, 0, 0, NULL, false, "The tenant's budget for the run"},
    {"tenants.*.budget_usd", "USD", MR_KPI_NEITHER, 0, 0, NULL, false, "The tenant's budget of money for the run"},
    {"tenants.*.revenue_usd", "USD", MR_KPI_UP, 0.02, 0, NULL, false, "Revenue of the tenant"},
    {"tenants.*.revenue_usd_h", "USD/h", MR_KPI_UP, 0.02, 0, NULL, false, "Revenue of the tenant by the hour"},
    {"tenants.*.usd_per_mtok", "USD/Mtok", MR_KPI_NEITHER, 0.02, 0, NULL, false, "What a million of the tenant's tokens is paid"},
    {"tenants.*.prefix_hit_frac", "1", MR_KPI_UP, 0.02, 0, NULL, false, "Share of the tenant's prompt tokens found in the prefix cache"},
    {"tenants.*_s.*", "s", MR_KPI_DOWN, 0.02, 0, NULL, false, "Times of the tenant's calls"},
    {"power.site_mw_mean", "MW", MR_KPI_NEITHER, 0.02, 0, "power.feed_limit_mw", true, "Mean power taken by the site: from the grid, its own machines and sun"},
    {"power.site_mw_peak", "MW", MR_KPI_DOWN, 0.02, 0, "power.feed_limit_mw", true, "Highest power taken by the site, own machines and sun included: means of a second, or of a tick where that is longer"},
    {"power.grid_mw_mean", "MW", MR_KPI_NEITHER, 0.02, 0, "power.feed_limit_mw", false, "Mean power at the grid's meter, net of what is fed in"},
    {"power.grid_mw_peak", "MW", MR_KPI_DOWN, 0.02, 0, "power.feed_limit_mw", true, "Highest power at the grid's meter"},
    {"power.it_mw_mean", "MW", MR_KPI_NEITHER, 0.02, 0, NULL, false, "Mean power of the racks"},
    {"power.packages_mw_mean", "MW", MR_KPI_NEITHER, 0.02, 0, "power.packages_mw_limit", true, "Mean power of the packages"},
    {"power.feed_limit_mw", "MW", MR_KPI_NEITHER, 0, 0, NULL, false, "What the feed allows"},
    {"power.packages_mw_limit", "MW", MR_KPI_NEITHER, 0, 0, NULL, false, "All packages at their power limit"},
    {"power.cooling_mw_mean", "MW", MR_KPI_NEITHER, 0.02, 0, NULL, false, "Mean power of pumps, fans and compressors"},
    {"power.capped_gpu_s", "s", MR_KPI_DOWN, 0.02, 0, NULL, false, "Packages times the time in which a cap held their clocks"},
    {"power.down_gpu_s", "s", MR_KPI_DOWN, 0.02, 0, NULL, false, "Packages times the time in which their instances could not run: no feed, held for want of watts, heat, coolant"},
    {"power.dark_gpu_s", "s", MR_KPI_DOWN, 0.02, 0, NULL, false, "Of it: no feed, or not let on again yet"},
    {"power.held_gpu_s", "s", MR_KPI_DOWN, 0.02, 0, NULL, false, "Of it: suspended or shut for want of watts"},
    {"power.pue", "1", MR_KPI_DOWN, 0.02, 0, NULL, true, "Energy used by the site, net of what storages kept or gave, over that of its racks"},
    {"power.pue_*", "1", MR_KPI_DOWN, 0.02, 0, NULL, false, "The same at another boundary"},
    {"power.itue", "1", MR_KPI_DOWN, 0.02, 0, NULL, false, "Energy of the racks over that of what computes in them"},
    {"power.tue", "1", MR_KPI_DOWN, 0.02, 0, NULL, false, "Energy of the site over that of what computes"},
    {"power.*_events", "1", MR_KPI_DOWN, 0, 0, NULL, false, "How many of them happened in the run"},
    {"power.racks_lost", "1", MR_KPI_DOWN, 0, 0, NULL, false, "Racks that lost their power"},
    {"power.ramp_max_mw_min", "MW/min", MR_KPI_DOWN, 0.02, 0, NULL, false, "Steepest change at the grid's meter, between means of successive minutes (supply/ramp_window): half of a step or all of it, by where it falls in them"},
    {"power.ramp_*_max_mw_min", "MW/min", MR_KPI_DOWN, 0.02, 0, NULL, false, "The same, in one direction"},
    {"power.stranded_*", "kW", MR_KPI_DOWN, 0.02, 0, NULL, false, "Power that is there and cannot be used"},
    {"grid.breaches", "1", MR_KPI_DOWN, 0, 0, NULL, true, "How often a limit of the grid was broken"},
    {"*closure_rel*", "1", MR_KPI_DOWN, 0, 1e-9, NULL, false, "Energy in, out and stored that do not add up, over energy in"},
    {"energy.capped_j", "J", MR_KPI_DOWN, 0.02, 0, NULL, false, "Energy that caps kept from racks"},
    {"energy.dark_j", "J", MR_KPI_DOWN, 0.02, 0, NULL, false, "Energy that racks without power did not have"},
    {"energy.unfed_j", "J", MR_KPI_DOWN, 0.02, 1, NULL, false, "Energy that cooling asked for and was not given"},
    {"energy.losses_j", "J", MR_KPI_NEITHER, 0.02, 0, NULL, false, "Energy lost on the way to the racks"},
    {"energy.rack_losses_j", "J", MR_KPI_NEITHER, 0.02, 0, NULL, false, "Energy lost in the stages inside racks"},
    {"oversubscription.*_kw*", "kW", MR_KPI_NEITHER, 0.02, 0, NULL, false, "What a level may deliver, what is asked of it, and how that spreads"},
    {"oversubscription.*", "1", MR_KPI_NEITHER, 0.02, 0, NULL, false, "How often a level is asked for more than it may deliver"},
    {"losses_j.*", "J", MR_KPI_NEITHER, 0.02, 0, NULL, false, "Energy lost in the stages of this kind"},
    {"energy.site_j", "J", MR_KPI_NEITHER, 0.02, 0, NULL, false, "Energy taken by the site: from the grid, its own machines and sun"},
    {"energy.grid_j", "J", MR_KPI_NEITHER, 0.02, 0, NULL, false, "Energy at the grid's meter, net of what is fed in"},
    {"energy.export_j", "J", MR_KPI_NEITHER, 0.02, 1, NULL, false, "Energy fed into the grid at its meter"},
    {"energy.untaken_j", "J", MR_KPI_NEITHER, 0.02, 1, NULL, false, "Energy of sun that nobody took"},
    {"energy.*", "J", MR_KPI_NEITHER, 0.02, 0, NULL, false, "Energy that went this way over the run: with site, it, losses, cooling and storage it closes"},
    {"thermal.die_c_max", "degC", MR_KPI_DOWN, 0.02, 0.05, "thermal.die_limit_c", true, "Hottest die"},
    {"thermal.die_limit_c", "degC", MR_KPI_NEITHER, 0, 0, NULL, false, "Where packages like the hottest one throttle"},
    {"thermal.supply_c_max", "degC", MR_KPI_DOWN, 0.02, 0.05, "thermal.supply_limit_c", true, "Warmest coolant sent to racks"},
    {"thermal.supply_limit_c", "degC", MR_KPI_NEITHER, 0, 0, NULL, false, "Where supply of the warmest coolant unit counts as too warm"},
    {"thermal.throttle_gpu_s", "s", MR_KPI_DOWN, 0.02, 0, NULL, true, "Packages times the time in which they drew less than asked for"},
    {"thermal.off_gpu_s", "s", MR_KPI_DOWN, 0.02, 0, NULL, false, "Packages times the time in which heat, coolant or leaks switched them off"},
    {"thermal.water_l", "L", MR_KPI_DOWN, 0.02, 0, NULL, true, "Water drawn"},
    {"thermal.wue_l_kwh", "L/kWh", MR_KPI_DOWN, 0.02, 0, NULL, false, "Water of the energy of the racks"},
    {"approach.*", "K", MR_KPI_DOWN, 0.02, 0.05, NULL, false, "Difference of temperatures to what cools"},
    {"hours_above.*", "h", MR_KPI_DOWN, 0.02, 0, NULL, false, "Hours above a limit"},
    {"economy.revenue_usd_h", "USD/h", MR_KPI_UP, 0.02, 0, NULL, true, "Revenue of all tiers"},
    {"economy.usd_per_mtok", "USD/Mtok", MR_KPI_DOWN, 0.02, 0, NULL, true, "Cost of a million output tokens"},
    {"economy.*_usd_h", "USD/h", MR_KPI_DOWN, 0.02, 0, NULL, true, "Cost of an hour: energy by its price, capital evenly over its life"},
    {"economy.*_usd", "USD", MR_KPI_DOWN, 0.02, 0, NULL, false, "Cost of the run"},
    {"economy.co2_kg_h", "kg/h", MR_KPI_DOWN, 0.02, 0, NULL, true, "Carbon dioxide by the hour"},
    {"economy.cue_kg_kwh", "kg/kWh", MR_KPI_DOWN, 0.02, 0, NULL, false, "Carbon dioxide of the energy of the racks"},
    {"economy.carbon_kg", "kg", MR_KPI_DOWN, 0.02, 0, NULL, false, "Carbon dioxide of the run"},
    {"violations", "1", MR_KPI_DOWN, 0, 0, NULL, true, "Limits and objectives that were broken"},
    {"kv.load_s_mean", "s", MR_KPI_DOWN, 0.02, 0, NULL, false, "Mean time that calls waited for blocks from memories below HBM"},
    {"kv.hbm.hit_frac", "1", MR_KPI_UP, 0.02, 0, NULL, false, "Share of prompt tokens found in HBM"},
    {"kv.*_frac", "1", MR_KPI_NEITHER, 0.02, 0, NULL, false, "Share of prompt tokens found in this memory"},
    {"kv.*_bytes", "B", MR_KPI_NEITHER, 0.02, 0, NULL, false, "Bytes of contexts in this memory, to it or from it"},
    {"kv.*_j", "J", MR_KPI_NEITHER, 0.02, 0, NULL, false, "Energy of moving contexts"},
    {"kv.*", "1", MR_KPI_NEITHER, 0, 0, NULL, false, "Calls that waited for blocks from memories below HBM"},
    {"flexible.saved_usd", "USD", MR_KPI_UP, 0.02, 0, NULL, false, "What the energy would have cost that a flexible connection kept from racks"},
    {"flexible.*_kw", "kW", MR_KPI_NEITHER, 0, 0, NULL, false, "What a flexible connection gives"},
    {"flexible.*_j", "J", MR_KPI_NEITHER, 0.02, 0, NULL, false, "Energy that a flexible connection takes away or gives beyond a firm one"},
    {"flexible.hours_year", "h", MR_KPI_NEITHER, 0, 0, NULL, false, "Hours of a year in which it may be called"},
    {"flexible.called_s", "s", MR_KPI_NEITHER, 0.02, 0, NULL, false, "Time in which it was called"},
    {"flexible.*", "1", MR_KPI_NEITHER, 0, 0, NULL, false, "How often it was called"},
    {"prefill.local", "1", MR_KPI_NEITHER, 0, 0, NULL, false, "Prompts read where they were decoded"},
    {"prefill.transfers", "1", MR_KPI_NEITHER, 0, 0, NULL, false, "Transfers of keys and values between pools"},
    {"prefill.*_s_mean", "s", MR_KPI_DOWN, 0.02, 0, NULL, false, "Mean time between prompt and decoding"},
    {"prefill.*_bytes", "B", MR_KPI_NEITHER, 0, 0, NULL, false, "Bytes of KV sent between pools"},
    {"outages.down", "1", MR_KPI_DOWN, 0, 0, NULL, false, "How often an instance went down"},
    {"outages.down_s", "s", MR_KPI_DOWN, 0.02, 0, NULL, false, "Instances times the time in which they were down"},
    {"outages.*", "1", MR_KPI_DOWN, 0.02, 0, NULL, false, "Calls or transfers that an outage moved"},
    {"sessions.time_s.think", "s", MR_KPI_NEITHER, 0.02, 0, NULL, false, "Part of a session's time that its script asks for"},
    {"sessions.time_s.delay", "s", MR_KPI_NEITHER, 0.02, 0, NULL, false, "Part of a session's time that its script asks for"},
    {"sessions.*_s.*", "s", MR_KPI_DOWN, 0.02, 0, NULL, false, "Time of a session, or of a part of it"},
    {"sessions.finished", "1", MR_KPI_UP, 0.02, 0, NULL, false, "Sessions that ended well"},
    {"sessions.failed", "1", MR_KPI_DOWN, 0.02, 0, NULL, false, "Sessions that were given up"},
    {"sessions.deadlines_met", "1", MR_KPI_UP, 0.02, 0, NULL, false, "Sessions that finished before a deadline of their own"},
    {"sessions.shed_retries", "1", MR_KPI_DOWN, 0.02, 0, NULL, false, "Calls that were refused and came again"},
    {"sessions.read_ahead_tok", "tok", MR_KPI_NEITHER, 0, 0, NULL, false, "Tokens of prompts read while tools ran"},
    {"sessions.prefix_hit_frac", "1", MR_KPI_UP, 0.02, 0, NULL, false, "Share of prompt tokens found in the prefix cache"},
    {"sessions.cores_busy_mean", "1", MR_KPI_NEITHER, 0.02, 0, NULL, false, "Mean of the cores that tools kept busy"},
    {"sessions.bytes", "B", MR_KPI_NEITHER, 0, 0, NULL, false, "Memory of sessions and their script"},
    {"sessions.*", "1", MR_KPI_NEITHER, 0, 0, NULL, false, "A count of sessions, or of what they did"},
    {"little.in_system_s_mean", "s", MR_KPI_NEITHER, 0.02, 0, NULL, false, "Mean time of a call in the system"},
    {"little.arrivals_s", "1/s", MR_KPI_NEITHER, 0.02, 0, NULL, false, "Calls that came per second"},
    {"little.difference_rel", "1", MR_KPI_DOWN, 0, 1e-9, NULL, false, "What Little's law misses by: rounding, or a call was lost"},
    {"little.*", "1", MR_KPI_NEITHER, 0, 0, NULL, false, "Little's law: calls in the system"},
    {"planner.*_s", "s", MR_KPI_NEITHER, 0, 0, NULL, false, "Instances times the time that a planner had them off, or starting"},
    {"planner.*", "1", MR_KPI_NEITHER, 0, 0, NULL, false, "What a planner of instances did"},
    {"workload.*", "1", MR_KPI_NEITHER, 0, 0, NULL, false, "Rows of the workload that were not played as written"},
    {"seed", "1", MR_KPI_NEITHER, 0, 0, NULL, false, "Seed of every draw"},
    {"sim_s", "s", MR_KPI_NEITHER, 0, 0, NULL, false, "Simulated time"},
    {"wall_s", "s", MR_KPI_DOWN, 0.25, 0, NULL, false, "Time the simulator took"},
    {"engine.requests_per_s", "1/s", MR_KPI_UP, 0.25, 0, NULL, false, "Calls simulated per second"},
    {"engine.real_time_factor", "1", MR_KPI_UP, 0.25, 0, NULL, false, "Simulated over real time"},
    {"engine.ns_per_output_token", "ns", MR_KPI_DOWN, 0.25, 0, NULL, false, "Time the simulator took for an output token"},
    {"engine.events", "1", MR_KPI_NEITHER, 0, 0, NULL, false, "Events of the clock"},
    {"engine.leaps", "1", MR_KPI_NEITHER, 0, 0, NULL, false, "Leaps over batch steps"},
    {"engine.iterations", "1", MR_KPI_NEITHER, 0, 0, NULL, false, "Batch steps played"},
    {"engine.restarts", "1", MR_KPI_DOWN, 0.02, 0, NULL, false, "Calls preempted, their keys and values lost"},
    {"engine.cells", "1", MR_KPI_NEITHER, 0, 0, NULL, false, "Routing cells that were played"},
    {"engine.ranks", "1", MR_KPI_NEITHER, 0, 0, NULL, false, "Processes that played"},
    {"engine.rss_bytes", "B", MR_KPI_DOWN, 0.25, 0, NULL, false, "Memory the simulator took"},
};
// clang-format on

/* What the simulator did is counted by engine.events and the like, and repeats to the bit. */
static const char *const speeds[] = {"wall_s", "engine.requests_per_s", "engine.real_time_factor",
                                     "engine.ns_per_output_token", "engine.rss_bytes"};

bool mr_kpi_match(const char *pattern, const char *path)
{
    const char *star = NULL, *mark = path;
    while (*path != '\0') {
        if (*pattern == '*') {
            star = pattern++;
            mark = path;
        } else if (*pattern == *path) {
            pattern++;
            path++;
        } else if (star != NULL) {
            pattern = star + 1;
            path = ++mark;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

bool mr_kpi_is_same(const struct mr_kpi *kpi, double a, double b)
{
    static const double rounding_rel = 1e-12; /* sums in another order */
    return fabs(a - b) <= fmax(rounding_rel * fmax(fabs(a), fabs(b)), kpi != NULL ? kpi->abs : 0);
}

const struct mr_kpi *mr_kpi_find(const char *path)
{
    for (size_t i = 0; i < mr_kpi_n(); i++)
        if (mr_kpi_match(rows[i].path, path))
            return &rows[i];
    return NULL;
}

bool mr_kpi_is_speed(const char *path)
{
    for (size_t i = 0; i < sizeof speeds / sizeof *speeds; i++)
        if (strcmp(speeds[i], path) == 0)
            return true;
    return false;
}

size_t mr_kpi_n(void)
{
    return sizeof rows / sizeof *rows;
}

const struct mr_kpi *mr_kpi_at(size_t i)
{
    return &rows[i];
}
