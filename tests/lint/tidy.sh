#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# clang-tidy 14 over every product file of the compile database of BUILD_DIR (profile: .clang-tidy).
#   sh tests/lint/tidy.sh BUILD_DIR [deep]
#
# The analyzer behind it walks the paths of a function either shallowly (small callees inlined, 75,000 nodes of
# its graph) or deeply: ten times as long, half of the suite's time, so only in its long form. The suite has
# gcc's analyzer and cppcheck beside it.
# One file per process: the analyzer of clang 14 keeps the names it looks for from the first file of a
# process to the last, and finds them in the wrong functions there, or not, as the allocator has it.
set -eu
build=$1
depth=${2:-shallow}
cd "$(dirname "$0")/../.."
find engine platforms models thermal power experiments postprocess -name '*.c' | LC_ALL=C sort |
    xargs -P "$(nproc)" -n 1 clang-tidy-14 --quiet -p "$build" --warnings-as-errors='*' \
        --extra-arg=-Wno-unknown-warning-option --extra-arg=-Xclang --extra-arg=-analyzer-config \
        --extra-arg=-Xclang --extra-arg="mode=$depth" 2>/dev/null
