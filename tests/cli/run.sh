#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Plays one text file of command-line tests against the program.
#   sh tests/cli/run.sh MILLRACE FILE.txt
# In the file:
#   file NAME       begins an input file in the scratch folder; its lines follow as "| text"
#   $ COMMAND       run by sh in the scratch folder; millrace is on the PATH, standard input is empty
#   ! N             expected exit code (0 when absent)
#   1 TEXT, 2 TEXT  the next line expected on stdout, on stderr
#   1~ RE, 2~ RE    the next line matches this regular expression of awk (no {n})
#   1..., 2...      any further lines
#   skip COMMAND    skip the rest, with the reason that COMMAND prints, when it fails
# Lines that begin with # and blank lines are comments. Streams nothing is said about must be empty, but for
# the progress that a slow machine sees.
set -eu
[ $# -eq 2 ] || { echo "usage: run.sh MILLRACE FILE.txt" >&2; exit 2; }
millrace=$1
script=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/bin" "$scratch/in"
ln -s "$millrace" "$scratch/bin/millrace"
PATH=$scratch/bin:$PATH
unset NO_COLOR MILLRACE_DATA 2>/dev/null || true
here=$(cd "$(dirname "$script")/../.." && pwd)
export PATH MILLRACE_SOURCE="$here"

# Split the script into numbered steps, one folder each.
awk -v dir="$scratch" '
    function begin(kind) { step++; d = sprintf("%s/step%03d", dir, step); system("mkdir " d); print kind > (d "/kind"); print FNR > (d "/line") }
    /^[ \t]*(#.*)?$/ { next }
    /^file /  { begin("file"); print substr($0, 6) > (d "/name"); printf "" > (d "/text"); next }
    /^\| ?/   { sub(/^\| ?/, ""); print > (d "/text"); next }
    /^skip /  { begin("skip"); print substr($0, 6) > (d "/command"); next }
    /^\$ /    { begin("run"); print substr($0, 3) > (d "/command"); next }
    /^! /     { print substr($0, 3) > (d "/code"); next }
    /^[12](~|\.\.\.)?( |$)/ { print substr($0, 2) > (d "/want" substr($0, 1, 1)); next }
    { printf "%s:%d: error: not understood: %s\n", FILENAME, FNR, $0; exit 2 }
' "$script"

compare() { # compare WANT GOT STREAM
    awk -v want="$1" -v stream="$3" '
        BEGIN {
            while ((getline line < want) > 0) { n++; rule[n] = line }
            i = 1
        }
        stream == "stderr" && /^\[=*>? *\] [0-9]+ %/ { next }
        {
            if (i <= n && substr(rule[i], 1, 3) == "...") next
            if (i > n) { printf "  %s: unexpected: %s\n", stream, $0; bad = 1; next }
            kind = substr(rule[i], 1, 1)
            text = kind == "~" ? substr(rule[i], 3) : substr(rule[i], 2)
            if (kind == "~" ? $0 !~ text : $0 != text) {
                printf "  %s: got:      %s\n  %s: expected: %s\n", stream, $0, stream, rule[i]
                bad = 1
            }
            i++
        }
        END {
            for (; i <= n; i++)
                if (substr(rule[i], 1, 3) != "...") { printf "  %s: missing:  %s\n", stream, rule[i]; bad = 1 }
            exit bad
        }' "$2"
}

status=0
n_run=0
for step in "$scratch"/step*; do
    case $(cat "$step/kind") in
    file)
        cp "$step/text" "$scratch/in/$(cat "$step/name")"
        ;;
    skip)
        if ! reason=$(cd "$scratch/in" && sh -c "$(cat "$step/command")" 2>&1 </dev/null); then
            echo "SKIPPED: $reason"
            exit $status
        fi
        ;;
    run)
        n_run=$((n_run + 1))
        command=$(cat "$step/command")
        code=0
        (cd "$scratch/in" && exec sh -c "$command" >"$step/out" 2>"$step/err" </dev/null) || code=$?
        want=$(cat "$step/code" 2>/dev/null || echo 0)
        : >>"$step/want1"
        : >>"$step/want2"
        good=1
        [ "$code" = "$want" ] || { echo "  exit code $code, expected $want"; good=0; }
        compare "$step/want1" "$step/out" stdout || good=0
        compare "$step/want2" "$step/err" stderr || good=0
        if [ $good = 0 ]; then
            printf '%s:%s: FAILED: %s\n' "$script" "$(cat "$step/line")" "$command"
            status=1
        fi
        ;;
    esac
done
[ $n_run -gt 0 ] || { echo "$script: no command in it"; exit 2; }
exit $status
