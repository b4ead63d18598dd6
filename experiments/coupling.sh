#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How much do answers depend on how often serving, heat and power speak? Each scenario at its own tick and at half of it; figures that move
# by more than coupling.tolerance.xml allows are told, and the exit code is 1. With -v every figure is printed.
#   sh experiments/coupling.sh [-v] [MILLRACE [SCENARIO...]]
set -eu
more=
[ "${1:-}" != -v ] || { more=-v; shift; }
here=$(cd "$(dirname "$0")" && pwd)
millrace=$(command -v "${1:-${MILLRACE:-millrace}}")
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || for f in "$here"/*.scenario.xml; do
    ! grep -q '<site ' "$f" || set -- "$@" "$f"
done
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
code=0
for f; do
    tick=$("$millrace" run "$f" --effective | sed -n 's/.*<twin [^>]*tick="\([^"]*\)".*/\1/p')
    half=$(echo "$tick" | awk '{ print $1 / 2, $2 }')
    "$millrace" run -q "$f" --json "$scratch/a.json" >/dev/null 2>&1
    "$millrace" run -q "$f" --set "twin/tick=$half" --json "$scratch/b.json" >/dev/null 2>&1
    if "$millrace" regress $more --baseline "$scratch/a.json" "$scratch/b.json" --tolerance "$here/coupling.tolerance.xml" \
        >"$scratch/table" 2>&1; then
        echo "$(basename "$f" .scenario.xml): $tick and $half agree"
        [ -z "$more" ] || cat "$scratch/table"
    else
        echo "$(basename "$f" .scenario.xml): $tick and $half differ"
        cat "$scratch/table"
        code=1
    fi
    rm -f "$scratch"/*.json
done
exit $code
