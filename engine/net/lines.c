/* SPDX-License-Identifier: Apache-2.0 */
/* Line 0 and line 1 are those of nobody: they have no limit. */
#include "engine/net/lines.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"

#include <math.h>

void mr_lines_fini(struct mr_lines *lines)
{
    mr_free(lines->line);
    mr_free(lines->move);
    mr_free(lines->on);
    *lines = (struct mr_lines){0};
}

mr_status mr_lines_reserve(struct mr_lines *lines, uint32_t slot, const uint32_t number[2],
                           const double bytes_s[2], struct mr_err *err)
{
    const size_t n_move = (size_t)slot + 1;
    const size_t n_line = 2 * (size_t)(number[0] > number[1] ? number[0] : number[1]) + 2;
    MR_TRY(mr_grow(&lines->move, &lines->cap_move, n_move, sizeof *lines->move, err));
    MR_TRY(mr_grow(&lines->on, &lines->cap_on, n_move, sizeof *lines->on, err));
    MR_TRY(mr_grow(&lines->line, &lines->cap_line, n_line, sizeof *lines->line, err));
    while (lines->n_move < n_move)
        lines->move[lines->n_move++] = (struct mr_lines_move){.is_on = false};
    while (lines->n_line < n_line)
        lines->line[lines->n_line++] = (struct mr_lines_line){.bytes_s = (double)INFINITY};
    for (uint32_t end = 0; end < 2; end++) {
        const uint32_t line = 2 * number[end] + end;
        MR_ASSERT(number[end] == 0 || bytes_s[end] > 0);
        if (number[end] > 0)
            lines->line[line].bytes_s = bytes_s[end];
        lines->move[slot].line[end] = line;
    }
    return MR_OK;
}

/* What has passed since then. */
static void go_on(struct mr_lines *lines, double now_s)
{
    MR_ASSERT(now_s >= lines->now_s);
    for (size_t i = 0; i < lines->n_on && now_s > lines->now_s; i++) {
        struct mr_lines_move *move = &lines->move[lines->on[i]];
        move->left_bytes = fmax(0, move->left_bytes - move->rate_bytes_s * (now_s - lines->now_s));
    }
    lines->now_s = now_s;
}

static void open_all(struct mr_lines *lines)
{
    for (size_t i = 0; i < lines->n_line; i++) {
        lines->line[i].room_bytes_s = lines->line[i].bytes_s;
        lines->line[i].n_open = 0;
    }
    for (size_t i = 0; i < lines->n_on; i++) {
        struct mr_lines_move *move = &lines->move[lines->on[i]];
        move->is_open = true;
        for (int end = 0; end < 2; end++)
            lines->line[move->line[end]].n_open++;
    }
}

static double share(const struct mr_lines_line *line)
{
    return line->n_open > 0 ? line->room_bytes_s / line->n_open : (double)INFINITY;
}

static double least_share(const struct mr_lines *lines)
{
    double least = (double)INFINITY;
    for (size_t i = 0; i < lines->n_line; i++)
        least = fmin(least, share(&lines->line[i]));
    return least;
}

static void settle_one(struct mr_lines *lines, struct mr_lines_move *move, double rate_bytes_s)
{
    move->is_open = false;
    move->rate_bytes_s = rate_bytes_s;
    move->end_s =
        isinf(rate_bytes_s) ? lines->now_s : lines->now_s + move->left_bytes / rate_bytes_s;
    for (int end = 0; end < 2; end++) {
        struct mr_lines_line *line = &lines->line[move->line[end]];
        line->n_open--;
        if (!isinf(line->room_bytes_s))
            line->room_bytes_s = fmax(0, line->room_bytes_s - rate_bytes_s);
    }
}

/* Shares that rounding alone keeps apart are one level. */
static void settle(struct mr_lines *lines)
{
    static const double hair = 1 + 1e-12;
    open_all(lines);
    for (size_t n_open = lines->n_on; n_open > 0;) {
        const double least = least_share(lines);
        for (size_t i = 0; i < lines->n_on; i++) {
            struct mr_lines_move *move = &lines->move[lines->on[i]];
            if (move->is_open && fmin(share(&lines->line[move->line[0]]),
                                      share(&lines->line[move->line[1]])) <= least * hair) {
                settle_one(lines, move, least);
                n_open--;
            }
        }
    }
    lines->is_settled = true;
}

void mr_lines_admit(struct mr_lines *lines, uint32_t slot, double bytes, double now_s)
{
    go_on(lines, now_s);
    lines->move[slot].is_on = true;
    lines->move[slot].left_bytes = bytes;
    lines->move[slot].rate_bytes_s = 0;
    lines->on[lines->n_on++] = slot;
    lines->is_settled = false;
}

static void take_off(struct mr_lines *lines, size_t i)
{
    lines->move[lines->on[i]].is_on = false;
    lines->on[i] = lines->on[--lines->n_on];
    lines->is_settled = false;
}

void mr_lines_remove(struct mr_lines *lines, uint32_t slot, double now_s)
{
    go_on(lines, now_s);
    for (size_t i = 0; i < lines->n_on; i++)
        if (lines->on[i] == slot)
            take_off(lines, i--);
}

double mr_lines_next_s(struct mr_lines *lines)
{
    double next_s = (double)INFINITY;
    if (!lines->is_settled)
        settle(lines);
    for (size_t i = 0; i < lines->n_on; i++)
        next_s = fmin(next_s, lines->move[lines->on[i]].end_s);
    return next_s;
}

bool mr_lines_take(struct mr_lines *lines, double now_s, uint32_t *slot)
{
    if (lines->n_on == 0)
        return false;
    /* the ends of who has passed hold until the last of them is taken */
    if (lines->now_s < now_s && !lines->is_settled)
        settle(lines);
    go_on(lines, now_s);
    for (size_t i = 0; i < lines->n_on; i++) {
        const struct mr_lines_move *move = &lines->move[lines->on[i]];
        if (move->rate_bytes_s > 0 && move->end_s <= now_s) {
            *slot = lines->on[i];
            take_off(lines, i);
            return true;
        }
    }
    return false;
}
