/* SPDX-License-Identifier: Apache-2.0 */
/* A draw is one number u of the call's own stream: floor(n / g + u) has the mean n / g. Draft by
 * draft it is one number of that stream for each step, which makes more than k tokens when it is
 * below the chance of that; n tokens then take n / g steps and a bit, for the last one makes more
 * than is left. */
#include "engine/serve/accept.h"

#include "engine/base/num.h"
#include "engine/base/rng.h"

#include <math.h>
#include <string.h>

mr_status mr_accept_check(const struct mr_accept *accept, struct mr_err *err)
{
    if (!(accept->extra >= 0 && accept->extra <= (double)accept->n_draft))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "a step with %u drafts makes 1 to %u tokens of a call, not %g",
                          accept->n_draft, accept->n_draft + 1, 1 + accept->extra);
    return MR_OK;
}

static mr_status chance(double value, const char *text, struct mr_err *err)
{
    if (!(value >= 0 && value <= 1))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "accepted=\"%s\": %g is no chance of a draft (0 to 1)", text, value);
    return MR_OK;
}

/* What a text says: a mean, or chances. */
struct said {
    double mean;
    double *beyond; /* [n_draft] of chances; NULL: not wanted */
    bool is_mean;
};

static mr_status read_text(const char *text, uint32_t n_draft, struct said *said,
                           struct mr_err *err)
{
    uint32_t n = 0;
    double all = 1, sum = 1, first = 0;
    for (const char *at = text + strspn(text, " "); *at != '\0'; n++) {
        double value = 0;
        const size_t n_byte = mr_num_scan_f64(at, strlen(at), &value);
        if (n_byte == 0 || (at[n_byte] != ' ' && at[n_byte] != '\0'))
            return mr_err_set(err, MR_PARSE, MR_NOWHERE,
                              "accepted=\"%s\": expected mean tokens of a step, or a chance for "
                              "each draft with spaces between",
                              text);
        at += n_byte + strspn(at + n_byte, " ");
        if (n == 0)
            first = value;
        if (n > 0 || *at != '\0' || !(value == 0 || value >= 1))
            MR_TRY(chance(value, text, err));
        all *= value;
        sum += all;
        if (said->beyond != NULL && n < n_draft)
            said->beyond[n] = all;
    }
    said->is_mean = n == 1 && (first == 0 || first >= 1);
    if (n != n_draft && !said->is_mean)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "accepted=\"%s\": %u chances for %u drafts: one for each", text, n,
                          n_draft);
    said->mean = said->is_mean ? first : sum;
    return MR_OK;
}

mr_status mr_accept_mean(const char *text, uint32_t n_draft, double *mean, struct mr_err *err)
{
    struct said said = {0};
    MR_TRY(read_text(text, n_draft, &said, err));
    *mean = said.mean;
    return MR_OK;
}

/* p + p^2 + ... + p^n */
static double sum_of(double p, uint32_t n, double *power)
{
    double all = 1, sum = 0;
    for (uint32_t k = 0; k < n; k++) {
        all *= p;
        power[k] = all;
        sum += all;
    }
    return sum;
}

mr_status mr_accept_chances(const char *text, struct mr_accept *accept, struct mr_err *err)
{
    struct said said = {.beyond = accept->beyond};
    double low = 0, high = 1;
    if (accept->n_draft > MR_ACCEPT_DRAFTS)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "%u drafts: at most %d", accept->n_draft,
                          MR_ACCEPT_DRAFTS);
    MR_TRY(read_text(text, accept->n_draft, &said, err));
    while (said.is_mean && high - low > 1e-15) {
        const double middle = (low + high) / 2;
        if (sum_of(middle, accept->n_draft, accept->beyond) < accept->extra)
            low = middle;
        else
            high = middle;
    }
    return MR_OK;
}

uint32_t mr_accept_most(const struct mr_accept *accept)
{
    return 1 + (uint32_t)ceil(accept->extra);
}

static uint32_t draft_by_draft(const struct mr_accept *accept, uint32_t number, uint32_t n_token)
{
    struct mr_rng rng = mr_rng_stream(accept->seed, MR_RNG_ACCEPT, number);
    uint32_t n_step = 0;
    for (uint64_t n_made = 0; n_made < n_token; n_step++) {
        const double luck = mr_rng_f64(&rng);
        uint32_t k = 0;
        while (k < accept->n_draft && luck < accept->beyond[k])
            k++;
        n_made += 1 + k;
    }
    return n_step;
}

uint32_t mr_accept_steps(const struct mr_accept *accept, uint32_t number, uint32_t n_token)
{
    if (accept->extra == 0 || n_token == 0)
        return n_token;
    if (accept->is_each)
        return draft_by_draft(accept, number, n_token);
    const double n_step = n_token / (1 + accept->extra);
    if (!accept->is_drawn)
        return (uint32_t)ceil(n_step);
    struct mr_rng rng = mr_rng_stream(accept->seed, MR_RNG_ACCEPT, number);
    const double drawn = floor(n_step + mr_rng_f64(&rng));
    return drawn > 1 ? (uint32_t)drawn : 1;
}

uint64_t mr_accept_within(const struct mr_accept *accept, uint64_t clock, uint64_t n_step,
                          uint64_t n_token)
{
    if (accept->extra == 0) /* most runs have no drafts, and ask at every leap */
        return n_token < n_step ? n_token : n_step;
    const uint64_t from = mr_accept_made(accept, clock);
    uint64_t k = (uint64_t)((double)n_token / (1 + accept->extra));
    k = k < n_step ? k : n_step;
    /* the root may be off by one through rounding: made() alone decides */
    while (k > 0 && mr_accept_made(accept, clock + k) - from > n_token)
        k--;
    while (k < n_step && mr_accept_made(accept, clock + k + 1) - from <= n_token)
        k++;
    return k;
}
