/* SPDX-License-Identifier: Apache-2.0 */
/* power/supply: parts of a rack rest so that others work, in the order of their turns; racks of
 * which not all parts are told rest as wholes. */
#include "tests/power/supply_bed.h"

#include <math.h>

enum {
    n_of_rack = 6, /* parts, of 12 packages */
    n_rack = 2,
    n_part = n_of_rack * n_rack
};

/* In watts of a package and of a rack's hosts, the latter at rest. */
static const double least = 700, rest = 200, most = 1200, host = 20e3;

static struct mr_supply_part parts[n_part];

static void begin_granted(const char *limit, const char *grant, uint32_t n_told)
{
    static const double package_w[n_rack] = {1200, 1200};
    char layout[320];
    struct mr_supply_options o = options();
    for (uint32_t p = 0; p < n_part; p++) /* the last are to work first */
        parts[p] = (struct mr_supply_part){p / n_of_rack, p % n_of_rack * 12, 12, n_part - p};
    o.part = parts;
    o.n_part = n_part;
    o.package_w = package_w;
    snprintf(layout, sizeof layout,
             "<layout name=\"s\"><grid limit=\"%s\"/>%s<hall><row count=\"1\">"
             "<rack card=\"gb200_nvl72\" count=\"2\"/></row></hall></layout>",
             limit, grant);
    begin(layout, &o);
    for (uint32_t i = 0; i < n_rack; i++) {
        mr_supply_set_load(world.supply, i, 0, host + 72 * most);
        mr_supply_set_least(world.supply, i, host + 72 * least, host + 72 * rest);
        mr_supply_set_fixed(world.supply, i, host);
    }
    for (uint32_t p = 0; p < n_part; p++) {
        mr_supply_set_part(world.supply, p, most);
        if (p < n_told)
            mr_supply_set_part_least(world.supply, p, least, rest);
    }
}

static void begin_parts(const char *limit, uint32_t n_told)
{
    begin_granted(limit, "", n_told);
}

static uint32_t n_at_work(uint32_t rack)
{
    uint32_t n = 0;
    for (uint32_t p = rack * n_of_rack; p < (rack + 1) * n_of_rack; p++)
        n +=
            !mr_supply_rack_is_held(world.supply, rack) && !mr_supply_part_is_held(world.supply, p);
    return n;
}

/* Parts that work draw their cap, others rest. */
static void obey(double until_s)
{
    for (double t_s = mr_supply_now_s(world.supply); t_s <= until_s; t_s++) {
        mr_supply_advance(world.supply, t_s);
        for (uint32_t i = 0; i < n_rack; i++) {
            double w = host;
            for (uint32_t p = i * n_of_rack; p < (i + 1) * n_of_rack; p++) {
                const bool rests = mr_supply_rack_is_held(world.supply, i) ||
                                   mr_supply_part_is_held(world.supply, p);
                const double cap_w = mr_supply_part_cap_w(world.supply, p);
                assert_true(rests || cap_w >= least * (1 - 1e-9));
                w += 12 * (rests ? rest : fmin(cap_w, most));
            }
            if (mr_supply_rack_is_on(world.supply, i))
                mr_supply_set_load(world.supply, i, w, host + 72 * most);
        }
    }
}

/* 1 whole rack needs 70.4 kW, one at rest 34.4, a part 6 kW more; transformers and supplies
 * take 5 kW at no load. */
MR_TEST(a_part_of_the_last_rack_rests)
{
    begin_parts("141 kW", n_part);
    obey(60);
    assert_int_equal(n_at_work(1), n_of_rack);
    const uint32_t n = n_at_work(0);
    assert_true(n >= 1 && n < n_of_rack);
    for (uint32_t p = 0; p < n_of_rack; p++) /* those of the highest turn rest */
        assert_true(mr_supply_part_is_held(world.supply, p) == (p < n_of_rack - n));
    assert_true(now().grid_w <= 141e3 && now().grid_w > 0.97 * 141e3);
    assert_int_equal(count("power.rack_partly"), 1);
    assert_int_equal(count("power.budget_infeasible"), 1);
    assert_int_equal(now().n_rack_held, 0);
    end(1e-9);
}

/* Not enough for one whole rack beside the other at rest: it is shut for a part. */
MR_TEST(a_part_works_where_no_rack_can)
{
    begin_parts("62 kW", n_part);
    obey(60);
    const uint32_t n = n_at_work(1);
    assert_true(n >= 1 && n < n_of_rack && n_at_work(0) == 0);
    assert_true(now().grid_w <= 62e3);
    assert_int_equal(count("power.rack_shut"), 1);
    end(1e-9);
}

MR_TEST(not_all_told_rest_as_wholes)
{
    begin_parts("141 kW", n_part - 1 - n_of_rack);
    obey(60);
    assert_true(n_at_work(1) == n_of_rack && n_at_work(0) == 0);
    assert_int_equal(count("power.rack_partly"), 0);
    end(1e-9);
}

/* A target comes and goes: parts rest and work again, and it is told. */
MR_TEST(all_go_on_when_there_is_room)
{
    struct mr_err err = {0};
    const struct mr_feed_target target = {.start_s = 100, .end_s = 200, .limit_w = 136e3};
    begin_parts("400 kW", n_part);
    assert_int_equal(mr_supply_set_target(world.supply, &target, &err), MR_OK);
    obey(90);
    assert_true(n_at_work(0) == n_of_rack && n_at_work(1) == n_of_rack);
    obey(190);
    assert_true(n_at_work(0) >= 1 && n_at_work(0) < n_of_rack && n_at_work(1) == n_of_rack);
    assert_true(now().grid_w <= 136e3);
    obey(300);
    assert_true(n_at_work(0) == n_of_rack && count("power.rack_resumed") == 1);
    end(1e-9);
}

/* Every rack is granted less than the 70.4 kW of its lowest clock, with room at the meter. */
MR_TEST(a_grant_below_the_lowest_draw_is_kept)
{
    begin_granted("400 kW", "<provision rack_power=\"60 kW\"/>", n_part);
    obey(300);
    for (uint32_t i = 0; i < n_rack; i++) {
        assert_true(n_at_work(i) >= 1 && n_at_work(i) < n_of_rack);
        assert_true(mr_supply_rack_w(world.supply, i) <= 60e3);
    }
    assert_int_equal(count("power.rack_partly"), n_rack); /* no to and fro */
    assert_int_equal(count("power.rack_suspended") + count("power.rack_shut"), 0);
    end(1e-9);
}

/* The contract counts what racks draw, not what they are granted. */
MR_TEST(a_contract_is_kept_below_grants_that_are_not)
{
    begin_granted("120 kW", "<provision rack_power=\"60 kW\"/>", n_part);
    obey(300);
    assert_true(n_at_work(1) >= 1 && n_at_work(0) < n_at_work(1));
    assert_true(now().grid_w <= 120e3);
    for (uint32_t i = 0; i < n_rack; i++)
        assert_true(mr_supply_rack_w(world.supply, i) <= 60e3);
    end(1e-9);
}

/* 34.4 kW at rest are above a grant of 30 kW, but not of 50 kW. */
MR_TEST(who_cannot_rest_within_its_grant_is_shut)
{
    begin_granted("400 kW", "<provision rack_power=\"30 kW\"/>", n_part);
    obey(300);
    assert_int_equal(count("power.rack_shut"), n_rack);
    assert_true(mr_supply_rack_w(world.supply, 0) == 0 && mr_supply_rack_w(world.supply, 1) == 0);
    end(1e-9);
    begin_granted("400 kW", "<provision rack_power=\"50 kW\"/>", 0);
    obey(300);
    assert_int_equal(count("power.rack_suspended"), n_rack);
    assert_int_equal(count("power.rack_shut") + count("power.rack_resumed"), 0);
    end(1e-9);
}

MR_TEST_MAIN(MR_TEST_ENTRY(a_grant_below_the_lowest_draw_is_kept),
             MR_TEST_ENTRY(a_contract_is_kept_below_grants_that_are_not),
             MR_TEST_ENTRY(who_cannot_rest_within_its_grant_is_shut),
             MR_TEST_ENTRY(a_part_of_the_last_rack_rests),
             MR_TEST_ENTRY(a_part_works_where_no_rack_can),
             MR_TEST_ENTRY(not_all_told_rest_as_wholes),
             MR_TEST_ENTRY(all_go_on_when_there_is_room))
