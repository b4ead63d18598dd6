/* SPDX-License-Identifier: Apache-2.0 */
/* Limits that runs break (`violations` of a summary), in words. */
#ifndef MR_POSTPROCESS_BREACH_H
#define MR_POSTPROCESS_BREACH_H

/** "the ramp limit" of "power.ramp_violation"; what is not known: the kind itself. */
const char *mr_breach_words(const char *kind);

#endif
