/* SPDX-License-Identifier: Apache-2.0 */
/* How long tools take that do not say so: lognormal durations by class, fitted to logs of coding
 * agents (213 runs). All tools together: mean 2.93 s, median 0.045 s; tests, python and builds are
 * three quarters of the time. No draw is longer than the longest that was seen. What share of it a
 * core is busy is an assumption. */
#ifndef MR_ENGINE_WORK_TOOL_CLASS_H
#define MR_ENGINE_WORK_TOOL_CLASS_H

#include "engine/base/text.h"

/* From the shortest median to the longest, so that a larger u is a longer class.
 * name in files, share of all tool calls, mu and sigma of ln(seconds), share of it on a core, is it
 * outside */
#define MR_TOOL_CLASS_LIST(X)                     \
    X("file", 0.487, -3.66, 0.98, 1.0, false)     \
    X("search", 0.098, -2.48, 1.86, 1.0, false)   \
    X("git", 0.078, -2.34, 1.89, 1.0, false)      \
    X("python", 0.135, 0.76, 1.89, 0.8, false)    \
    X("shell", 0.009, 0.87, 2.03, 0.8, false)     \
    X("build", 0.042, 1.19, 1.61, 0.8, false)     \
    X("test", 0.143, 1.21, 1.52, 0.8, false)      \
    X("web_fetch", 0.002, 2.12, 0.55, 0.0, true)  \
    X("web_search", 0.001, 2.25, 0.68, 0.0, true) \
    X("agent", 0.005, 3.81, 1.82, 0.1, false)

#define MR_TOOL_CLASS_LONGEST_S 362

struct mr_tool_class {
    const char *name;
    double share, mu, sigma, core_frac;
    bool is_outside;
};

/** By its name; of an unknown one, and of none, one that is drawn by the shares.
 *  @param[in] u in (0, 1) */
const struct mr_tool_class *mr_tool_class_of(struct mr_str name, double u);

/** A duration [s]. @param[in] u in (0, 1) */
double mr_tool_class_draw_s(const struct mr_tool_class *class, double u);

/** Rows of the table; NULL past the last. */
const struct mr_tool_class *mr_tool_class_at(size_t i);

#endif
