#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Submit an experiment: the array, then the merge that waits for it. Prints both job numbers.
#   sh submit.sh EXPERIMENT DIR [SBATCH-OPTION...]      for instance --array=0-31 --cpus-per-task=8 --time=2:00:00
set -eu
[ $# -ge 2 ] || { echo "usage: submit.sh EXPERIMENT DIR [SBATCH-OPTION...]" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
experiment=$1
folder=$2
shift 2
array=$(sbatch --parsable "$@" "$here/array.sbatch" "$experiment" "$folder")
merge=$(sbatch --parsable --dependency="afterok:$array" "$here/merge.sbatch" "$folder")
echo "$array $merge"
