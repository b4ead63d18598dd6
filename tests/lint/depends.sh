#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The include graph as the compiler saw it: every file that every object of a room was made of, directly
# or not, from the records of the build. Macros, dots and comments do not help here.
#   sh tests/lint/depends.sh BUILD_DIR
set -eu
lint=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$lint/../.." && pwd)
[ $# -eq 1 ] || { echo "usage: depends.sh BUILD_DIR" >&2; exit 2; }
ninja -C "$1" -t deps | grep -v '^ninja: ' | awk -v root="${MR_LINT_ROOT:-$root}/" "$(cat "$lint/graph.awk")"'
    BEGIN { graph() }
    /^[^ ].*: #deps / { source = ""; n_object++; next }
    /^    / {
        path = substr($0, 5)
        # /a/../b is b
        while (match(path, /\/[^\/]+\/\.\.\//))
            path = substr(path, 1, RSTART) substr(path, RSTART + RLENGTH)
        is_ours = index(path, root) == 1 && index(path, root "build/") != 1
        if (is_ours)
            path = substr(path, length(root) + 1)
        if (source == "") {
            source = path
            room = room_of(source)
            is_product = is_ours && room in may
            n_product += is_product
            next
        }
        if (!is_product) next
        why = ""
        if (is_ours) {
            other = room_of(path)
            if (!(other in may) || !may_include(room, other))
                why = room " may not depend on " path
        } else {
            for (header in only)
                if (path ~ header && source !~ only[header] && path !~ /\/bits\//)
                    why = "may not depend on " path
        }
        if (why != "" && !((source, why) in told)) {
            told[source, why] = 1
            printf "%s: error: %s\n", source, why
            bad = 1
        }
    }
    END {
        if (!n_product) { print "error: the build records no object of any room (is it a Ninja build?)"; bad = 1 }
        exit bad
    }'
