/* SPDX-License-Identifier: Apache-2.0 */
/* Progress: when to speak, and what to say. */
#include "engine/cli/progress.h"

#include "engine/base/num.h"
#include "engine/base/wall.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    bar_width = 10
};

static const uint64_t second_ns = 1000000000u;

struct mr_progress_state mr_progress_nothing(void)
{
    const double unknown = (double)NAN; /* the macro is a float */
    return (struct mr_progress_state){0, unknown, unknown, unknown, unknown, unknown, NULL};
}

void mr_progress_init(struct mr_progress *p, bool is_on, bool is_tty, uint64_t now_ns)
{
    *p = (struct mr_progress){
        .is_on = is_on, .is_tty = is_tty, .start_ns = now_ns, .last_ns = now_ns};
}

static void add_number(struct mr_buf *out, double value, int digits, const char *unit)
{
    char text[MR_NUM_CAP];
    mr_num_format_human(value, digits, text);
    mr_buf_printf(out, "  %s%s", text, unit);
}

/* 1.9e6: no sign and no zeros in front of the exponent. */
static void add_rate(struct mr_buf *out, double value)
{
    char text[32];
    if (!(value >= 1))
        return;
    (void)snprintf(text, sizeof text, "%.1e", value);
    const char *power = strchr(text, 'e') + 1;
    while (*power == '+' || (*power == '0' && power[1] != '\0'))
        power++;
    mr_buf_printf(out, "  %.3se%s ev/s", text, power);
}

static void add_eta(struct mr_buf *out, double left_s)
{
    if (!(left_s < 359999.5)) /* 99:59:59 */
        return;
    const long s = lround(left_s);
    if (s >= 3600)
        mr_buf_printf(out, "  ETA %ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else
        mr_buf_printf(out, "  ETA %ld:%02ld", s / 60, s % 60);
}

void mr_progress_text(const struct mr_progress *p, const struct mr_progress_state *state,
                      uint64_t now_ns, struct mr_buf *out)
{
    const double done = fmin(fmax(state->done_frac, 0), 1);
    const int filled = (int)(done * bar_width);
    mr_buf_char(out, '[');
    for (int i = 0; i < bar_width; i++)
        mr_buf_char(out, i < filled ? '=' : i == filled ? '>' : ' ');
    mr_buf_printf(out, "] %d %%", (int)(done * 100));
    if (state->what != NULL)
        mr_buf_printf(out, "  %s", state->what);
    if (isfinite(state->sim_s) && isfinite(state->end_s))
        mr_buf_printf(out, "  sim %.0f/%.0f s", state->sim_s, state->end_s);
    else if (isfinite(state->sim_s))
        mr_buf_printf(out, "  sim %.0f s", state->sim_s);
    if (isfinite(state->events_per_s))
        add_rate(out, state->events_per_s);
    if (isfinite(state->real_time))
        add_number(out, state->real_time, 3, "x real time");
    if (isfinite(state->site_mw))
        add_number(out, state->site_mw, 4, " MW");
    const double elapsed_s = (double)(now_ns - p->start_ns) / (double)second_ns;
    if (done > 0)
        add_eta(out, elapsed_s * (1 - done) / done);
}

static int tenth_of(double done_frac)
{
    return (int)(fmin(fmax(done_frac, 0), 1) * 10);
}

/* Terminal: after 1 s, then every 0.2 s. Elsewhere: a new tenth and 60 s gone, both. */
bool mr_progress_is_due(const struct mr_progress *p, double done_frac, uint64_t now_ns)
{
    if (!p->is_on)
        return false;
    if (p->is_tty)
        return now_ns - p->start_ns >= second_ns &&
               (!p->has_drawn || now_ns - p->last_ns >= second_ns / 5);
    return tenth_of(done_frac) > p->last_tenth && now_ns - p->last_ns >= 60 * second_ns;
}

bool mr_progress_update(struct mr_progress *p, const struct mr_progress_state *state,
                        uint64_t now_ns, struct mr_buf *out)
{
    if (!mr_progress_is_due(p, state->done_frac, now_ns))
        return false;
    if (p->is_tty)
        mr_buf_text(out, "\r\033[K");
    mr_progress_text(p, state, now_ns, out);
    if (!p->is_tty)
        mr_buf_char(out, '\n');
    p->has_drawn = true;
    p->last_ns = now_ns;
    p->last_tenth = tenth_of(state->done_frac);
    return true;
}

void mr_progress_finish(struct mr_progress *p, struct mr_buf *out)
{
    if (p->has_drawn && p->is_tty)
        mr_buf_text(out, "\r\033[K");
    p->has_drawn = false;
}

static void put(struct mr_buf *text)
{
    if (text->n > 0)
        fputs(text->text, stderr);
    mr_buf_fini(text);
}

void mr_progress_show(struct mr_progress *p, const struct mr_progress_state *state)
{
    struct mr_buf text = {0};
    (void)mr_progress_update(p, state, mr_wall_ns(), &text);
    put(&text);
}

void mr_progress_clear(struct mr_progress *p)
{
    struct mr_buf text = {0};
    mr_progress_finish(p, &text);
    put(&text);
}
