/* SPDX-License-Identifier: Apache-2.0 */
/* power/stage: the table against published efficiencies, known answers of whole chains, the inverse
 * of the law, planes of measurement. */
#include "power/stage.h"

#include "engine/base/rng.h"
#include "platforms/site.h"
#include "tests/test.h"

static double efficiency(int kind, double load)
{
    const struct mr_stage stage = mr_stage_of(kind, 1000);
    return mr_stage_efficiency(&stage, 1, 1000 * load);
}

MR_TEST(table_gives_published_efficiencies)
{
    static const struct {
        int kind;
        double at_10, at_50, at_100;
    } row[] = {
        {MR_STAGE_SUB_63, .9962, .9977, .9965},  {MR_STAGE_SUB_160, .9960, .9980, .9971},
        {MR_STAGE_UNIT, .9894, .9945, .9921},    {MR_STAGE_UPS, .9203, .9650, .9600},
        {MR_STAGE_UPS_ECO, .9716, .9901, .9916}, {MR_STAGE_BUSWAY, .9995, .9975, .9950},
        {MR_STAGE_SHELF, .9489, .9751, .9662},   {MR_STAGE_BRICK, .9501, .9779, .9748},
        {MR_STAGE_VRM, .8614, .9202, .9001},     {MR_STAGE_SST, .9624, .9850, .9833},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        mr_assert_near(efficiency(row[i].kind, 0.1), row[i].at_10, 0, 6e-5);
        mr_assert_near(efficiency(row[i].kind, 0.5), row[i].at_50, 0, 6e-5);
        mr_assert_near(efficiency(row[i].kind, 1), row[i].at_100, 0, 6e-5);
    }
    /* 63 MVA at full load: 22 kW of iron and 0.32 % of copper */
    const struct mr_stage sub = mr_stage_of(MR_STAGE_SUB_63, 63e6);
    mr_assert_near(mr_stage_loss_w(&sub, 1, 63e6) / 63e6, 0.0035492, 0, 5e-8);
}

/* What the site's sizing assumes at full load is this table. */
MR_TEST(sizing_agrees_with_the_table)
{
    static const struct {
        int site, stage;
    } pair[] = {
        {MR_SITE_POWER_SUBSTATION, MR_STAGE_SUB_63}, {MR_SITE_POWER_UNIT, MR_STAGE_UNIT},
        {MR_SITE_POWER_UPS, MR_STAGE_UPS},           {MR_SITE_POWER_UPS_ECO, MR_STAGE_UPS_ECO},
        {MR_SITE_POWER_BUSWAY, MR_STAGE_BUSWAY},     {MR_SITE_POWER_RPP, MR_STAGE_BUSWAY},
        {MR_SITE_POWER_SST, MR_STAGE_SST},           {MR_SITE_POWER_SIDECAR, MR_STAGE_SST},
        {MR_SITE_POWER_RECTIFIER, MR_STAGE_SST},     {MR_SITE_POWER_LV, MR_STAGE_NONE}};
    for (size_t i = 0; i < sizeof pair / sizeof *pair; i++) {
        const struct mr_stage_info *info = mr_stage_info(pair[i].stage);
        const struct mr_site_loss loss = mr_site_power_loss(pair[i].site, 63e6);
        assert_true(loss.standing == info->a0 && loss.linear == info->a1 &&
                    loss.square == info->a2);
        mr_assert_near(efficiency(pair[i].stage, 1), mr_site_power_efficiency(pair[i].site), 1e-12,
                       0);
    }
    for (double w = 5e6; w < 400e6; w *= 1.01) { /* grid transformers */
        const struct mr_stage_info *info = mr_stage_info(mr_stage_transformer(w));
        const struct mr_site_loss loss = mr_site_power_loss(MR_SITE_POWER_SUBSTATION, w);
        assert_true(loss.standing == info->a0 && loss.square == info->a2);
    }
}

/* Each stage delivers what the next takes; all of the same rating. */
static double chain_efficiency(const int *kind, int n, double load)
{
    double w = 1000 * load;
    for (int i = 0; i < n; i++) {
        const struct mr_stage stage = mr_stage_of(kind[i], 1000);
        w += mr_stage_loss_w(&stage, 1, w);
    }
    return 1000 * load / w;
}

MR_TEST(whole_chains)
{
    const int ac[] = {MR_STAGE_BRICK, MR_STAGE_BUSBAR, MR_STAGE_SHELF, MR_STAGE_BUSWAY,
                      MR_STAGE_UPS,   MR_STAGE_UNIT,   MR_STAGE_SUB_63};
    const int eco[] = {MR_STAGE_BRICK,   MR_STAGE_BUSBAR, MR_STAGE_SHELF, MR_STAGE_BUSWAY,
                       MR_STAGE_UPS_ECO, MR_STAGE_UNIT,   MR_STAGE_SUB_63};
    const int dc[] = {MR_STAGE_BRICK, MR_STAGE_BUSWAY, MR_STAGE_SST, MR_STAGE_SUB_63};
    mr_assert_near(chain_efficiency(ac, 7, 0.5), 0.90900, 0, 5e-6);
    mr_assert_near(chain_efficiency(ac, 7, 0.8), 0.89619, 0, 5e-6);
    mr_assert_near(chain_efficiency(eco, 7, 0.5), 0.93282, 0, 5e-6);
    mr_assert_near(chain_efficiency(eco, 7, 0.8), 0.92348, 0, 5e-6);
    mr_assert_near(chain_efficiency(dc, 4, 0.5), 0.95851, 0, 5e-6);
    mr_assert_near(chain_efficiency(dc, 4, 0.8), 0.95454, 0, 5e-6);
}

/* Frontier as an open model has it: converters of (P + 13) / 0.98 per node, rectifiers of
 * (P + 17) / 0.96 per four nodes and a switch; 74 racks of 32 rectifiers, 25 CDUs. */
static double frontier_w(double cpu_w, double gpu_w, double *loss_w)
{
    const struct mr_stage converter = mr_stage_affine(13, 0.98, (double)INFINITY);
    const struct mr_stage rectifier = mr_stage_affine(17, 0.96, (double)INFINITY);
    const double node_w = cpu_w + 4 * gpu_w + 74.26 + 4 * 20 + 30;
    const double converter_w = mr_stage_loss_w(&converter, 1, node_w);
    const double bus_w = 4 * (node_w + converter_w) + 250;
    const double rectifier_w = mr_stage_loss_w(&rectifier, 1, bus_w);
    const double n = 74 * 8 * 4;
    *loss_w = n * (4 * converter_w + rectifier_w);
    return n * (bus_w + rectifier_w) + 25 * 8473.47;
}

MR_TEST(affine_stages_rebuild_a_published_machine)
{
    double loss_w = 0;
    mr_assert_near(frontier_w(90, 88, &loss_w), 7306523.824830, 1e-12, 0);
    mr_assert_near(loss_w, 570752.35, 0, 0.005);
    mr_assert_near(frontier_w(280, 560, &loss_w), 28227884.369048, 1e-12, 0);
    mr_assert_near(loss_w, 1809296.90, 0, 0.005);
    const struct mr_stage rectifier = mr_stage_affine(17, 0.96, (double)INFINITY);
    mr_assert_near(1000 + mr_stage_loss_w(&rectifier, 1, 1000), 1017 / 0.96, 1e-15, 0);
}

MR_TEST(output_is_the_inverse_of_input)
{
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 1);
    for (int i = 0; i < 20000; i++) {
        const int kind = (int)mr_rng_below(&rng, MR_N_STAGE);
        const struct mr_stage stage =
            i % 7 == 0 ? mr_stage_affine(mr_rng_range(&rng, 0, 20), mr_rng_range(&rng, 0.8, 1), 1e4)
                       : mr_stage_of(kind, 1e4);
        const double n = (double)(1 + mr_rng_below(&rng, 5));
        const double out_w = mr_rng_range(&rng, 0, 2.5e4) * n;
        const double loss_w = mr_stage_loss_w(&stage, n, out_w);
        mr_assert_near(mr_stage_output_w(&stage, n, out_w + loss_w), out_w, 1e-12, 1e-9);
        /* backwards the same is lost, n units lose what n times one does at its share */
        assert_true(mr_stage_loss_w(&stage, n, -out_w) == loss_w);
        mr_assert_near(loss_w, n * mr_stage_loss_w(&stage, 1, out_w / n), 1e-13, 1e-12);
        /* the slope bounds the change below the point */
        const double less_w = out_w * mr_rng_f64(&rng);
        if (out_w < mr_stage_clip * 1e4 * n)
            assert_true(loss_w - mr_stage_loss_w(&stage, n, less_w) <=
                        mr_stage_slope(&stage, n, out_w) * (out_w - less_w) * (1 + 1e-12) + 1e-9);
    }
    const struct mr_stage ups = mr_stage_of(MR_STAGE_UPS, 1000);
    assert_true(mr_stage_output_w(&ups, 1, 7) == 0); /* less than the standing loss */
    assert_true(mr_stage_loss_w(&ups, 0, 500) == 0 && mr_stage_output_w(&ups, 0, 500) == 0);
    assert_true(mr_stage_loss_w(&ups, 1, 1600) == mr_stage_loss_w(&ups, 1, 5000));
    assert_true(mr_stage_slope(&ups, 1, 1700) == 0);
    assert_true(mr_stage_efficiency(&ups, 1, 0) == 0);
}

MR_TEST(nearest_transformer)
{
    assert_int_equal(mr_stage_transformer(10e6), MR_STAGE_SUB_25);
    assert_int_equal(mr_stage_transformer(40e6), MR_STAGE_SUB_40);
    assert_int_equal(mr_stage_transformer(63e6), MR_STAGE_SUB_63);
    assert_int_equal(mr_stage_transformer(80e6), MR_STAGE_SUB_63);
    assert_int_equal(mr_stage_transformer(160e6), MR_STAGE_SUB_160);
}

static void refused(const int *kind, size_t n, int plane, const char *text)
{
    struct mr_err err = {0};
    assert_int_equal(mr_stage_check(kind, n, plane, "package \"gb300\"", MR_NOWHERE, &err),
                     MR_RANGE);
    mr_assert_contains(err.text, text);
}

MR_TEST(nothing_is_counted_twice)
{
    const int whole[] = {MR_STAGE_VRM,   MR_STAGE_BRICK,  MR_STAGE_BUSBAR,
                         MR_STAGE_SHELF, MR_STAGE_BUSWAY, MR_STAGE_UPS,
                         MR_STAGE_UNIT,  MR_STAGE_SUB_63, MR_STAGE_SUB_160};
    struct mr_err err = {0};
    const struct mr_place at = MR_NOWHERE;
    assert_int_equal(mr_stage_check(whole, 9, MR_PLANE_CORE, "x", at, &err), MR_OK);
    assert_int_equal(mr_stage_check(whole + 1, 8, MR_PLANE_MODULE, "x", at, &err), MR_OK);
    assert_int_equal(mr_stage_check(whole + 4, 5, MR_PLANE_SHELF, "x", at, &err), MR_OK);
    assert_int_equal(mr_stage_check(whole, 0, MR_PLANE_METER, "x", at, &err), MR_OK);
    refused(whole, 9, MR_PLANE_MODULE,
            "stage vrm: package \"gb300\" already includes it (power_plane=module)");
    refused(whole + 1, 8, MR_PLANE_SHELF, "stage brick: package \"gb300\" already includes it");
    refused(whole + 8, 1, MR_PLANE_METER, "(power_plane=meter)");
    const int twice[] = {MR_STAGE_SHELF, MR_STAGE_SHELF};
    refused(twice, 2, MR_PLANE_MODULE, "stage shelf: stands twice behind package \"gb300\"");
    const int turned[] = {MR_STAGE_UPS, MR_STAGE_SHELF};
    refused(turned, 2, MR_PLANE_MODULE, "stage shelf: stands on the grid's side of ups");
}

MR_TEST_MAIN(MR_TEST_ENTRY(table_gives_published_efficiencies),
             MR_TEST_ENTRY(sizing_agrees_with_the_table), MR_TEST_ENTRY(whole_chains),
             MR_TEST_ENTRY(affine_stages_rebuild_a_published_machine),
             MR_TEST_ENTRY(output_is_the_inverse_of_input), MR_TEST_ENTRY(nearest_transformer),
             MR_TEST_ENTRY(nothing_is_counted_twice))
