#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# cppcheck over the product code; suppressions in tests/lint/cppcheck.txt, each with its reason.
#   sh tests/lint/cppcheck.sh BUILD_DIR
set -eu
cd "$(dirname "$0")/../.."
mkdir -p "$1/cppcheck"
exec cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr \
    --cppcheck-build-dir="$1/cppcheck" --suppressions-list=tests/lint/cppcheck.txt --error-exitcode=1 -j 2 \
    -D_POSIX_C_SOURCE=200809L -I . engine platforms models thermal power experiments postprocess
