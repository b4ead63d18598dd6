/* SPDX-License-Identifier: Apache-2.0 */
/* What a cell will touch in a window, brought near the processor before it is played. A cell is
 * megabytes of lines of which a window touches some thousands, each once: fetched one after the
 * other, when they are needed, they would take longer than all the rest. No effect on results. */
#ifndef MR_ENGINE_SERVE_WARM_H
#define MR_ENGINE_SERVE_WARM_H

#include "engine/clock/event.h"
#include "engine/serve/cell.h"
#include "engine/work/player.h"

/** @param[in] until_s end of the window: calls that end before it are likely to be touched
 *  @param[in] wake [n] events whose entities are sessions that call in it */
void mr_warm_cell(const struct mr_cell *cell, double until_s, const struct mr_event *wake,
                  size_t n);

/** The instances of a cell, at the beginning of a window. */
void mr_warm_instances(const struct mr_cell *cell);

/** Calls and sessions of a cell whose calls are those of a player, for a part of an open window,
 *  because what a whole one touches is more than a processor keeps near.
 *  @return when to ask again */
double mr_warm_player(const struct mr_cell *cell, const struct mr_player *player, double now_s);

#endif
