#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# gcc -fanalyzer over every product file of the compile database of BUILD_DIR.
#   sh tests/lint/analyzer.sh BUILD_DIR
set -eu
build=$1
cd "$(dirname "$0")/../.."
# "command": "gcc ... -o x.o -c /path/x.c": compile again, to nowhere, with the analyzer
sed -n 's/^ *"command": "\(.*\)",*$/\1/p' "$build/compile_commands.json" | sed 's/\\"/"/g; s/\\\\/\\/g' |
    grep -E -- '-c .*/(engine|platforms|models|thermal|power|experiments|postprocess)/[a-z0-9_/]*\.c"?$' |
    grep -v '/tests/' >"$build/analyzer.list"
[ -s "$build/analyzer.list" ] || { echo "error: no file to analyze"; exit 1; }
cd "$build"
sed 's/ -o [^ ]*\.o / -o \/dev\/null -fanalyzer -Werror /' analyzer.list | xargs -P "$(nproc)" -d '\n' -I{} sh -c '{}'
