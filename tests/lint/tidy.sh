#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# clang-tidy 14 over every product file of the compile database of BUILD_DIR (profile: .clang-tidy).
#   sh tests/lint/tidy.sh BUILD_DIR
set -eu
build=$1
cd "$(dirname "$0")/../.."
find engine platforms models thermal power experiments postprocess -name '*.c' | LC_ALL=C sort |
    xargs -P "$(nproc)" -n 4 clang-tidy-14 --quiet -p "$build" --warnings-as-errors='*' \
        --extra-arg=-Wno-unknown-warning-option 2>/dev/null
