#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Line coverage of the product code by the unit and command-line tests (needs gcovr).
set -eu
cd "$(dirname "$0")/.."
cmake --preset coverage >/dev/null
cmake --build --preset coverage
find build/coverage -name '*.gcda' -delete
ctest --preset coverage -j "$(nproc)" >build/coverage/ctest.log || { tail -n 20 build/coverage/ctest.log; exit 1; }
exec gcovr --root . --object-directory build/coverage --filter '(engine|platforms|models|thermal|power|postprocess|experiments)/' \
    --exclude-throw-branches --sort-percentage
