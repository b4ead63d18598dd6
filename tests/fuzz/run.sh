#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fuzz every parser for SECONDS each (default 60) with libFuzzer, ASan and UBSan, starting from the
# committed corpus. Findings land in build/fuzz/findings; the exit code says whether there are any.
#   sh tests/fuzz/run.sh [SECONDS [TARGET...]]
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-60}
[ $# -eq 0 ] || shift
MILLRACE_PATH=$PWD # grammars and cards
export MILLRACE_PATH
[ -f build/fuzz/build.ninja ] || cmake --preset fuzz >/dev/null
cmake --build --preset fuzz
findings=$PWD/build/fuzz/findings
mkdir -p "$findings"
[ $# -gt 0 ] || set -- $(cd tests/fuzz && ls ./*_fuzz.c | sed 's,^\./,,; s,_fuzz\.c$,,')
status=0
for target in "$@"; do
    grown=build/fuzz/corpus/$target
    mkdir -p "$grown"
    log=$findings/$target.log
    if build/fuzz/tests/fuzz/"fuzz_$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=4096 \
        -artifact_prefix="$findings/$target-" -print_final_stats=1 \
        "$grown" "tests/fuzz/corpus/$target" >"$log" 2>&1; then
        echo "fuzz $target: no finding, $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") runs"
    else
        echo "fuzz $target: FINDING"
        tail -n 40 "$log"
        status=1
    fi
done
exit $status
