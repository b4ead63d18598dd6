/* SPDX-License-Identifier: Apache-2.0 */
/* Philox4x32-10 and the draws made of it. Counter = (block, purpose, entity), key = seed.
 * Distributions use engine/base/fmath.h only, so that a draw has the same bits everywhere. */
#include "engine/base/rng.h"

#include "engine/base/assert.h"
#include "engine/base/fmath.h"

#include <math.h>

void mr_rng_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        const uint64_t p0 = UINT64_C(0xD2511F53) * c0, p1 = UINT64_C(0xCD9E8D57) * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u; /* golden ratio */
        k1 += 0xBB67AE85u; /* sqrt(3) - 1 */
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

static void block_of(uint64_t seed, uint32_t purpose, uint64_t entity, uint64_t block,
                     uint64_t out[2])
{
    const uint32_t counter[4] = {(uint32_t)block, purpose, (uint32_t)entity,
                                 (uint32_t)(entity >> 32)};
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    uint32_t word[4];
    MR_ASSERT(block >> 32 == 0);
    mr_rng_philox(counter, key, word);
    out[0] = (uint64_t)word[1] << 32 | word[0];
    out[1] = (uint64_t)word[3] << 32 | word[2];
}

struct mr_rng mr_rng_stream(uint64_t seed, uint32_t purpose, uint64_t entity)
{
    return (struct mr_rng){.seed = seed, .entity = entity, .purpose = purpose};
}

uint64_t mr_rng_u64_at(uint64_t seed, uint32_t purpose, uint64_t entity, uint64_t i)
{
    uint64_t pair[2];
    block_of(seed, purpose, entity, i / 2, pair);
    return pair[i % 2];
}

void mr_rng_seek(struct mr_rng *rng, uint64_t i)
{
    rng->block = i / 2;
    rng->n_left = 0;
    if (i % 2 != 0)
        (void)mr_rng_u64(rng);
}

uint64_t mr_rng_u64(struct mr_rng *rng)
{
    if (rng->n_left == 0) {
        block_of(rng->seed, rng->purpose, rng->entity, rng->block++, rng->ready);
        rng->n_left = 2;
    }
    return rng->ready[2 - rng->n_left--];
}

double mr_rng_f64(struct mr_rng *rng)
{
    return (double)(mr_rng_u64(rng) >> 11) * 0x1p-53;
}

double mr_rng_open(struct mr_rng *rng)
{
    return ((double)(mr_rng_u64(rng) >> 12) + 0.5) * 0x1p-52;
}

/* Lemire 2019: the high word of a product, rejecting the few low words that would be biased. */
uint64_t mr_rng_below(struct mr_rng *rng, uint64_t n)
{
    __extension__ typedef unsigned __int128 u128;
    MR_ASSERT(n > 0);
    u128 product = (u128)mr_rng_u64(rng) * n;
    if ((uint64_t)product < n) {
        const uint64_t biased = (0 - n) % n;
        while ((uint64_t)product < biased)
            product = (u128)mr_rng_u64(rng) * n;
    }
    return (uint64_t)(product >> 64);
}

double mr_rng_range(struct mr_rng *rng, double low, double high)
{
    const double x = low + (high - low) * mr_rng_f64(rng);
    return x < high ? x : low; /* rounding may reach `high` */
}

double mr_rng_exponential(struct mr_rng *rng, double mean)
{
    return -mean * mr_log(mr_rng_open(rng));
}

double mr_rng_normal(struct mr_rng *rng)
{
    return mr_rng_normal_quantile(mr_rng_open(rng));
}

double mr_rng_lognormal(struct mr_rng *rng, double mu, double sigma)
{
    return mr_exp(mu + sigma * mr_rng_normal(rng));
}

/* Marsaglia and Tsang 2000; shapes below 1 by the power of one more uniform. */
double mr_rng_gamma(struct mr_rng *rng, double shape, double scale)
{
    MR_ASSERT(shape > 0);
    if (shape < 1) {
        const double power = mr_pow(mr_rng_open(rng), 1 / shape);
        return mr_rng_gamma(rng, shape + 1, scale) * power;
    }
    const double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        const double x = mr_rng_normal(rng), t = 1 + c * x, v = t * t * t;
        if (v <= 0)
            continue;
        const double u = mr_rng_open(rng);
        if (mr_log(u) < 0.5 * x * x + d - d * v + d * mr_log(v))
            return scale * d * v;
    }
}

double mr_rng_weibull(struct mr_rng *rng, double shape, double scale)
{
    MR_ASSERT(shape > 0);
    return scale * mr_pow(-mr_log(mr_rng_open(rng)), 1 / shape);
}

/* num[0] + num[1] x + ... over 1 + den[0] x + ... */
static double ratio(const double num[8], const double den[7], double x)
{
    double a = num[7], b = den[6];
    for (int i = 6; i >= 0; i--)
        a = a * x + num[i];
    for (int i = 5; i >= 0; i--)
        b = b * x + den[i];
    return a / (b * x + 1);
}

double mr_rng_normal_quantile(double p)
{
    /* rational fits of AS 241 (PPND16): center, flank, far tail */
    static const double a[8] = {3.3871328727963666080e0, 1.3314166789178437745e2,
                                1.9715909503065514427e3, 1.3731693765509461125e4,
                                4.5921953931549871457e4, 6.7265770927008700853e4,
                                3.3430575583588128105e4, 2.5090809287301226727e3},
                        b[7] = {4.2313330701600911252e1, 6.8718700749205790830e2,
                                5.3941960214247511077e3, 2.1213794301586595867e4,
                                3.9307895800092710610e4, 2.8729085735721942674e4,
                                5.2264952788528545610e3};
    static const double c[8] = {1.42343711074968357734e0,  4.63033784615654529590e0,
                                5.76949722146069140550e0,  3.64784832476320460504e0,
                                1.27045825245236838258e0,  2.41780725177450611770e-1,
                                2.27238449892691845833e-2, 7.74545014278341407640e-4},
                        d[7] = {2.05319162663775882187e0,  1.67638483018380384940e0,
                                6.89767334985100004550e-1, 1.48103976427480074590e-1,
                                1.51986665636164571966e-2, 5.47593808499534494600e-4,
                                1.05075007164441684324e-9};
    static const double e[8] = {6.65790464350110377720e0,  5.46378491116411436990e0,
                                1.78482653991729133580e0,  2.96560571828504891230e-1,
                                2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                2.71155556874348757815e-5, 2.01033439929228813265e-7},
                        f[7] = {5.99832206555887937690e-1, 1.36929880922735805310e-1,
                                1.48753612908506148525e-2, 7.86869131145613259100e-4,
                                1.84631831751005468180e-5, 1.42151175831644588870e-7,
                                2.04426310338993978564e-15};
    const double q = p - 0.5;
    if (fabs(q) <= 0.425)
        return q * ratio(a, b, 0.180625 - q * q);
    const double r = sqrt(-mr_log(q < 0 ? p : 1 - p));
    const double x = r <= 5 ? ratio(c, d, r - 1.6) : ratio(e, f, r - 5);
    return q < 0 ? -x : x;
}
