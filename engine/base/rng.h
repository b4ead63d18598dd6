/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers without a state that anybody shares: Philox4x32-10 (Salmon et al. 2011), a
 * function from (seed, purpose, entity, position) to 64 bits. One stream per purpose and entity, so
 * that a draw in one place never shifts another; any position of a stream is reached in O(1). */
#ifndef MR_ENGINE_BASE_RNG_H
#define MR_ENGINE_BASE_RNG_H

#include <stdint.h>

/* What a stream is for. Append only: the value is part of every result's identity. */
#define MR_RNG_PURPOSE_LIST(X)                           \
    X(TEST, 0, "tests and benchmarks")                   \
    X(ARRIVAL, 1, "arrival times of calls and sessions") \
    X(LENGTH, 2, "token counts")                         \
    X(ROUTER, 3, "random choices of routers")            \
    X(TOOL, 4, "tool classes, durations, errors")        \
    X(FAILURE, 5, "failure and repair times")            \
    X(WEATHER, 6, "noise on weather")                    \
    X(SPREAD, 7, "manufacturing spread of packages")     \
    X(SWEEP, 8, "Latin hypercubes of experiments")       \
    X(SESSION, 9, "shape of synthetic sessions")         \
    X(ACCEPT, 10, "acceptance of speculated tokens")     \
    X(RESERVOIR, 11, "rows kept of recorded tables")

enum mr_rng_purpose {
#define MR_RNG_PURPOSE_ENUM(name, value, doc) MR_RNG_##name = (value),
    MR_RNG_PURPOSE_LIST(MR_RNG_PURPOSE_ENUM)
#undef MR_RNG_PURPOSE_ENUM
};

/* One stream; copy it to read the same numbers twice. */
struct mr_rng {
    uint64_t seed, entity;
    uint32_t purpose;
    uint32_t n_left; /* numbers still in `ready` */
    uint64_t block;  /* next block of two numbers, below 2^32 */
    uint64_t ready[2];
};

/** The stream of an entity. @param[in] purpose enum mr_rng_purpose */
struct mr_rng mr_rng_stream(uint64_t seed, uint32_t purpose, uint64_t entity);

/** Number `i` of the stream that mr_rng_stream starts, without a stream. i < 2^33 */
uint64_t mr_rng_u64_at(uint64_t seed, uint32_t purpose, uint64_t entity, uint64_t i);

/** Go to number i of the stream. */
void mr_rng_seek(struct mr_rng *rng, uint64_t i);

/* Each draw takes one number of the stream but for mr_rng_below and mr_rng_gamma, which may take
 * more. */
uint64_t mr_rng_u64(struct mr_rng *rng);
double mr_rng_f64(struct mr_rng *rng);  /* [0, 1), 53 bits */
double mr_rng_open(struct mr_rng *rng); /* (0, 1), 52 bits: for logarithms */

/** Unbiased whole number in [0, n). @param[in] n > 0 */
uint64_t mr_rng_below(struct mr_rng *rng, uint64_t n);

double mr_rng_range(struct mr_rng *rng, double low, double high); /* [low, high) */
double mr_rng_exponential(struct mr_rng *rng, double mean);
double mr_rng_normal(struct mr_rng *rng); /* mean 0, deviation 1 */

/** exp(mu + sigma * normal), parameters of the natural logarithm. */
double mr_rng_lognormal(struct mr_rng *rng, double mu, double sigma);

/** Mean shape * scale. @param[in] shape > 0 */
double mr_rng_gamma(struct mr_rng *rng, double shape, double scale);

/** scale * (-log(1 - u))^(1/shape). @param[in] shape > 0 */
double mr_rng_weibull(struct mr_rng *rng, double shape, double scale);

/** Quantile of the normal distribution, 0 < p < 1 (Wichura 1988, AS 241: 1e-16 relative). */
double mr_rng_normal_quantile(double p);

/** The ten rounds of Philox4x32 themselves. */
void mr_rng_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

#endif
