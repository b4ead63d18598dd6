#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every global symbol of every room's library starts with mr_, and with mr_<file stem>_ of the file
# that defines it, but for the few pairs listed below with their reason.
# Objects that are in no library (the program's own) are given by themselves.
#   sh tests/lint/symbols.sh LIBRARY.a|OBJECT.o...
set -eu
[ $# -gt 0 ] || { echo "usage: symbols.sh LIBRARY.a|OBJECT.o..." >&2; exit 2; }
status=0
for library in "$@"; do
    nm -A --defined-only --extern-only "$library" | awk -v library="$library" '
        BEGIN {
            # file stem -> regular expression its symbols match instead of mr_<stem>_
            own["status"] = "^mr_(status|err|diag|diags|severity)_"  # one topic: how failures are told
            own["mem"]    = "^mr_(mem_|alloc|free$)"                 # the door to malloc reads like it
            own["text"]   = "^mr_(text|str|buf|utf8)_"               # slices and the buffer they end in
            own["fmath"]  = "^mr_(exp|expm1|log|pow)$"               # named like the libm calls they replace
        }
        {
            # library.a:object.c.o:address type name; or object.c.o:address type name
            object = substr($0, 1, index($0, ".c.o:") + 3)
            sub(/^.*[:\/]/, "", object)
            stem = object
            sub(/\.c\.o$/, "", stem)
            name = $NF
            seen++
            if (stem == "main" && name == "main") next
            if (name ~ /^__(gcov|asan|odr_asan|sanitizer|ubsan|tsan|start|stop)/) next
            base = stem
            sub(/_.*$/, "", base)   # a topic in several files: num_read.c and num_write.c export mr_num_*
            rule = stem in own ? own[stem] : "^mr_(" stem "|" base ")(_|$)"
            if (name !~ /^mr_/) {
                printf "%s: %s: error: global symbol %s does not start with mr_\n", library, object, name
                bad = 1
            } else if (name !~ rule) {
                printf "%s: %s: error: global symbol %s does not match %s\n", library, object, name, rule
                bad = 1
            }
        }
        END {
            if (!seen) { printf "%s: error: no global symbol at all\n", library; bad = 1 }
            exit bad
        }' || status=1
done
exit $status
