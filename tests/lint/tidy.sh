#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# clang-tidy 14 over every product file of the compile database of BUILD_DIR (profile: .clang-tidy).
#   sh tests/lint/tidy.sh BUILD_DIR
#
# One file per process: the analyzer of clang 14 keeps the names it looks for from the first file of a
# process to the last, and finds them in the wrong functions there, or not, as the allocator has it.
set -eu
build=$1
cd "$(dirname "$0")/../.."
find engine platforms models thermal power experiments postprocess -name '*.c' | LC_ALL=C sort |
    xargs -P "$(nproc)" -n 1 clang-tidy-14 --quiet -p "$build" --warnings-as-errors='*' \
        --extra-arg=-Wno-unknown-warning-option 2>/dev/null
