/* SPDX-License-Identifier: Apache-2.0 */
/* Signals that end a run: the first interrupt or termination asks it to end well, the second one
 * ends the process at once. Signals that the process was started to ignore stay ignored. */
#ifndef MR_ENGINE_CLI_STOP_H
#define MR_ENGINE_CLI_STOP_H

/** From now on. */
void mr_stop_listen(void);

/** Signal that asks to end; 0: none so far. For mr_play_options. */
int mr_stop_asked(void *context);

#endif
