#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A researcher's first day: an experiment is checked, timed on one row, run (on Slurm where there is one, else here), merged, opened with
# xarray, and the row that looks odd is played again to the bit.
#   sh experiments/first-day-researcher.sh [MILLRACE [FOLDER]]
. "$(dirname "$0")/first-day.sh"

step "Is the experiment right? How long will it take?"
try millrace validate "$here/kv.experiment.xml"
try millrace sweep "$here/kv.experiment.xml" --dry-run

if command -v sbatch >/dev/null && sinfo -h >/dev/null 2>&1; then
    step "On Slurm: four tasks, then a merge that waits for them"
    submit=$(shipped slurm/submit.sh)
    jobs=$(MILLRACE="$millrace" sh "$submit" "$here/kv.experiment.xml" out --array=0-3)
    echo "jobs $jobs"
    while squeue -h -j "$(echo "$jobs" | tr ' ' ',')" 2>/dev/null | grep -q .; do sleep 1; done
else
    step "No Slurm here: the same on this machine, two rows at a time, in two parts, as two tasks would"
    try millrace sweep "$here/kv.experiment.xml" -d out -j 2 --shard 0/2
    try millrace sweep "$here/kv.experiment.xml" -d out -j 2 --shard 1/2 --resume
    try millrace merge out
fi
want "48 rows are done" [ "$(grep -c ',done,' out/status.csv)" = 48 ]

step "What came out: which factor matters, which configuration is best"
try millrace report out/sweep.h5 -o sweep.html

step "One file for the notebook"
python=
for p in python3 /usr/bin/python3; do
    [ -n "$python" ] || ! "$p" -c 'import xarray, netCDF4' 2>/dev/null || python=$p
done
if [ -n "$python" ]; then
    cat >look.py <<'P'
import xarray
kpi = xarray.open_dataset("out/sweep.h5", group="kpi")
hit = kpi["sessions.prefix_hit_frac"]
assert hit.size == 48 and not hit.isnull().any()
first = {}
for memory in "none", "host":
    own = kpi.where((kpi["kv.memory"] == memory).compute(), drop=True)
    by_blocks = own["sessions.prefix_hit_frac"].groupby(own["deployment.blocks"]).mean()
    print("share of the prompts found, by KV blocks, memory below HBM: %s" % memory)
    for blocks, share in zip(by_blocks["deployment.blocks"].values, by_blocks.values):
        print("  %6.0f  %.3f" % (blocks, share))
    first[memory] = by_blocks[0]
    assert by_blocks[-1] > 0.5
assert first["none"] < 0.5 < first["host"]
P
    try "$python" look.py
else
    echo "STEP LEFT OUT: python3-xarray and python3-netcdf4 are not installed"
fi

step "Row 00017 looks odd: once more, call by call"
try millrace run out/run_00017.h5 --record rack,requests --record-every '10 s' --requests odd.csv -o odd.h5
for table in histograms pools tiers; do
    "$millrace" export out/run_00017.h5 --table $table -o swept_$table.csv
    "$millrace" export odd.h5 --table $table -o again_$table.csv
    want "the row is repeated to the bit" cmp swept_$table.csv again_$table.csv
done
echo "$(($(wc -l <odd.csv) - 1)) calls, the same as in the sweep to the last bit"
