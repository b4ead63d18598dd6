#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# clang-format 14 with the committed profile over every C file; prints what it would change.
set -eu
root=${1:-$(dirname "$0")/../..}
cd "$root"
find engine platforms models thermal power experiments postprocess tests -name '*.[ch]' |
    LC_ALL=C sort | xargs clang-format-14 --dry-run --Werror
