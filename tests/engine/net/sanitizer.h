/* SPDX-License-Identifier: Apache-2.0 */
/* SimGrid's assembly contexts and the sanitizers do not go together: such builds use threads. */
#ifndef MR_TESTS_ENGINE_NET_SANITIZER_H
#define MR_TESTS_ENGINE_NET_SANITIZER_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define UNDER_SANITIZER true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define UNDER_SANITIZER true
#endif
#endif
#ifndef UNDER_SANITIZER
#define UNDER_SANITIZER false
#endif

#endif
