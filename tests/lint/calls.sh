#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Calls that go around our own doors, found where they cannot hide: in what objects leave undefined.
# files.sh bans the same names in sources, with line numbers.
#   sh tests/lint/calls.sh LIBRARY.a|OBJECT.o...
set -eu
[ $# -gt 0 ] || { echo "usage: calls.sh LIBRARY.a|OBJECT.o..." >&2; exit 2; }
status=0
for library in "$@"; do
    nm -A --undefined-only "$library" | awk '
        BEGIN {
            n = 0
            ban[++n] = "malloc calloc realloc reallocarray free aligned_alloc posix_memalign memalign valloc strdup strndup asprintf vasprintf"
            why[n] = "allocate through engine/base/mem.h"; ok[n] = "^(mem|platform)$" # platform: what SimGrid hands out
            ban[++n] = "exp exp2 exp10 expm1 log log2 log10 log1p pow sin cos tan sincos asin acos atan atan2 sinh cosh tanh asinh acosh atanh cbrt hypot tgamma lgamma erf erfc"
            why[n] = "libm differs between machines: engine/base/fmath.h"; ok[n] = "^bench_base$"
            ban[++n] = "strtod strtof strtold atof atoi atol strtol strtoul strtoll strtoull sscanf scanf fscanf __isoc99_sscanf"
            why[n] = "read numbers through engine/base/num.h"; ok[n] = "^$"
            ban[++n] = "rand srand random srandom drand48 lrand48 rand_r getrandom arc4random"
            why[n] = "draw through engine/base/rng.h"; ok[n] = "^$"
            ban[++n] = "time clock gettimeofday clock_gettime ftime"
            why[n] = "wall time may not reach a result: engine/base/wall.h"; ok[n] = "^wall$"
            ban[++n] = "setlocale newlocale uselocale"; why[n] = "results may not depend on the locale"; ok[n] = "^$"
            ban[++n] = "system popen"; why[n] = "starts a shell"; ok[n] = "^$"
            ban[++n] = "abort exit"; why[n] = "return a status; assertions are MR_ASSERT"; ok[n] = "^assert$"
            ban[++n] = "gets strcpy strcat sprintf vsprintf strtok"; why[n] = "unbounded or stateful"; ok[n] = "^$"
            for (i = 1; i <= n; i++) {
                m = split(ban[i], word, " ")
                for (k = 1; k <= m; k++)
                    of[word[k]] = i
            }
        }
        {
            object = substr($0, 1, index($0, ".c.o:") + 3)
            sub(/^.*[:\/]/, "", object)
            stem = object
            sub(/\.c\.o$/, "", stem)
            name = $NF
            sub(/@.*/, "", name)
            plain = name
            if (plain ~ /^__.*_chk$/) { sub(/^__/, "", plain); sub(/_chk$/, "", plain) }
            seen++
            if (plain in of && stem !~ ok[of[plain]]) {
                printf "%s: error: calls %s: %s\n", object, name, why[of[plain]]
                bad = 1
            }
        }
        END { exit bad }' || status=1
done
exit $status
