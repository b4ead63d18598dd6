#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The same sources, built in two folders, give the same bits.
#   sh tests/experiments/reproduce.sh ROOM...   some rooms of the program: mr_base
#   sh tests/experiments/reproduce.sh           the program and its packages
set -eu
source=$(cd "$(dirname "$0")/../.." && pwd)
git -C "$source" rev-parse HEAD >/dev/null 2>&1 || { echo "SKIPPED: the sources are in no git repository"; exit 0; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# A compiler cache would give back what the first build made.
unset CMAKE_C_COMPILER_LAUNCHER
CCACHE_DISABLE=1
export CCACHE_DISABLE
copy() { # copy FOLDER: the sources as they are here, changes and all
    mkdir -p "$1"
    git -C "$source" ls-files -z --cached --others --exclude-standard --deduplicate >"$dir/files"
    git -C "$source" ls-files -z --deleted >"$dir/gone"
    tar -C "$source" --null --exclude-from="$dir/gone" -c -T "$dir/files" | tar -x -m -C "$1"
}
build() { # build FOLDER [ROOM...]
    place=$dir/$1
    shift
    copy "$place/src"
    cmake -S "$place/src" -B "$place/out" -G Ninja -DCMAKE_C_COMPILER=gcc -DMR_TESTS=OFF &&
        cmake --build "$place/out" ${1:+--target} "$@" || return 1
    [ $# -gt 0 ] || (cd "$place/out" && cpack -B "$place/made")
}
for place in here some/where/else; do
    build "$place" "$@" >"$dir/log" 2>&1 || { tail "$dir/log" >&2; exit 1; }
done
same() { # same FILE: below both folders
    cmp "$dir/here/$1" "$dir/some/where/else/$1"
    ! grep -qF -e "$source/" -e "$dir" "$dir/here/$1" || { echo "$1 names a folder" >&2; exit 1; }
}
for room in "$@"; do
    same "out/lib$room.a"
done
if [ $# -eq 0 ]; then
    same out/millrace
    for file in "$dir"/here/made/*.deb "$dir"/here/made/*.tar.gz; do
        same "made/$(basename "$file")"
    done
fi
echo "two builds in different folders, the same bits: ${*:-millrace and its packages}"
