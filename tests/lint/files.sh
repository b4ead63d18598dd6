#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a reader may rely on in every C file: an SPDX line and a comment first, no more than 1500 lines
# (a warning above 900; headers 250), and none of the calls that would break determinism or go around
# our own doors. Each ban names its reason.
#   sh tests/lint/files.sh [ROOT]
set -eu
root=${1:-$(dirname "$0")/../..}
cd "$root"
status=0
# Sources stand in rooms, in C, and every test is built.
find . \( -path ./build -o -path ./.git -o -path './build-*' \) -prune -o -type f \
    \( -name '*.c' -o -name '*.h' -o -name '*.cc' -o -name '*.cpp' -o -name '*.cxx' -o -name '*.inc' \) -print |
    LC_ALL=C sort | awk '
    /\.(cc|cpp|cxx)$/ { print $0 ": error: not C"; bad = 1 }
    /\.inc$/ && !/^\.\/engine\/base\// { print $0 ": error: only engine/base has tables to include"; bad = 1 }
    !/^\.\/(engine|platforms|models|thermal|power|experiments|postprocess|tests)\// {
        print $0 ": error: in no room of the house"; bad = 1
    }
    END { exit bad }' || status=1
# Nothing that was built.
find . \( -path ./build -o -path ./.git -o -path './build-*' \) -prune -o -type f -print |
    xargs grep -l -a -m 1 "^$(printf '\177')ELF" 2>/dev/null | sed 's/$/: error: a built file/' |
    grep . && status=1
if [ -f tests/CMakeLists.txt ]; then
    for test in $(find tests -name '*_test.c' | LC_ALL=C sort); do
        path=${test#tests/}
        path=${path%_test.c}
        grep -q "mr_unit_test($path " tests/CMakeLists.txt ||
            { echo "$test: error: tests/CMakeLists.txt does not build it"; status=1; }
    done
fi
find engine platforms models thermal power experiments postprocess -name '*.[ch]' | LC_ALL=C sort |
    xargs awk '
    BEGIN {
        n = 0
        ban[++n] = "setlocale";           why[n] = "results may not depend on the locale"
        ban[n, "ok"] = "^$"
        ban[++n] = "(malloc|calloc|realloc|free|strdup)"; why[n] = "allocate through engine/base/mem.h"
        ban[n, "ok"] = "^engine/base/mem\\.c$"
        ban[++n] = "(strtod|strtof|atof|atoi|strtol|strtoul|strtoull|sscanf|scanf)"
        why[n] = "read numbers through engine/base/num.h"
        ban[n, "ok"] = "^$"
        ban[++n] = "(rand|srand|random|drand48)"; why[n] = "draw through engine/base/rng.h"
        ban[n, "ok"] = "^$"
        ban[++n] = "(gets|strcpy|strcat|sprintf|strtok)"; why[n] = "unbounded or stateful"
        ban[n, "ok"] = "^$"
        ban[++n] = "(exp|expm1|log|log1p|pow|sin|cos|tan|tgamma|lgamma)"
        why[n] = "libm differs between machines: engine/base/fmath.h"
        ban[n, "ok"] = "^engine/cli/bench"
        ban[++n] = "(abort|exit)";        why[n] = "return a status; assertions are MR_ASSERT"
        ban[n, "ok"] = "^engine/base/assert\\.c$"
        ban[++n] = "(time|clock|gettimeofday|clock_gettime)"
        why[n] = "wall time may not reach a result: engine/base/wall.h"
        ban[n, "ok"] = "^engine/base/wall\\.c$"
        n_ban = n
    }
    function complain(line, text) {
        printf "%s:%d: error: %s\n", FILENAME, line, text
        bad = 1
    }
    function finish() {
        if (name == "") return
        limit = name ~ /\.h$/ ? 250 : 1500
        if (lines > limit) {
            printf "%s: error: %d lines (limit %d): two topics?\n", name, lines, limit
            bad = 1
        } else if (lines > 900)
            printf "%s: warning: %d lines\n", name, lines
    }
    FNR == 1 {
        finish()
        name = FILENAME
        in_comment = 0
        if ($0 !~ /^\/\* SPDX-License-Identifier: Apache-2\.0 \*\/$/)
            complain(1, "first line is not the SPDX line")
    }
    FNR == 2 && $0 !~ /^\/\* / { complain(2, "second line does not begin the comment that says what this file does") }
    { lines = FNR }
    {
        code = $0
        gsub(/"([^"\\]|\\.)*"/, "\"\"", code)
        if (in_comment) {
            if (code !~ /\*\//) next
            sub(/^.*\*\//, "", code)
            in_comment = 0
        }
        gsub(/\/\*([^*]|\*[^\/])*\*\//, "", code)
        if (code ~ /\/\*/) { in_comment = 1; sub(/\/\*.*/, "", code) }
        sub(/\/\/.*/, "", code)
        for (i = 1; i <= n_ban; i++)
            if (code ~ ("(^|[^A-Za-z0-9_.>])" ban[i] "\\(") && FILENAME !~ ban[i, "ok"])
                complain(FNR, ban[i] ": " why[i])
        if ($0 ~ /(^|[^A-Za-z])(TODO|FIXME|XXX)([^A-Za-z]|$)/ && $0 !~ /TODO\([0-9]+\)/)
            complain(FNR, "TODO(issue-number) only")
    }
    END { finish(); exit bad }' || status=1
exit $status
