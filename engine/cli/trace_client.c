/* SPDX-License-Identifier: Apache-2.0 */
/* Statistics of a client's files, as a table or as JSON of the same rows. */
#include "engine/cli/trace_client.h"

#include "engine/base/jsonw.h"
#include "engine/work/client.h"

#include <math.h>

struct figure {
    const char *name, *text;
    double value;
};

bool mr_trace_client_is(const char *path)
{
    return strcmp(path, "-") != 0 && (mr_client_is_windows(path) || mr_client_is_lengths(path));
}

static void tell(const char *format, const struct figure *figure, size_t n, bool as_json,
                 struct mr_buf *out)
{
    struct mr_jsonw w;
    if (!as_json) {
        mr_buf_printf(out, "%-16s %s\n", "format", format);
        for (size_t i = 0; i < n; i++)
            mr_buf_printf(out, "%-16s %14.10g  %s\n", figure[i].name, figure[i].value,
                          figure[i].text);
        return;
    }
    mr_jsonw_init(&w, out, 2);
    mr_jsonw_object(&w);
    mr_jsonw_key_text(&w, "format", format);
    for (size_t i = 0; i < n; i++)
        mr_jsonw_key_f64(&w, figure[i].name, figure[i].value);
    mr_jsonw_end(&w);
    mr_buf_char(out, '\n');
}

static void tell_windows(const struct mr_client *client, bool as_json, struct mr_buf *out)
{
    const struct mr_client_window *w = client->window;
    const size_t n = client->n_window;
    double n_kind[MR_CLIENT_N_GAPS] = {0}, most = 0, calls = 0;
    for (size_t i = 0; i < n; i++) {
        n_kind[w[i].gaps]++;
        most = fmax(most, w[i].rate_s);
        calls += w[i].rate_s * (w[i].end_s - w[i].start_s);
    }
    const struct figure figures[] = {
        {"windows", "of a rate each", (double)n},
        {"first_s", "s, begin of the first", w[0].start_s},
        {"end_s", "s, end of the last", w[n - 1].end_s},
        {"rate_mean", "calls per second over all of them", mr_client_rate_s(client)},
        {"rate_max", "calls per second in the busiest", most},
        {"calls", "expected in all", calls},
        {"gamma", "windows with gaps of a gamma distribution", n_kind[MR_CLIENT_GAMMA]},
        {"weibull", "windows with gaps of a Weibull distribution", n_kind[MR_CLIENT_WEIBULL]},
        {"no_gaps", "windows without a distribution of gaps", n_kind[MR_CLIENT_NONE]},
    };
    tell("servegen windows", figures, sizeof figures / sizeof *figures, as_json, out);
}

static void tell_lengths(const struct mr_client *client, bool as_json, struct mr_buf *out)
{
    const struct mr_client_lengths *l = client->lengths;
    const size_t n = client->n_lengths;
    double input = 0, output = 0, n_used = 0;
    uint32_t most_input = 0, most_output = 0;
    for (size_t i = 0; i < n; i++) {
        if (l[i].input.n == 0)
            continue;
        n_used++;
        input += l[i].input.mean_tok;
        output += l[i].output.mean_tok;
        const uint32_t in = l[i].input.tok[l[i].input.n - 1];
        const uint32_t out_tok = l[i].output.tok[l[i].output.n - 1];
        most_input = in > most_input ? in : most_input;
        most_output = out_tok > most_output ? out_tok : most_output;
    }
    const struct figure figures[] = {
        {"windows", "of two histograms each", (double)n},
        {"empty", "of them without calls", (double)n - n_used},
        {"first_s", "s, begin of the first", l[0].start_s},
        {"last_s", "s, begin of the last", l[n - 1].start_s},
        {"input_first", "tokens of an input, mean of the first window", l[0].input.mean_tok},
        {"output_first", "tokens of an output, mean of the first window", l[0].output.mean_tok},
        {"input_mean", "tokens of an input, mean of the windows", input / n_used},
        {"output_mean", "tokens of an output, mean of the windows", output / n_used},
        {"input_max", "tokens of the longest input", (double)most_input},
        {"output_max", "tokens of the longest output", (double)most_output},
    };
    tell("servegen lengths", figures, sizeof figures / sizeof *figures, as_json, out);
}

mr_status mr_trace_client_info(const char *path, bool as_json, struct mr_buf *out,
                               struct mr_err *err)
{
    struct mr_client client = {0};
    const bool has_windows = mr_client_is_windows(path);
    const mr_status st = has_windows ? mr_client_read_windows(&client, path, err)
                                     : mr_client_read_lengths(&client, path, err);
    if (st == MR_OK)
        (has_windows ? tell_windows : tell_lengths)(&client, as_json, out);
    mr_client_fini(&client);
    return st == MR_OK ? mr_buf_check(out, err) : st;
}
