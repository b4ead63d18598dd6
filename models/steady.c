/* SPDX-License-Identifier: Apache-2.0 */
/* Fixed points by plain iteration: the number of decodes settles within a few rounds, for both
 * times grow with it more slowly than it does. */
#include "models/steady.h"

#include <math.h>

enum {
    n_round = 12
};

static const double tokens_max = 2e7; /* of a request: a prompt is priced chunk by chunk */

/* A prompt goes through in chunks; each is a step of its own when nothing else runs. */
static double prefill_s(const struct mr_step_setup *setup, double input, double cached)
{
    const double chunk_max = (double)setup->software->chunk_tokens;
    const double window = (double)mr_llm_window(setup->llm);
    double time_s = 0, done = cached;
    while (done < input) {
        struct mr_step_terms terms;
        const double chunk = fmin(chunk_max, input - done);
        const struct mr_batch batch = {.chunk_tokens = chunk,
                                       .chunk_pairs = chunk * (done + chunk / 2),
                                       .chunk_window_pairs =
                                           mr_step_window_pairs(done, chunk, window),
                                       .chunk_kv_tokens = done + chunk,
                                       .n_prompt_end = done + chunk >= input};
        mr_step_terms(setup, &batch, 1, &terms);
        time_s += terms.time_s;
        done += chunk;
    }
    return time_s;
}

/* Time that a prompt takes of an instance which always has some waiting: as many as a step holds go
 * through it together, and read the weights once. */
static double full_prefill_s(const struct mr_step_setup *setup, double input, double cached)
{
    const double chunk = input - cached, window = (double)mr_llm_window(setup->llm);
    const double n = floor((double)setup->software->chunk_tokens / chunk);
    if (!(n >= 2) || !(chunk > 0))
        return prefill_s(setup, input, cached);
    struct mr_step_terms terms;
    const struct mr_batch batch = {.chunk_tokens = n * chunk,
                                   .chunk_pairs = n * chunk * (cached + chunk / 2),
                                   .chunk_window_pairs =
                                       n * mr_step_window_pairs(cached, chunk, window),
                                   .chunk_kv_tokens = n * input,
                                   .n_prompt_end = n};
    mr_step_terms(setup, &batch, 1, &terms);
    return terms.time_s / n;
}

/* The way of a prompt's last part behind the first: later stages wait for it. */
static double fill_s(const struct mr_step_setup *setup, double input, double cached)
{
    const double pp = setup->parallel.pp;
    const double last = fmin((double)setup->software->chunk_tokens, input - cached);
    if (pp <= 1 || !(last > 0))
        return 0;
    return (pp - 1) / pp * prefill_s(setup, input, input - last);
}

/* One step of n decodes half way through their outputs, per token it gives. */
static double decode_s(const struct mr_step_setup *setup, double n,
                       const struct mr_steady_load *load)
{
    const double context = load->input + load->output / 2;
    const double window = (double)mr_llm_window(setup->llm);
    const struct mr_batch batch = {.n_decode = n,
                                   .kv_tokens = n * context,
                                   .window_kv_tokens = window > 0 ? n * fmin(context, window) : 0};
    struct mr_step_terms terms;
    mr_step_terms(setup, &batch, 1, &terms);
    return terms.time_s / mr_step_accepted(setup);
}

static mr_status fit(const struct mr_step_setup *setup, const struct mr_steady_load *load,
                     double n_request, double *n_fit, struct mr_err *err)
{
    struct mr_memory memory;
    if (!(load->input + load->output <= tokens_max))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "a request of %g tokens, at most %g",
                          load->input + load->output, tokens_max);
    MR_TRY(mr_memory_of(setup, n_request, load->n_block, &memory, err));
    const double tokens = (double)memory.n_block * (double)memory.block_tokens;
    *n_fit = fmax(1, floor(tokens / (load->input + load->output)));
    if (load->n_sequence_max > 0)
        *n_fit = fmin(*n_fit, load->n_sequence_max);
    return MR_OK;
}

/* What a prompt takes before and beside its products. */
static double start_s(const struct mr_step_setup *setup)
{
    const struct mr_software_card *software = setup->software;
    return software->prefill_start_s + software->prefill_layer_s * (double)setup->llm->n_layer;
}

/* Mean wait of an arrival for the prompts before it: a queue of constant service (M/D/1). */
static double queue_s(double service_s, double load)
{
    const double rho = fmin(load, 0.98);
    return service_s * rho / (2 * (1 - rho));
}

int mr_steady_protocol_find(struct mr_str name)
{
    static const char *const names[] = {
#define NAME(name, text, doc) text,
        MR_STEADY_PROTOCOL_LIST(NAME)
#undef NAME
    };
    for (int i = 0; i < MR_STEADY_PROTOCOLS; i++)
        if (mr_str_is(name, names[i]))
            return i;
    return -1;
}

/* Mean wait of a first token for the prompts of `others` requests: by chance, and because equal
 * requests of a closed loop stay in step. In a burst all stand before or behind: half on average.
 */
static double wait_s(const struct mr_software_card *software, const struct mr_steady_load *load,
                     double service_s, double cycle_s, double others)
{
    if (load->protocol == MR_STEADY_PROTOCOL_BURST)
        return service_s * fmax(others, 0) / 2;
    const double in_step = load->protocol == MR_STEADY_PROTOCOL_POISSON ? 0 : software->burst;
    return queue_s(service_s, (others + 1) * service_s / cycle_s) +
           in_step * service_s * fmax(others, 0) / 2;
}

mr_status mr_steady_mixed(const struct mr_step_setup *setup, const struct mr_steady_load *load,
                          struct mr_steady *out, struct mr_err *err)
{
    const struct mr_software_card *software = setup->software;
    *out = (struct mr_steady){0};
    MR_TRY(mr_step_check(setup, err));
    MR_TRY(fit(setup, load, load->n_request, &out->n_fit, err));
    const double n_run = fmin(load->n_request, out->n_fit);
    const double prompt_s = prefill_s(setup, load->input, load->cached);
    /* in a mixed step the host and the launches are paid once, by the decodes */
    const double fixed_s = software->host_s + software->layer_s * (double)setup->llm->n_layer;
    const double added_s = fmax(prompt_s - fixed_s, 0) * software->mixed_prefill;
    double n = n_run;
    for (int i = 0; i < n_round; i++) {
        out->decode_s = decode_s(setup, fmax(n, 1), load);
        out->tpot_s = out->decode_s + added_s * (n_run - 1) / load->output;
        const double decoding_s = load->output * out->tpot_s;
        n = n_run * decoding_s / (decoding_s + prompt_s);
    }
    const double cycle_s = load->output * out->tpot_s + prompt_s;
    out->prefill_s = prompt_s;
    out->n_decode = n;
    out->ttft_s = start_s(setup) + fill_s(setup, load->input, load->cached) +
                  out->decode_s * mr_step_accepted(setup) + prompt_s +
                  wait_s(software, load, added_s, cycle_s, n_run - 1);
    /* those that do not fit wait for their turn */
    out->ttft_s += (load->n_request - n_run) / n_run * cycle_s;
    return MR_OK;
}

mr_status mr_steady_split(const struct mr_steady_split *split, const struct mr_steady_load *load,
                          struct mr_steady *out, struct mr_err *err)
{
    const struct mr_software_card *software = split->decode->software;
    *out = (struct mr_steady){0};
    MR_TRY(mr_step_check(split->prefill, err));
    MR_TRY(mr_step_check(split->decode, err));
    const double each = load->n_request / split->n_decode;
    MR_TRY(fit(split->decode, load, each, &out->n_fit, err));
    const double n_run = fmin(each, out->n_fit);
    out->prefill_s = prefill_s(split->prefill, load->input, load->cached);
    const double full_s = full_prefill_s(split->prefill, load->input, load->cached);
    double n = n_run;
    for (int i = 0; i < n_round; i++) {
        out->decode_s = decode_s(split->decode, fmax(n, 1), load) * software->disaggregated;
        out->tpot_s = out->decode_s;
        /* a request is either decoding or at a prefill instance, which may be the bottleneck */
        const double decoding_s = load->output * out->tpot_s;
        const double rate =
            fmin(load->n_request / (decoding_s + out->prefill_s), split->n_prefill / full_s);
        n = fmin(n_run, rate * decoding_s / split->n_decode);
    }
    const double cycle_s = load->output * out->tpot_s + out->prefill_s;
    const double per_prefill = load->n_request / split->n_prefill;
    out->n_decode = n;
    out->ttft_s = start_s(split->prefill) + fill_s(split->prefill, load->input, load->cached) +
                  out->prefill_s + out->decode_s +
                  wait_s(software, load, out->prefill_s, cycle_s, per_prefill - 1);
    out->ttft_s += (each - n_run) / n_run * cycle_s;
    return MR_OK;
}
