/* SPDX-License-Identifier: Apache-2.0 */
/* platforms/network: switches, ports and optics of layouts, counted by hand. */
#include "platforms/network.h"

#include "platforms/layout.h"
#include "tests/test.h"

static struct mr_network count(const char *fabric, int n_hall, int n_row)
{
    struct mr_diags diags = {0};
    struct mr_network network;
    struct mr_site *site;
    char text[1024];
    snprintf(text, sizeof text,
             "<layout name='n'><grid limit='99 MW'/>%s<hall count='%d'><row count='%d'>"
             "<rack card='vr_nvl72' count='4'/></row></hall></layout>",
             fabric, n_hall, n_row);
    assert_int_equal(mr_layout_load_text("n.xml", mr_str_of(text), &site, &diags), MR_OK);
    assert_int_equal(mr_network_of(site, &network, &diags), MR_OK);
    assert_int_equal(diags.n_item, 0);
    network.layer[0].card = network.layer[1].card = network.layer[2].card = NULL; /* lent */
    mr_site_destroy(site);
    return network;
}

static void expect(const struct mr_network_layer *layer, uint64_t n_switch, uint64_t n_down,
                   uint64_t n_up)
{
    if (layer->n_switch != n_switch || layer->n_down != n_down || layer->n_up != n_up)
        fail_msg("%llu switches, %llu down, %llu up", (unsigned long long)layer->n_switch,
                 (unsigned long long)layer->n_down, (unsigned long long)layer->n_up);
}

/* A row of four racks of 144 ports: 576 down, as many up, on switches of 128 ports: nine. Two rows:
 * 1,152 ports of spines of 512: three. Every cable has two ends of 1/2 x 9 W. */
MR_TEST(two_layers)
{
    const struct mr_network n =
        count("<fabric leaf='spectrum6_sn6810' spine='spectrum6_sn6800'/>", 1, 2);
    expect(&n.layer[MR_NETWORK_LEAF], 18, 1152, 1152);
    expect(&n.layer[MR_NETWORK_SPINE], 3, 1152, 0);
    expect(&n.layer[MR_NETWORK_CORE], 0, 0, 0);
    assert_int_equal(n.n_optic, 4608);
    mr_assert_near(n.optic_w, 4608 * 4.5, 1e-12, 0);
}

/* 2:1 over rows: 288 up, 864 in all on 128 ports: seven; with four rails eight. Over halls 4:1. */
MR_TEST(oversubscription_rails_and_halls)
{
    const char *const fabric =
        "<fabric leaf='spectrum6_sn6810' spine='spectrum6_sn6800' core='spectrum6_sn6800' "
        "row_oversubscription='2' hall_oversubscription='4' rails='4'/>";
    const struct mr_network n = count(fabric, 2, 2);
    expect(&n.layer[MR_NETWORK_LEAF], 4 * 8, 4 * 576, 4 * 288);
    expect(&n.layer[MR_NETWORK_SPINE], 2 * 2, 2 * 576, 2 * 144);
    expect(&n.layer[MR_NETWORK_CORE], 1, 288, 0);
}

/* 576 ports on switches of 64, pluggable: 1,152 ends of 15 W. */
MR_TEST(one_row_needs_no_spine)
{
    const struct mr_network n =
        count("<fabric leaf='spectrum4_sn5600' spine='spectrum4_sn5600'/>", 1, 1);
    expect(&n.layer[MR_NETWORK_LEAF], 9, 576, 0);
    expect(&n.layer[MR_NETWORK_SPINE], 0, 0, 0);
    mr_assert_near(n.optic_w, 1152 * 15.0, 1e-12, 0);
    mr_assert_near(n.layer[MR_NETWORK_LEAF].power_w, 9 * 940, 1e-12, 0);
}

MR_TEST(without_cards_nothing_is_counted)
{
    const struct mr_network n = count("", 1, 2);
    for (int i = 0; i < MR_NETWORK_LAYERS; i++)
        expect(&n.layer[i], 0, 0, 0);
    assert_int_equal(n.n_optic, 0);
}

MR_TEST_MAIN(MR_TEST_ENTRY(two_layers), MR_TEST_ENTRY(oversubscription_rails_and_halls),
             MR_TEST_ENTRY(one_row_needs_no_spine), MR_TEST_ENTRY(without_cards_nothing_is_counted))
