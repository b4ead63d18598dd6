#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The include graph is law. Each room lists the rooms it may include ("..." includes) and the foreign
# headers it alone may include (<...>). A file in no listed room is an error too.
#   sh tests/lint/includes.sh [ROOT]
set -eu
root=${1:-$(dirname "$0")/../..}
cd "$root"
find engine platforms models thermal power experiments postprocess -name '*.[ch]' | LC_ALL=C sort |
    xargs awk '
    BEGIN {
        # room -> rooms it may include, itself excepted
        may["engine/base"]   = ""
        may["platforms"]     = "engine/base"
        may["models"]        = "engine/base"
        may["thermal"]       = "engine/base platforms"
        may["power"]         = "engine/base platforms"
        may["engine/clock"]  = "engine/base"
        may["engine/work"]   = "engine/base engine/clock models platforms"
        may["engine/serve"]  = "engine/base engine/clock models platforms engine/work"
        may["engine/net"]    = "engine/base engine/clock platforms engine/serve"
        may["engine/record"] = "engine/base engine/clock platforms models"
        may["engine/twin"]   = "engine/base engine/clock engine/work engine/serve engine/net engine/record models platforms thermal power"
        may["engine/cli"]    = may["engine/twin"] " engine/twin experiments postprocess"
        may["postprocess"]   = "engine/base platforms models"
        may["experiments"]   = "engine/base postprocess"
        # foreign header (prefix) -> files that may include it (regular expression)
        only["simgrid/"] = "^engine/net/"
        only["xbt/"]     = "^engine/net/"
        only["hdf5"]     = "^(engine/record|postprocess)/"
        only["H5"]       = "^(engine/record|postprocess)/"
        only["libxml/"]  = "^engine/base/xml[a-z_]*\\.c$"
        only["zlib.h"]   = "^engine/base/gz\\.c$"
        only["mpi.h"]    = "^engine/clock/ranks\\.c$"
        only["locale.h"] = "^$"
        only["pthread.h"] = "^engine/record/"
    }
    function room_of(path,   parts, n) {
        n = split(path, parts, "/")
        return parts[1] == "engine" ? parts[1] "/" parts[2] : parts[1]
    }
    function complain(why) {
        printf "%s:%d: error: %s\n", FILENAME, FNR, why
        bad = 1
    }
    FNR == 1 {
        room = room_of(FILENAME)
        if (!(room in may))
            complain("room " room " is not in the graph of tests/lint/includes.sh")
    }
    /^[ \t]*#[ \t]*include[ \t]*"/ {
        split($0, q, "\"")
        target = q[2]
        if (target == "revision.h" && room == "engine/cli")
            next
        other = room_of(target)
        if (target !~ "/")
            complain("\"" target "\": name the folder too")
        else if (!(other in may))
            complain("\"" target "\" is in no room of the house")
        else if (other != room && index(" " may[room] " ", " " other " ") == 0)
            complain(room " may not include \"" target "\" (" other ")")
        else if (target ~ /_impl\.h$/ && other != room)
            complain("\"" target "\" is private to " other)
    }
    /^[ \t]*#[ \t]*include[ \t]*</ {
        target = $0
        sub(/^[^<]*</, "", target)
        sub(/>.*/, "", target)
        for (prefix in only)
            if (index(target, prefix) == 1 && FILENAME !~ only[prefix])
                complain("<" target "> may not be included here")
    }
    END { exit bad }'
