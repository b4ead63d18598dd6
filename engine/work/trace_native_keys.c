/* SPDX-License-Identifier: Apache-2.0 */
/* The lists of the header as tables. */
#include "engine/work/trace_native_keys.h"

#define ROW(name, key, kinds, doc) {key, kinds, doc},
static const struct mr_trace_native_key header[] = {MR_NATIVE_HEADER_LIST(ROW)};
static const struct mr_trace_native_key session[] = {MR_NATIVE_SESSION_LIST(ROW)};
static const struct mr_trace_native_key node[] = {MR_NATIVE_NODE_LIST(ROW)};
static const struct mr_trace_native_key hint[] = {MR_NATIVE_HINT_LIST(ROW)};
#undef ROW

#define N(a) (sizeof(a) / sizeof *(a))

static const struct mr_trace_native_part parts[] = {
    {"header", "The first line.", header, N(header)},
    {"session", "Every line after it.", session, N(session)},
    {"node", "Members of nodes: calls, tools, pauses, reads of long-term memory.", node, N(node)},
    {"hints", "Members of a call's hints.", hint, N(hint)},
};

const struct mr_trace_native_part *mr_trace_native_part(size_t i)
{
    return i < N(parts) ? &parts[i] : NULL;
}
