# SPDX-License-Identifier: Apache-2.0
# What the three first days share; read by them (". first-day.sh"). Sets here (this folder), millrace (the program: the first argument, else
# the environment's MILLRACE, else the one on the path), and goes to an empty folder that is removed at the end, unless the second names one.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
millrace=${1:-${MILLRACE:-millrace}}
command -v "$millrace" >/dev/null || { echo "no program \"$millrace\": first-day-*.sh MILLRACE [FOLDER]" >&2; exit 2; }
millrace=$(command -v "$millrace")
case $millrace in /*) ;; *) millrace=$PWD/$millrace ;; esac
if [ $# -ge 2 ]; then
    mkdir -p "$2" && cd "$2"
else
    scratch=$(mktemp -d)
    trap 'cd /; rm -rf "$scratch"' EXIT
    cd "$scratch"
fi

# shipped PATH: a file that comes with the program, from the source tree or from where the package puts it.
shipped() {
    for base in "$here" "$here/.." "$here/../../../millrace"; do
        [ ! -e "$base/$1" ] || { echo "$base/$1"; return 0; }
    done
    echo "FAILED: $1 is not there" >&2
    return 1
}

# step WORDS...: what is done next. try COMMAND...: show it, do it. "millrace" stands for the program.
step() { printf '\n== %s\n' "$*"; }
try() {
    printf '$ %s\n' "$*"
    if [ "$1" = millrace ]; then
        shift
        "$millrace" "$@"
    else
        "$@"
    fi
}
# want WHAT CONDITION...: the day is lost when it does not hold.
want() {
    what=$1
    shift
    "$@" || { echo "FAILED: $what" >&2; exit 1; }
}
