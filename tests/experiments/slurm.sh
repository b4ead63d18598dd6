#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A sweep on Slurm from end to end: slurmctld and slurmd of our own on this machine (no systemd, no
# cgroups, nothing under /etc touched), four tasks, the sweep of one of them killed on the way, the merge
# that depends on them; then a task that an urgent job takes the machine from, and that comes back.
#   sh tests/experiments/slurm.sh MILLRACE
set -eu
MILLRACE=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
export MILLRACE
source=$(cd "$(dirname "$0")/../.." && pwd)
for tool in munged slurmctld slurmd sbatch scontrol squeue; do
    command -v "$tool" >/dev/null 2>&1 || { echo "SKIPPED: $tool is not installed (apt-get install slurm-wlm munge)"; exit 0; }
done
[ "$(id -u)" = 0 ] || { echo "SKIPPED: slurmd wants to be started by root"; exit 0; }

dir=$(mktemp -d /tmp/millrace-slurm-XXXXXX)
chmod 755 "$dir"
pids=""
finish() {
    scontrol shutdown >/dev/null 2>&1 || true
    for pid in $pids; do kill "$pid" 2>/dev/null || true; done
    for pid in $pids; do wait "$pid" 2>/dev/null || true; done
    rm -rf "$dir"
}
trap finish EXIT
fail() {
    echo "FAILED: $*" >&2
    { squeue; scontrol show job; } >&2 2>/dev/null || true
    tail -n 20 "$dir"/*.log "$dir"/slurm-*.out >&2 2>/dev/null || true
    exit 1
}
until_or() { # until_or SECONDS WHAT COMMAND...
    left=$(($1 * 5))
    what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || fail "$what"
        sleep 0.2
    done
}

# Slurm's own files.
mkdir -m 755 "$dir/munge" "$dir/state" "$dir/spool"
dd if=/dev/urandom of="$dir/munge/key" bs=128 count=8 2>/dev/null
chmod 400 "$dir/munge/key"
host=$(hostname -s)
port=$((20000 + $$ % 20000))
node=$(slurmd -C | sed -n 's/ RealMemory.*//p' | head -n 1)
cat >"$dir/slurm.conf" <<CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/munge/socket
CredType=cred/munge
SlurmctldPort=$port
SlurmdPort=$((port + 1))
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
MpiDefault=none
KillWait=2
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
ReturnToService=2
SchedulerParameters=sched_interval=1,bf_interval=5,requeue_delay=1
MaxArraySize=10001
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
$node NodeAddr=127.0.0.1 State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP PreemptMode=OFF OverSubscribe=FORCE:4
PartitionName=low Nodes=$host MaxTime=INFINITE State=UP PriorityTier=1 PreemptMode=REQUEUE
PartitionName=urgent Nodes=$host MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=OFF
CONF
SLURM_CONF=$dir/slurm.conf
export SLURM_CONF
munged --foreground --force --key-file="$dir/munge/key" --socket="$dir/munge/socket" --pid-file="$dir/munge/pid" \
    --log-file="$dir/munged.log" --seed-file="$dir/munge/seed" >"$dir/munged.out.log" 2>&1 &
pids="$pids $!"
until_or 10 "munged does not start" test -S "$dir/munge/socket"
slurmctld -D -f "$SLURM_CONF" >"$dir/ctld.out.log" 2>&1 &
pids="$pids $!"
slurmd -D -f "$SLURM_CONF" >"$dir/slurmd.out.log" 2>&1 &
pids="$pids $!"
is_idle() { [ "$(sinfo -h -o %T)" = idle ]; }
until_or 30 "the node does not become idle" is_idle

# Eight rows of a second or so, in four parts.
cat >"$dir/s.scenario.xml" <<'XML'
<scenario name="s">
 <deployment profile="reference" blocks="400" block="16" batch="32"/>
 <workload rate="3 req/s" calls="300000" input="300 tok" input_spread="0.8" output="120 tok" output_spread="0.8" length_max="4000"/>
</scenario>
XML
cat >"$dir/x.experiment.xml" <<'XML'
<experiment scenario="s.scenario.xml"><seeds count="8"/></experiment>
XML
cd "$dir"
jobs=$(sh "$source/experiments/slurm/submit.sh" x.experiment.xml out --array=0-3 --output=slurm-%A_%a.out)
array=${jobs% *}
merge=${jobs#* }
victim() { # the sweep of task 2 that works here: another test of this kind may be running
    for pid in $(pgrep -f "sweep x.experiment.xml -d out .*--shard 2/4"); do
        [ "$(readlink "/proc/$pid/cwd")" = "$dir" ] && return 0
    done
    return 1
}
until_or 60 "task 2 does not start" victim
until_or 60 "no row of task 2 starts" test -e out/run_00002.h5.part -o -e out/run_00002.h5
victim && kill -9 "$pid" || fail "task 2 was over before it could be killed"
is_queued() { [ "$(scontrol -o show job "${array}_2" | grep -c 'JobState=PENDING.*Restarts=1')" = 1 ]; }
until_or 60 "task 2 is not queued again" is_queued
# When its first life is over (KillWait, and slurmctld knows of it), the two minutes that Slurm lets such jobs rest
# need not pass.
is_gone() { ! pgrep -f "$dir/spool/job" && ! scontrol -o show job "${array}_2" | grep -q COMPLETING && is_idle; }
until_or 60 "task 2 does not end" is_gone
scontrol update "JobId=${array}_2" StartTime=now
is_over() { [ -z "$(squeue -h -j "$array,$merge" 2>/dev/null)" ] && [ -e out/sweep.h5 ]; }
until_or 200 "the jobs do not end" is_over

[ "$(ls out/run_*.h5 | wc -l)" -eq 8 ] || fail "not all rows are there"
grep -q "task 2: exit 137 with rows left, queued again" slurm-"${array}"_2.out || fail "task 2 was not queued again"
[ "$(ls out | grep -c 'part$\|log$' || true)" -eq 0 ] || fail "something is left behind"
"$MILLRACE" sweep x.experiment.xml -d out --resume | grep -q "8 kept" || fail "the rows are not what they should be"

# An urgent job wants the whole machine: the task is preempted, queued again, and goes on where it was.
sed -i 's/count="8"/count="4"/' x.experiment.xml
low=$(sbatch --parsable -p low --array=0 --cpus-per-task=1 --output=slurm-%A_%a.out \
    "$source/experiments/slurm/array.sbatch" x.experiment.xml late)
until_or 60 "no row of the preempted task is done" test -e late/run_00000.h5
urgent=$(sbatch --parsable -p urgent --exclusive --output="$dir/slurm-urgent.out" --wrap 'echo here')
was_preempted() { scontrol -o show job "${low}_0" | grep -q 'Restarts=[1-9]'; }
until_or 60 "the task is not preempted" was_preempted
has_run() { grep -q here "$dir/slurm-urgent.out" && [ -z "$(squeue -h -j "$urgent" 2>/dev/null)" ]; }
until_or 60 "the urgent job does not run" has_run
is_gone_low() { ! pgrep -f "$dir/spool/job" && ! scontrol -o show job "${low}_0" | grep -q COMPLETING; }
until_or 60 "the preempted task does not end" is_gone_low
scontrol update "JobId=${low}_0" StartTime=now || true
is_done() { [ "$(ls late/run_*.h5 2>/dev/null | wc -l)" -eq 4 ] && [ -z "$(squeue -h -j "$low" 2>/dev/null)" ]; }
until_or 200 "the preempted task does not come back" is_done
"$MILLRACE" sweep x.experiment.xml -d late --resume | grep -q "4 kept" || fail "preempted rows are not what they should be"
echo "four tasks, one killed and queued again, 8 rows, merged; one preempted, queued again and finished"
