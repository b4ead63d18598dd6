#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What does a sweep cost beyond its runs? So many tiny rows by millrace sweep, and the same command lines by xargs, on so many processes;
# prints seconds of the wall and of the processors, and by how much the sweep's are more. On a busy machine only the latter mean something.
#   sh experiments/sweep-overhead.sh [MILLRACE [ROWS [PROCESSES]]]
set -eu
millrace=${1:-${MILLRACE:-millrace}}
millrace=$(command -v "$millrace")
case $millrace in /*) ;; *) millrace=$PWD/$millrace ;; esac
rows=${2:-1000}
jobs=${3:-1}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
cat >tiny.scenario.xml <<'X'
<scenario name="tiny" until="20 s">
 <deployment gpu="h100_sxm" llm="Llama-3.1-8B" instances="2"/>
 <workload rate="20 req/s" input="500 tok" output="100 tok"/>
</scenario>
X
cat >tiny.experiment.xml <<X
<experiment name="tiny" scenario="tiny.scenario.xml"><seeds count="$rows"/></experiment>
X
# Wall, and processor time of all children so far.
look() { date +%s.%N >"$1"; times >>"$1"; }
mkdir bare
look 0
seq 1 "$rows" | xargs -P "$jobs" -I{} "$millrace" run -q -f -o bare/run_{}.h5 --record-every '1 s' --set scenario/seed={} -- tiny.scenario.xml >/dev/null
look 1
"$millrace" sweep tiny.experiment.xml -d swept -j "$jobs" -q >/dev/null
look 2
[ "$(ls bare | wc -l)" = "$rows" ] && [ "$(ls swept | grep -c 'h5$')" = "$rows" ] || { echo "rows are missing" >&2; exit 1; }
cat 0 1 2 | awk -v n="$rows" -v j="$jobs" '
    BEGIN { k = 0 }
    function seconds(text) { split(text, part, "m"); return 60 * part[1] + part[2] }
    NR % 3 == 1 { wall[k] = $1 }
    NR % 3 == 0 { cpu[k++] = seconds($1) + seconds($2) }
    END {
        printf "%d rows, %d at a time\n", n, j
        print_line("wall", wall[1] - wall[0], wall[2] - wall[1])
        print_line("processors", cpu[1] - cpu[0], cpu[2] - cpu[1])
    }
    function print_line(what, bare, sweep) {
        printf "%-12s runs alone %8.2f s   swept %8.2f s   %+.1f %%\n", what, bare, sweep, 100 * (sweep / bare - 1)
    }'
