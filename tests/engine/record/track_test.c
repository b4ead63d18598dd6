/* SPDX-License-Identifier: Apache-2.0 */
/* engine/record/track: what was between the rows of a series; rows under flushes at any moment. */
#include "engine/record/track.h"

#include "engine/base/rng.h"
#include "tests/engine/record/h5.h"

#include <math.h>
#include <unistd.h>

#define N_OF(table) (sizeof(table) / sizeof *(table))

/* A row before any look; looks of 1 s, 2 s and 1 s, a row; a row without a look; one look, a row.
 * Two entities, of which the second is not there for some time: NaN is no extreme, and no mean. A
 * value that stays keeps its bits. */
MR_TEST(looks_make_means_and_extremes)
{
#define POWER(name_, over_)                                                                \
    {                                                                                      \
        .name = (name_), .units = "W", .long_name = "Power", .type = MR_CHANNEL_F64, over_ \
    }
    static const struct mr_channel channel[] = {
        POWER("mean_w", MR_CHANNEL_OVER_MEAN), POWER("max_w", MR_CHANNEL_OVER_MAX),
        POWER("now_w", .cell_methods = "time: point"), POWER("min_w", MR_CHANNEL_OVER_MIN)};
#undef POWER
    static const struct {
        double lasts_s; /* 0: a row */
        double value[2];
    } step[] = {{0, {6, 3}},           {1, {4, 0.1}}, {2, {7, 0.1}},        {1, {2, 0.1}},
                {0, {5, 9}},           {0, {8, 9}},   {3, {9, 1}},          {0, {8, 2}},
                {1, {1, (double)NAN}}, {1, {3, 5}},   {0, {2, (double)NAN}}};
    static const struct {
        double mean[2], max[2], now[2], min[2];
    } want[] = {{{6, 3}, {6, 3}, {6, 3}, {6, 3}},
                {{5, 0.1}, {7, 0.1}, {5, 9}, {2, 0.1}},
                {{2, 0.1}, {2, 0.1}, {8, 9}, {2, 0.1}},
                {{9, 1}, {9, 1}, {8, 2}, {9, 1}},
                {{2, (double)NAN}, {3, 5}, {2, (double)NAN}, {1, 5}}};
    const struct mr_runfile_options options = mr_runfile_options_default();
    const struct mr_track_plan plan = {.group = "/racks",
                                       .axis = "rack",
                                       .axis_name = "Racks",
                                       .n_entity = 2,
                                       .interval_s = 4,
                                       .channel = channel,
                                       .n_channel = N_OF(channel)};
    struct mr_runfile *file;
    struct mr_track *track;
    struct mr_err err = {0};
    double t_s = 0;
    must(mr_runfile_create(mr_test_tmp_path("looks.h5"), &options, &file, &err), &err);
    must(mr_track_create(file, &plan, &track, &err), &err);
    must(mr_runfile_start(file, &err), &err);
    for (size_t i = 0; i < N_OF(step); i++) {
        const double *v = step[i].value;
        if (step[i].lasts_s > 0)
            mr_track_look(track, step[i].lasts_s, (const void *const[]){v, v, NULL, v});
        else
            must(mr_track_row(track, t_s++, (const void *const[]){v, v, v, v}, &err), &err);
    }
    must(mr_runfile_finish(file, MR_RUNFILE_COMPLETE, "", &err), &err);
    mr_runfile_destroy(file);
    const hid_t h5 = h5_open(mr_test_tmp_path("looks.h5"), H5F_ACC_RDONLY);
    for (size_t c = 0; c < N_OF(channel); c++) {
        char name[64];
        size_t n;
        snprintf(name, sizeof name, "/racks/%s", channel[c].name);
        assert_string_equal(h5_attr(h5, name, "cell_methods"), channel[c].cell_methods);
        double *got = h5_f64(h5, name, &n);
        assert_int_equal(n, 2 * N_OF(want));
        for (size_t i = 0; i < n; i++) {
            const double *of[] = {want[i / 2].mean, want[i / 2].max, want[i / 2].now,
                                  want[i / 2].min};
            assert_true(memcmp(&got[i], &of[c][i % 2], sizeof got[i]) == 0 ||
                        (isnan(got[i]) && isnan(of[c][i % 2])));
        }
        free(got);
    }
    H5Fclose(h5);
    assert_int_equal(mr_test_live_allocations(), 0);
}

enum {
    n_noise_track = 12,
    n_noise_row = 29,
    n_noise_seed = 12
};

static double noise_of(uint64_t seed, size_t k)
{
    struct mr_rng rng = mr_rng_stream(seed, MR_RNG_RESERVOIR, k);
    return mr_rng_f64(&rng);
}

/* Short series of one to twelve entities that do not pack, flushed after rows as the seed says (0:
 * never), then arrays of the sizes of their chunks. */
static void write_noise(const char *path, uint64_t seed, uint64_t flushes)
{
    static const struct mr_channel power = {
        .name = "power_w", .units = "W", .long_name = "Power", .type = MR_CHANNEL_F32_OF_F64};
    static const struct mr_channel fixed = {
        .name = "fixed_w", .units = "W", .long_name = "Power", .type = MR_CHANNEL_F64};
    static char group[n_noise_track][16];
    struct mr_runfile_options options = mr_runfile_options_default();
    struct mr_track *track[n_noise_track];
    struct mr_runfile *file;
    struct mr_err err = {0};
    double value[n_noise_track];
    options.guess_s = noise_of(seed, 1) * n_noise_row;
    options.flush_s = 3600;
    must(mr_runfile_create(path, &options, &file, &err), &err);
    for (size_t i = 0; i < n_noise_track; i++) {
        snprintf(group[i], sizeof group[i], "/g%zu", i);
        const struct mr_track_plan plan = {.group = group[i],
                                           .axis = "rack",
                                           .axis_name = "Racks",
                                           .n_entity = i + 1,
                                           .interval_s = 1,
                                           .channel = &power,
                                           .n_channel = 1};
        must(mr_track_create(file, &plan, &track[i], &err), &err);
    }
    must(mr_runfile_start(file, &err), &err);
    for (size_t row = 0; row < n_noise_row; row++) {
        for (size_t i = 0; i < n_noise_track; i++) {
            for (size_t k = 0; k <= i; k++)
                value[k] = noise_of(seed, 1000 * row + 20 * i + k + 2);
            must(mr_track_row(track[i], (double)row, (const void *const[]){value}, &err), &err);
        }
        if (flushes > 0 && noise_of(flushes, row) < 0.7)
            must(mr_runfile_flush(file, &err), &err);
    }
    must(mr_runfile_stop(file, &err), &err);
    for (size_t i = 0; i < n_noise_track; i++) {
        static const double zero[n_noise_track] = {0};
        const struct mr_runfile_array array = {
            .group = group[i], .channel = &fixed, .axis = {"rack"}, .n = {i + 1}, .values = zero};
        must(mr_runfile_put(file, &array, &err), &err);
    }
    must(mr_runfile_finish(file, MR_RUNFILE_COMPLETE, "", &err), &err);
    mr_runfile_destroy(file);
}

MR_TEST(flushes_change_no_value)
{
    for (uint64_t seed = 1; seed <= n_noise_seed; seed++) {
        write_noise(mr_test_tmp_path("noise.h5"), seed, seed);
        const hid_t h5 = h5_open(mr_test_tmp_path("noise.h5"), H5F_ACC_RDONLY);
        for (size_t i = 0; i < n_noise_track; i++) {
            char name[32];
            size_t n;
            snprintf(name, sizeof name, "/g%zu/power_w", i);
            double *x = h5_f64(h5, name, &n);
            assert_int_equal(n, n_noise_row * (i + 1));
            for (size_t k = 0; k < n; k++)
                assert_true(x[k] == (double)(float)noise_of(seed, 1000 * (k / (i + 1)) + 20 * i +
                                                                      k % (i + 1) + 2));
            free(x);
        }
        H5Fclose(h5);
        assert_int_equal(unlink(mr_test_tmp_path("noise.h5")), 0);
    }
}

MR_TEST_MAIN(MR_TEST_ENTRY(looks_make_means_and_extremes), MR_TEST_ENTRY(flushes_change_no_value))
