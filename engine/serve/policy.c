/* SPDX-License-Identifier: Apache-2.0 */
/* The list of policies. */
#include "engine/serve/policy.h"

#include <stddef.h>

static const struct mr_policy *const policies[] = {
    &mr_policy_vllm1, &mr_policy_sarathi, &mr_policy_vllm0, &mr_policy_orca, &mr_policy_static};

enum {
    n_policy = sizeof policies / sizeof policies[0]
};

const struct mr_policy *mr_policy_at(size_t i)
{
    return i < n_policy ? policies[i] : NULL;
}
