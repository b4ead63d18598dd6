#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The include graph is law (graph.awk). What sources say: "FOLDER/FILE.h" of a room that may be included,
# <...> for the system and for libraries in the files that may have them; nothing else. depends.sh looks
# at what the compiler really opened.
#   sh tests/lint/includes.sh [ROOT]
set -eu
lint=$(cd "$(dirname "$0")" && pwd)
cd "${1:-$lint/../..}"
find engine platforms models thermal power experiments postprocess -name '*.[ch]' -print0 | LC_ALL=C sort -z |
    xargs -0 awk "$(cat "$lint/graph.awk")"'
    BEGIN { graph() }
    function complain(why) {
        printf "%s:%d: error: %s\n", FILENAME, FNR, why
        bad = 1
    }
    FNR == 1 {
        room = room_of(FILENAME)
        if (!(room in may))
            complain("room " room " is not in the graph of tests/lint/graph.awk")
    }
    !/#[ \t]*include/ { next }
    /^[ \t]*#[ \t]*include[ \t]*"[a-z0-9_\/.]+"[ \t]*(\/\*.*\*\/)?$/ {
        split($0, q, "\"")
        target = q[2]
        if (target == "revision.h" && room == "engine/cli")
            next
        other = room_of(target)
        if (target !~ "/")
            complain("\"" target "\": name the folder too")
        else if (target ~ /(^|\/)\.\.?\//)
            complain("\"" target "\": paths begin at the root of the project and have no dots")
        else if (target !~ /\.h$/ && target !~ /^engine\/base\/[a-z0-9_]+\.inc$/)
            complain("\"" target "\" is not a header")
        else if (!(other in may))
            complain("\"" target "\" is in no room of the house")
        else if (!may_include(room, other))
            complain(room " may not include \"" target "\" (" other ")")
        else if (target ~ /_impl\.h$/ && other != room)
            complain("\"" target "\" is private to " other)
        next
    }
    /^[ \t]*#[ \t]*include[ \t]*<[A-Za-z0-9_\/.]+>[ \t]*(\/\*.*\*\/)?$/ {
        target = $0
        sub(/^[^<]*</, "", target)
        sub(/>.*/, "", target)
        if (room_of(target) in may)
            complain("<" target ">: headers of the project stand in quotes")
        for (header in only)
            if (target ~ header && FILENAME !~ only[header])
                complain("<" target "> may not be included here")
        next
    }
    { complain("an include is one line: #include \"FOLDER/FILE.h\" or #include <FILE.h>") }
    END { exit bad }'
