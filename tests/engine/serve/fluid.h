/* SPDX-License-Identifier: Apache-2.0 */
/* Networks to test transfers on, and the plainest way to play transfers as fluids: at every start
 * and end all rates are computed anew from the law, by walking all transfers. Two laws: the
 * smallest fair share, and max-min by progressive filling. */
#ifndef MR_TESTS_ENGINE_SERVE_FLUID_H
#define MR_TESTS_ENGINE_SERVE_FLUID_H

#include "engine/base/rng.h"
#include "engine/serve/transfer.h"
#include "tests/test.h"

enum {
    FLUID_CAP = 400 /* transfers, hosts, links */
};

/* Rows of racks: host -> up -> row up -> (pipe) -> row down -> down -> host; inside a row without
 * the middle. */
struct fluid_site {
    uint32_t n_host, per_row;
    struct mr_topology_link link[FLUID_CAP];
    size_t n_link;
    int n_find; /* how often a route was asked for */
};

static MR_UNUSED mr_status fluid_find(void *data, uint32_t from, uint32_t to,
                                      struct mr_topology_path *path, struct mr_err *err)
{
    struct fluid_site *site = data;
    const uint32_t n = site->n_host, a = from / site->per_row, b = to / site->per_row;
    (void)err;
    site->n_find++;
    path->link[path->n_link++] = 2 * from;
    if (a != b) {
        path->link[path->n_link++] = 2 * n + 2 * a;
        path->link[path->n_link++] = (uint32_t)site->n_link - 1;
        path->link[path->n_link++] = 2 * n + 2 * b + 1;
    }
    path->link[path->n_link++] = 2 * to + 1;
    return MR_OK;
}

/* Bandwidths spread over a decade by `seed`; all 1e11 and latencies 1 us for seed 0. */
static MR_UNUSED struct mr_topology *fluid_topology(struct fluid_site *site, uint32_t n_host,
                                                    uint32_t per_row, uint64_t seed,
                                                    double efficiency)
{
    struct mr_rng rng = mr_rng_stream(seed, MR_RNG_TEST, 7);
    struct mr_topology *topology = NULL;
    struct mr_err err = {0};
    const uint32_t n_row = (n_host + per_row - 1) / per_row;
    site->n_host = n_host;
    site->per_row = per_row;
    site->n_link = 2 * n_host + 2 * n_row + 1;
    site->n_find = 0;
    assert_true(site->n_link <= FLUID_CAP);
    for (size_t i = 0; i < site->n_link; i++)
        site->link[i] = (struct mr_topology_link){
            .name = "link",
            .bandwidth_bytes_s = seed == 0 ? 1e11 : mr_rng_range(&rng, 2e10, 2e11),
            .latency_s = seed == 0 ? 1e-6 : mr_rng_range(&rng, 1e-7, 2e-6)};
    site->link[site->n_link - 1].is_fatpipe = true;
    const struct mr_topology_options options = {.link = site->link,
                                                .n_link = site->n_link,
                                                .n_host = n_host,
                                                .source = {site, fluid_find},
                                                .efficiency = efficiency};
    assert_int_equal(mr_topology_create(&options, &topology, &err), MR_OK);
    return topology;
}

struct fluid_job {
    struct mr_transfer_job job;
    double start_s;
    double end_s; /* out */
};

struct fluid {
    struct mr_topology *topology;
    struct fluid_job *job;
    uint32_t route[FLUID_CAP];
    double begin_s[FLUID_CAP], left[FLUID_CAP], rate[FLUID_CAP];
    bool is_moving[FLUID_CAP], is_frozen[FLUID_CAP];
    int n;
};

typedef void fluid_law(struct fluid *f);

static MR_UNUSED double fluid_crossings(const struct fluid *f, uint32_t link, bool all)
{
    double n = 0;
    for (int i = 0; i < f->n; i++) {
        const struct mr_topology_route *r = &f->topology->route[f->route[i]];
        if (!f->is_moving[i] || (!all && f->is_frozen[i]))
            continue;
        for (uint32_t h = r->first; h < r->first + r->n_link; h++)
            n += f->topology->hop[h] == link;
    }
    return n;
}

static MR_UNUSED void fluid_fair_share(struct fluid *f)
{
    double share[FLUID_CAP];
    for (uint32_t l = 0; l < f->topology->n_link; l++) {
        const double n = fluid_crossings(f, l, true);
        share[l] = f->topology->link[l].bandwidth_bytes_s;
        if (n > 1 && !f->topology->link[l].is_fatpipe)
            share[l] /= n;
    }
    for (int i = 0; i < f->n; i++) {
        const struct mr_topology_route *r = &f->topology->route[f->route[i]];
        f->rate[i] = (double)INFINITY;
        for (uint32_t h = r->first; h < r->first + r->n_link; h++)
            f->rate[i] = fmin(f->rate[i], share[f->topology->hop[h]]);
    }
}

/* Fill all at one pace; whoever meets a full link stays. */
static MR_UNUSED void fluid_max_min(struct fluid *f)
{
    double left[FLUID_CAP];
    int n_open = 0;
    for (uint32_t l = 0; l < f->topology->n_link; l++)
        left[l] = f->topology->link[l].bandwidth_bytes_s;
    for (int i = 0; i < f->n; i++) {
        f->is_frozen[i] = !f->is_moving[i];
        n_open += f->is_moving[i];
        f->rate[i] = 0;
    }
    double level = 0;
    while (n_open > 0) {
        double step[FLUID_CAP], least = (double)INFINITY;
        for (uint32_t l = 0; l < f->topology->n_link; l++) {
            const double n = fluid_crossings(f, l, false);
            step[l] = n == 0 ? (double)INFINITY
                      : f->topology->link[l].is_fatpipe
                          ? f->topology->link[l].bandwidth_bytes_s - level
                          : left[l] / n;
            least = fmin(least, step[l]);
        }
        for (uint32_t l = 0; l < f->topology->n_link; l++)
            left[l] -= least * fluid_crossings(f, l, false);
        level += least;
        for (int i = 0; i < f->n; i++) {
            const struct mr_topology_route *r = &f->topology->route[f->route[i]];
            bool is_full = false;
            for (uint32_t h = r->first; h < r->first + r->n_link; h++)
                is_full = is_full || step[f->topology->hop[h]] <= least * (1 + 1e-12);
            if (f->is_frozen[i] || !is_full)
                continue;
            f->is_frozen[i] = true;
            f->rate[i] = level;
            n_open--;
        }
    }
}

static MR_UNUSED void fluid_play(struct mr_topology *topology, struct fluid_job *job, int n,
                                 fluid_law *law)
{
    static struct fluid f;
    struct mr_err err = {0};
    double now_s = 0;
    int n_left = n;
    f = (struct fluid){.topology = topology, .job = job, .n = n};
    for (int i = 0; i < n; i++) {
        assert_int_equal(mr_topology_route(topology, job[i].job.from, job[i].job.to,
                                           job[i].job.cap_bytes_s, &f.route[i], &err),
                         MR_OK);
        f.begin_s[i] = job[i].start_s + topology->route[f.route[i]].latency_s;
        f.left[i] = job[i].job.bytes;
        job[i].end_s = (double)NAN;
    }
    while (n_left > 0) {
        double next_s = (double)INFINITY;
        law(&f);
        for (int i = 0; i < n; i++) {
            if (f.is_moving[i])
                next_s = fmin(next_s, now_s + f.left[i] / f.rate[i]);
            else if (isnan(job[i].end_s))
                next_s = fmin(next_s, f.begin_s[i]);
        }
        for (int i = 0; i < n; i++) {
            /* what ends now ends exactly, whatever the difference of dates says */
            const double end_s = now_s + f.left[i] / f.rate[i];
            if (f.is_moving[i] && end_s <= next_s) {
                f.is_moving[i] = false;
                job[i].end_s = next_s;
                n_left--;
            } else if (f.is_moving[i]) {
                f.left[i] -= f.rate[i] * (next_s - now_s);
            } else if (isnan(job[i].end_s) && f.begin_s[i] <= next_s) {
                f.is_moving[i] = true;
            }
        }
        now_s = next_s;
    }
}

/* Start all in the order of their array and let every end be written. */
static MR_UNUSED void fluid_send(struct mr_transfer *net, struct fluid_job *job, int n)
{
    struct mr_transfer_ends ends;
    struct mr_err err = {0};
    double last_s = 0;
    int n_end = 0;
    for (int i = 0; i < n; i++)
        job[i].end_s = (double)NAN;
    for (int i = 0; i < n;) {
        const double start_s = job[i].start_s;
        while (mr_transfer_now_s(net) < start_s) {
            (void)mr_transfer_advance(net, start_s, &ends);
            for (size_t e = 0; e < ends.n; e++, n_end++)
                job[ends.item[e].tag].end_s = ends.item[e].time_s;
        }
        for (; i < n && job[i].start_s == start_s; i++) {
            if (mr_transfer_start(net, &job[i].job, start_s, NULL, &err) != MR_OK)
                fail_msg("%s", err.text);
        }
    }
    while (!isinf(mr_transfer_next_s(net))) {
        (void)mr_transfer_advance(net, (double)INFINITY, &ends);
        for (size_t e = 0; e < ends.n; e++, n_end++) {
            assert_true(ends.item[e].time_s >= last_s);
            assert_int_equal(ends.item[e].reason, MR_TRANSFER_DONE);
            last_s = ends.item[e].time_s;
            job[ends.item[e].tag].end_s = last_s;
        }
    }
    assert_int_equal(n_end, n);
}

/* Random transfers of 1 MB to 1 GB between different hosts; starts in order, some together. */
static MR_UNUSED void fluid_random(struct fluid_job *job, int n, uint32_t n_host, double window_s,
                                   uint64_t seed)
{
    struct mr_rng rng = mr_rng_stream(seed, MR_RNG_TEST, 8);
    double now_s = 0;
    for (int i = 0; i < n; i++) {
        const uint32_t from = (uint32_t)mr_rng_below(&rng, n_host);
        const uint32_t step = 1 + (uint32_t)mr_rng_below(&rng, n_host - 1);
        if (mr_rng_below(&rng, 3) > 0)
            now_s += mr_rng_exponential(&rng, window_s / (double)n);
        job[i] = (struct fluid_job){.job = {.from = from,
                                            .to = (from + step) % n_host,
                                            .bytes = mr_rng_range(&rng, 1e6, 1e9),
                                            .cap_bytes_s = (double)INFINITY,
                                            .tag = (uint64_t)i},
                                    .start_s = now_s};
    }
}

#endif
