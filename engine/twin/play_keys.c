/* SPDX-License-Identifier: Apache-2.0 */
/* A test compares these with the keys that summaries have. */
#include "engine/twin/play_keys.h"

#include "power/stage.h"

#include <string.h>

// clang-format off
#define SESSION_PARTS(at) \
    {at "queue", "s", "Waiting at an instance"}, \
    {at "prefill", "s", "Prompts being read"}, \
    {at "decode", "s", "Tokens being made"}, \
    {at "gateway", "s", "Policy engine and privacy router"}, \
    {at "network", "s", "To the instance and back"}, \
    {at "tools", "s", "Tools at work"}, \
    {at "tool_queue", "s", "Tools beyond the time they take alone"}, \
    {at "memory", "s", "Waiting for a sandbox"}, \
    {at "think", "s", "Users thinking"}, \
    {at "delay", "s", "Delays of the recording"}

#define KV_KEYS(memory, text) \
    {"kv." memory ".hit_frac", "1", "Input that " text " gave"}, \
    {"kv." memory ".resident_bytes", "B", "There, at the end"}, \
    {"kv." memory ".limit_bytes", "B", "Room of all instances; null: no limit"}, \
    {"kv." memory ".loaded_bytes", "B", "From there to HBM"}, \
    {"kv." memory ".written_bytes", "B", "Into it"}, \
    {"kv." memory ".energy_j", "J", "Of both"}

static const struct mr_play_key keys[] = {
    {"schema", "1", "1: keys are added, never renamed"},
    {"scenario", "", "Its name"},
    {"seed", "1", "Of everything that was drawn"},
    {"sim_s", "s", "End of the run: until, or the last that happened to a call, refusals included"},
    {"wall_s", "s", "It took"},
    {"partial", "", "Whether it was stopped by a signal: sim_s is when"},
    {"requests.arrived", "1", "Calls that came"},
    {"requests.finished", "1", "Calls that made all their tokens"},
    {"requests.failed", "1", "Calls longer than the context or the KV blocks"},
    {"requests.shed", "1", "Calls refused for other reasons (tiers[].refused)"},
    {"requests.in_flight", "1", "Calls that had not ended"},
    {"tokens.input", "tok", "Prompts of finished calls, with what was cached"},
    {"tokens.cached_input", "tok", "Of them: found in a prefix cache"},
    {"tokens.output", "tok", "Made by finished calls"},
    {"ttft_s", "s", "Time to the first token, from arrival"},
    {"tpot_s", "s", "Time per output token after it"},
    {"e2e_s", "s", "From arrival to the last token"},
    {"tok_s.input", "tok/s", "Input, with what was cached, over the run"},
    {"tok_s.output", "tok/s", "Output of calls that finished, over the run"},
    {"tok_s.output_per_gpu", "tok/s", "Of a package"},
    {"tok_s.output_per_user_p50", "tok/s", "Inverse of the median time per token"},
    {"tok_s.made", "tok/s", "Tokens made over the run, of calls that had not ended or had to begin again, too"},
    {"power.site_mw_mean", "MW", "At the meter"},
    {"power.site_mw_peak", "MW", "At the meter, highest mean of a second"},
    {"power.it_mw_mean", "MW", "Of the racks"},
    {"power.pue", "1", "energy.used_j / energy.it_j"},
    {"power.itue", "1", "E_racks / E_compute: racks over what their power shelves give; fans inside count as computing"},
    {"power.tue", "1", "E_site / E_compute = PUE x ITUE"},
    {"power.feed_limit_mw", "MW", "Of the connection; null: none"},
    {"power.cooling_mw_mean", "MW", "Of pumps, fans, chillers"},
    {"power.packages_mw_mean", "MW", "Of the packages that serve"},
    {"power.packages_mw_limit", "MW", "Sum of their limits"},
    {"power.capped_gpu_s", "s", "Packages held below their clock by caps"},
    {"power.down_gpu_s", "s", "Packages without power or coolant"},
    {"power.cap_events", "1", "Times that caps began to hold work back"},
    {"power.trip_events", "1", "Breakers that opened"},
    {"power.ramp_max_mw_min", "MW/min", "Fastest move of the meter, up or down, between means of the windows that its ramp is watched in"},
    {"power.ramp_up_max_mw_min", "MW/min", "The same, upwards"},
    {"power.ramp_down_max_mw_min", "MW/min", "The same, downwards, as a positive number"},
    {"power.stranded_cooling_kw", "kW", "Installed at panels, every rack at its rating: heat that CDUs could not take"},
    {"power.stranded_chain_kw", "kW", "The same: nodes above could not deliver it"},
    {"power.stranded_redundancy_kw", "kW", "The same: spare units, and what the worst failure needs"},
    {"power.stranded_granularity_kw", "kW", "The same: less than the smallest rack"},
    {"energy.site_j", "J", "At the meter"},
    {"energy.it_j", "J", "Of the racks"},
    {"energy.closure_rel", "1", "Larger relative difference of both energy balances"},
    {"energy.packages_j", "J", "Of the packages that serve"},
    {"energy.burn_j", "J", "Of the racks': drawn for the sake of smooth ramps, not for work"},
    {"energy.losses_j", "J", "Lost on the way from the sources to the racks"},
    {"energy.cooling_j", "J", "Of pumps, fans, chillers"},
    {"energy.storage_j", "J", "Kept or lost in storages; site = losses + cooling + racks + this"},
    {"energy.used_j", "J", "losses + cooling + racks + what storages lost: at the meter, and net from storages"},
    {"energy.unfed_j", "J", "Asked by cooling in the interval in which its power went, not given"},
    {"energy.rack_losses_j", "J", "Of the racks': lost in their power shelves, busbars, bricks"},
    {"energy.modules_j", "J", "Of the racks': what these deliver to packages, hosts, switches"},
    {"energy.rack_packages_j", "J", "Of the racks': their packages, with leakage"},
#define STAGE_KEY(name, text, plane, converts, a0, a1, a2, confidence, source) \
    {"losses_j." text, "J", source},
    MR_STAGE_LOSS_LIST(STAGE_KEY)
#undef STAGE_KEY
    {"oversubscription.levels", "1", "Feeds and rows of panels that have a limit"},
    {"oversubscription.worst", "", "The node that limits the one most often asked for too much"},
    {"oversubscription.limit_kw", "kW", "What its racks may draw with the worst failure kept free"},
    {"oversubscription.ceilings_kw", "kW", "What they could: over the limit, watts are shared"},
    {"oversubscription.asked_kw_mean", "kW", "What they asked for before caps, mean over time"},
    {"oversubscription.asked_kw_deviation", "kW", "Its deviation"},
    {"oversubscription.odds", "1", "Probability that they ask for more than the limit, normal"},
    {"oversubscription.over_frac", "1", "Share of the time in which they did"},
    {"flexible.hours_year", "h", "A flexible connection may be called for so long (with one)"},
    {"flexible.curtailed_kw", "kW", "What it is then"},
    {"flexible.flexible_kw", "kW", "What it is else"},
    {"flexible.year_curtailed_j", "J", "What all hours of a year take away at most"},
    {"flexible.year_gain_j", "J", "What a year gives beyond a firm connection"},
    {"flexible.share_curtailed_j", "J", "Of year_curtailed_j: this run's share"},
    {"flexible.calls", "1", "Calls in the dearest hours (with prices)"},
    {"flexible.called_s", "s", "For so long"},
    {"flexible.kept_j", "J", "Kept from racks by them"},
    {"flexible.saved_usd", "USD", "What that would have cost"},
    {"tok_s_per_mw", "tok/s/MW", "Output over mean power: of energy.used_j, without a site of the packages"},
    {"j_per_tok", "J/tok", "Its inverse"},
    {"thermal.die_c_max", "degC", "Hottest die"},
    {"thermal.die_limit_c", "degC", "Where packages like that one throttle"},
    {"thermal.supply_c_max", "degC", "Hottest coolant supply"},
    {"thermal.supply_limit_c", "degC", "Where supply of that coolant unit counts as too warm"},
    {"thermal.throttle_gpu_s", "s", "Packages held below their clock by heat"},
    {"thermal.water_l", "l", "Evaporated"},
    {"thermal.wue_l_kwh", "l/kWh", "Water over the racks' energy"},
    {"economy.revenue_usd_h", "USD/h", "Of finished calls, by their tiers' prices"},
    {"economy.energy_usd_h", "USD/h", "Energy at the meter and demand charge, fuel, and what storages gave net at the mean of these"},
    {"economy.capital_usd_h", "USD/h", "Racks and building, evenly over their lives"},
    {"economy.usd_per_mtok", "USD/Mtok", "Energy and capital over output"},
    {"economy.co2_kg_h", "kg/h", "Emitted by what was drawn: meter, fuel, and what storages gave net at their mean"},
    {"economy.cue_kg_kwh", "kg/kWh", "Carbon dioxide over the racks' energy"},
    {"tiers[].name", "", "Of the tier"},
    {"tiers[].arrived", "1", "Calls that came for it"},
    {"tiers[].finished", "1", "Calls that finished in it"},
    {"tiers[].moved_in", "1", "Calls that a dearer tier refused and this one took"},
    {"tiers[].moved_out", "1", "Calls that it refused and a cheaper one took"},
    {"tiers[].refused.too_long", "1", "Longer than the context or the KV blocks"},
    {"tiers[].refused.shed", "1", "Too many waited at the instance"},
    {"tiers[].refused.limit", "1", "Too many of the tier were inside"},
    {"tiers[].refused.rate", "1", "Its bucket was empty"},
    {"tiers[].refused.late", "1", "The first token would have come too late"},
    {"tiers[].refused.expired", "1", "Waited to be let in until the tier's deadline"},
    {"tiers[].tok_s", "tok/s", "Output"},
    {"tiers[].revenue_usd_h", "USD/h", "Of its finished calls"},
    {"tiers[].slo_met_frac", "1", "Finished within all objectives, of those that came and stayed"},
    {"tiers[].ttft_s", "s", "Time to the first token"},
    {"tiers[].tpot_s", "s", "Time per output token after it"},
    {"tiers[].e2e_s", "s", "Time of a whole call"},
    {"tiers[].prefix_hit_frac", "1", "Input that was cached (agents)"},
    {"tiers[].kv_hit_frac.hbm", "1", "Input that HBM had (with <kv>)"},
    {"tiers[].kv_hit_frac.host", "1", "The same of host memory"},
    {"tiers[].kv_hit_frac.flash", "1", "The same of flash"},
    {"tiers[].kv_hit_frac.context", "1", "The same of the context store"},
    {"tiers[].kv_hit_frac.storage", "1", "The same of shared storage"},
    {"tiers[].sessions.started", "1", "Sessions that began"},
    {"tiers[].sessions.finished", "1", "Sessions that ended well"},
    {"tiers[].sessions.failed", "1", "Sessions that were given up"},
    {"tiers[].sessions.completion_s", "s", "From the start of a session to its end"},
    SESSION_PARTS("tiers[].sessions.time_s."),
    {"tenants[].name", "", "Of the tenant (agents)"},
    {"tenants[].calls.arrived", "1", "Calls of its agents that were let come"},
    {"tenants[].calls.finished", "1", "Calls that made all their tokens"},
    {"tenants[].calls.refused", "1", "Calls that were refused"},
    {"tenants[].calls.stopped", "1", "Calls not served, beyond its budget"},
    {"tenants[].calls.downgraded", "1", "Calls served by its lower tier, beyond its budget"},
    {"tenants[].calls.throttled", "1", "Calls put off, beyond its budget"},
    {"tenants[].tokens.input", "tok", "Prompts of finished calls, with what was cached"},
    {"tenants[].tokens.cached_input", "tok", "Of them: found in a prefix cache"},
    {"tenants[].tokens.output", "tok", "Made by finished calls"},
    {"tenants[].budget_tok", "tok", "Its budget's share of the run"},
    {"tenants[].budget_used_frac", "1", "Input and output over that"},
    {"tenants[].revenue_usd", "USD", "Of finished calls, by the tier that served them"},
    {"tenants[].revenue_usd_h", "USD/h", "The same in an hour"},
    {"tenants[].usd_per_mtok", "USD/Mtok", "The same for a million tokens, input and output"},
    {"tenants[].prefix_hit_frac", "1", "Input that was cached"},
    {"tenants[].ttft_s", "s", "Time to the first token"},
    {"tenants[].tpot_s", "s", "Time per output token after it"},
    {"tenants[].e2e_s", "s", "From arrival to the last token"},
    {"tenants[].sessions.finished", "1", "Sessions that ended well"},
    {"tenants[].sessions.failed", "1", "Sessions that were given up"},
    {"tenants[].sessions.completion_s", "s", "From the start of a session to its end"},
    SESSION_PARTS("tenants[].sessions.time_s."),
    {"sessions.started", "1", "Sessions that began (agents)"},
    {"sessions.finished", "1", "Sessions that ended well"},
    {"sessions.failed", "1", "Sessions that were given up"},
    {"sessions.live", "1", "At the end"},
    {"sessions.live_max", "1", "At most"},
    {"sessions.completion_s", "s", "From the start of a session to its end"},
    SESSION_PARTS("sessions.time_s."),
    {"sessions.prefix_hit_frac", "1", "Input that was cached"},
    {"sessions.tools", "1", "Tools that ran"},
    {"sessions.tool_errors", "1", "Tools that failed"},
    {"sessions.denied_calls", "1", "Calls the gateway denied"},
    {"sessions.sandboxes_cut", "1", "Sandboxes drawn larger than all memory there is: they get all of it"},
    {"sessions.shed_retries", "1", "Calls that were refused and came again"},
    {"sessions.cores_busy_mean", "1", "Cores of the tool pool at work"},
    {"sessions.kv_cached_frac", "1", "Blocks of all instances that hold a prefix, at the end"},
    {"sessions.kv_resident_mean_frac", "1", "Blocks of all instances in use or cached, mean over time"},
    {"sessions.kv_resident_peak_frac", "1", "At most"},
    {"sessions.read_ahead", "1", "Prompts read while tools ran, before their calls came"},
    {"sessions.read_ahead_tok", "tok", "That were computed for them"},
    {"sessions.kv_blocks_evicted", "1", "Blocks that gave way to others"},
    {"sessions.bytes", "B", "Sessions and their script in memory"},
    {"workload.skipped", "1", "Rows that were left out"},
    {"workload.clipped", "1", "Rows with values set to the nearest possible"},
    {"workload.empty", "1", "Rows without input or output, played as one token"},
    {"kv.loads", "1", "Calls that waited for blocks from memories below HBM (with <kv>)"},
    {"kv.load_s_mean", "s", "For so long, from being admitted on"},
    {"kv.hbm.hit_frac", "1", "Input that HBM had"},
    KV_KEYS("host", "host memory"),
    KV_KEYS("flash", "flash"),
    KV_KEYS("context", "the context store"),
    KV_KEYS("storage", "shared storage"),
    {"prefill.local", "1", "Prompts read where they were decoded (with a prefill pool)"},
    {"prefill.transfers", "1", "Transfers of keys and values"},
    {"prefill.sent_bytes", "B", "In all"},
    {"prefill.early_bytes", "B", "Of them: while the prompt was read"},
    {"prefill.transfer_s_mean", "s", "From the prompt's end to the last byte"},
    {"outages.down", "1", "Times that instances went down (where any did)"},
    {"outages.down_s", "s", "Of all instances"},
    {"outages.rerouted", "1", "Calls that left them and went elsewhere"},
    {"outages.transfers_lost", "1", "On their way when an end went down"},
    {"planner.started", "1", "Instances that a planner started (with one)"},
    {"planner.stopped", "1", "That drained and went off"},
    {"planner.flipped", "1", "That went on in the other pool"},
    {"planner.starting_s", "s", "Of all instances: idle, not yet serving"},
    {"planner.off_s", "s", "Of all instances: off"},
    {"little.in_system_mean", "1", "L: calls inside, mean over the time from 0 to the last event"},
    {"little.arrivals_s", "1/s", "lambda: calls that came in, over the same time"},
    {"little.in_system_s_mean", "s", "W: time inside of a call"},
    {"little.difference_rel", "1", "|L - lambda W| / lambda W: rounding, or a call was lost"},
    {"violations[].what", "", "A limit that was passed"},
    {"violations[].where", "", "The first time"},
    {"violations[].count", "1", "How often"},
    {"violations[].first_s", "s", "When first"},
    {"engine.events", "1", "That were played"},
    {"engine.leaps", "1", "Runs of steps with the same batch"},
    {"engine.iterations", "1", "Steps of all instances"},
    {"engine.restarts", "1", "Calls that were preempted, or lost their instance"},
    {"engine.requests_per_s", "1/s", "Finished calls over wall time"},
    {"engine.ns_per_output_token", "ns", "Wall time over output"},
    {"engine.real_time_factor", "1", "Simulated over wall time"},
    {"engine.rss_bytes", "B", "Most memory that was in use"},
    {"engine.ranks", "1", "Processes"},
    {"engine.cells", "1", "Routing cells that the instances were dealt to"},
};
// clang-format on

const struct mr_play_key *mr_play_key(size_t i)
{
    return i < sizeof keys / sizeof *keys ? &keys[i] : NULL;
}

bool mr_play_key_is_times(const struct mr_play_key *key)
{
    static const char *const times[] = {"ttft_s", "tpot_s", "e2e_s", "completion_s"};
    const char *dot = strrchr(key->path, '.');
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        if (strcmp(dot != NULL ? dot + 1 : key->path, times[i]) == 0)
            return true;
    return false;
}
