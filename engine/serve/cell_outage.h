/* SPDX-License-Identifier: Apache-2.0 */
/* Instances that stop, drain, slow down and come back, at any time. Seats are numbered as hosts of
 * the network between the pools: the instances that decode, then those that read prompts.
 *
 *   down   it stops at once. The step in flight is lost, its KV memory and prefix cache too; what
 *          its calls have made so far counts as delivered. They go back to the router, prompt :=
 *          prompt + made, and read all of it again wherever they come to. What is on its way to it
 *          or from it is lost as well.
 *   drain  it takes no more calls and goes on with those it has.
 *   slow   another clock of its packages, from the middle of a step on.
 *   up     it takes calls again, empty after `down`, as it was after `drain`.
 *
 * While no instance is open calls wait for the first that is, in the order they came; nothing is
 * lost. All of it costs what is lost, not what runs elsewhere; the answer is the same with leaps
 * and with steps. Times as for mr_cell_arrive: the cell has been played up to then. */
#ifndef MR_ENGINE_SERVE_CELL_OUTAGE_H
#define MR_ENGINE_SERVE_CELL_OUTAGE_H

#include "engine/serve/cell.h"

/** A call that has left its instance (handover.h) does so in vain: it reads its prompt again. */
void mr_cell_forget(struct mr_call *call);

/* ---- seats of a cell ---- */

MR_CHECKED mr_status mr_cell_down(struct mr_cell *cell, uint32_t seat, double now_s,
                                  struct mr_err *err);
void mr_cell_drain(struct mr_cell *cell, uint32_t seat, double now_s);

/** @param[in] phi above 0, at most 1: clock over the full clock */
void mr_cell_slow(struct mr_cell *cell, uint32_t seat, double phi, double now_s);

/** It is not down any more, but takes no calls yet: drained, and empty. */
void mr_cell_boot(struct mr_cell *cell, uint32_t seat, double now_s);
MR_CHECKED mr_status mr_cell_up(struct mr_cell *cell, uint32_t seat, double now_s,
                                struct mr_err *err);

/** Has it no calls? A drained one then is done. */
bool mr_cell_is_empty(const struct mr_cell *cell, uint32_t seat);

uint32_t mr_cell_n_seat(const struct mr_cell *cell);
struct mr_instance *mr_cell_instance(const struct mr_cell *cell, uint32_t seat);

/** Seconds a seat was down, up to now. */
double mr_cell_down_s(const struct mr_cell *cell, uint32_t seat, double now_s);

/* ---- calls that go to another cell ---- */

/* A call that waits while no instance of its cell is open. */
struct mr_cell_move {
    struct mr_call call;
    struct mr_ticket ticket;
};

/** Look at the i-th of n_parked, which leaves. All of them do, one after the other, then
 *  mr_cell_leave_done. Not calls with contexts: their sessions are of this cell. */
void mr_cell_leave(struct mr_cell *cell, size_t i, double now_s, struct mr_cell_move *move);
void mr_cell_leave_done(struct mr_cell *cell);

/** It comes, with the time it has waited. @param[in] move its ticket is alone, and names no blocks:
 *  nothing is cached of it here */
MR_CHECKED mr_status mr_cell_enter(struct mr_cell *cell, const struct mr_cell_move *move,
                                   double now_s, struct mr_err *err);

/* ---- for the cell and split.h ---- */

/** A call looks for an instance again. */
MR_CHECKED mr_status mr_cell_reroute(struct mr_cell *cell, uint32_t call, double now_s,
                                     struct mr_err *err);

#endif
