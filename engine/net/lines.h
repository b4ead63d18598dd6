/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of instances: what an instance sends, and what it receives, at once is no faster than its
 * line. Transfers are slots; each crosses the line out of its sender and the line into its
 * receiver, and max-min shares them: the line with the least share for each of its transfers
 * settles theirs, then the next one among what is left. Between two changes of who moves, rates
 * stand still, so that ends are exact.
 *
 * Instances of one host have lines of their own, which the host's links do not know: this stands
 * beside the platform. A change costs O(transfers + lines) for each level of shares. */
#ifndef MR_ENGINE_NET_LINES_H
#define MR_ENGINE_NET_LINES_H

#include "engine/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mr_lines_line {
    double bytes_s;      /* payload; INFINITY: no limit */
    double room_bytes_s; /* while settling: not given away yet, to so many transfers */
    uint32_t n_open;
};

struct mr_lines_move {
    uint32_t line[2]; /* out of the sender, into the receiver */
    bool is_on, is_open;
    double left_bytes, rate_bytes_s, end_s;
};

struct mr_lines {
    double now_s;
    bool is_settled;
    struct mr_lines_line *line; /* by 2 number, 2 number + 1 */
    size_t n_line, cap_line;
    struct mr_lines_move *move; /* by slot */
    size_t n_move, cap_move;
    uint32_t *on; /* slots that move */
    size_t n_on, cap_on;
};

void mr_lines_fini(struct mr_lines *lines);

/** Room for a transfer. @param[in] number of the sender and of the receiver, 0: no line
 *  @param[in] bytes_s payload, of both lines */
MR_CHECKED mr_status mr_lines_reserve(struct mr_lines *lines, uint32_t slot,
                                      const uint32_t number[2], const double bytes_s[2],
                                      struct mr_err *err);

/** Times do not run backwards, nor past mr_lines_next_s. */
void mr_lines_admit(struct mr_lines *lines, uint32_t slot, double bytes, double now_s);
/** Nothing, if it has passed already. */
void mr_lines_remove(struct mr_lines *lines, uint32_t slot, double now_s);

/** When the next one has passed; INFINITY: nothing moves. */
double mr_lines_next_s(struct mr_lines *lines);

/** Take one that has passed by now. @return false: none */
bool mr_lines_take(struct mr_lines *lines, double now_s, uint32_t *slot);

#endif
