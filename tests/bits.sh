#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Same input, same bits: plays every shipped scenario, cut to what a sanitizer can stand, by the first
# program twice and by every other one once, and compares all they wrote: the summary without its
# wall times, a row for every call, and the series.
#   sh tests/bits.sh MILLRACE [MILLRACE...]
set -eu
[ $# -ge 1 ] || { echo "usage: bits.sh MILLRACE [MILLRACE...]" >&2; exit 2; }
scenarios=$(cd "$(dirname "$0")/../experiments" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
command -v h5diff >/dev/null || echo "note: h5diff is not installed: series are not compared" >&2
bad=0

# what a scenario is cut to: its events stay where they have some
cut_of() {
    case $1 in
    quickstart) echo "--until 20s" ;;
    agents_pod) echo "--until 40s" ;;
    heat-wave | curtailment) echo "--set workload/rate=5req/s" ;;
    cdu-failure) echo "--set workload/rate=20req/s" ;;
    kyber-* | oberon-*) echo "--until 3s --set workload/rate=1500req/s --set scenario/cell=100" ;;
    *) echo "--until 20s --set workload/rate=100req/s" ;;
    esac
}

# play PROGRAM SCENARIO OUT
play() {
    # shellcheck disable=SC2046 # words
    ASAN_OPTIONS=detect_leaks=0 "$1" run "$scenarios/$2.scenario.xml" -q --alone $(cut_of "$2") --json "$3.all" \
        --requests "$3.csv" -o "$3.h5" --record-every 10s >/dev/null
    grep -v '"\(wall_s\|requests_per_s\|ns_per_output_token\|real_time_factor\|rss_bytes\)"' "$3.all" >"$3.json"
}

same() { # same PROGRAM SCENARIO OUT
    for kind in json csv; do
        cmp "$scratch/$2.$kind" "$3.$kind" || bad=1
    done
    if command -v h5diff >/dev/null &&
        ! h5diff -q --exclude-path /provenance --exclude-path /kpi "$scratch/$2.h5" "$3.h5"; then
        echo "$2: $1 records something else" >&2
        bad=1
    fi
    rm -f "$3".*
}

first=$1
for path in "$scenarios"/*.scenario.xml; do
    name=$(basename "$path" .scenario.xml)
    play "$first" "$name" "$scratch/$name"
    for program in "$@"; do
        play "$program" "$name" "$scratch/other"
        same "$program" "$name" "$scratch/other"
    done
    rm -f "$scratch/$name.h5"
    printf '%s %s\n' "$(cat "$scratch/$name.json" "$scratch/$name.csv" | sha256sum | cut -c 1-16)" "$name"
done
exit $bad
