#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every header of the house compiles alone, with gcc and with clang, and its include guard is its path.
#   sh tests/lint/headers.sh [ROOT]
set -eu
root=${1:-$(dirname "$0")/../..}
cd "$root"
status=0
for header in $(find engine platforms models thermal power experiments postprocess -name '*.h' | LC_ALL=C sort); do
    guard=MR_$(printf '%s' "$header" | tr 'a-z/.' 'A-Z__')
    if ! grep -q "^#ifndef $guard\$" "$header"; then
        echo "$header: error: include guard is not $guard"
        status=1
    fi
    for compiler in gcc clang-14; do
        if ! printf '#include "%s"\n' "$header" | "$compiler" -x c -std=c17 -D_POSIX_C_SOURCE=200809L -Wall \
            -Wextra -Wpedantic -Wstrict-prototypes -Werror -I . -fsyntax-only -; then
            echo "$header: error: does not compile alone with $compiler"
            status=1
        fi
    done
done
exit $status
