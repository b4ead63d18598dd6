# SPDX-License-Identifier: Apache-2.0
# The include graph: which rooms a room may include, itself excepted, and which files may include foreign
# headers. Read by includes.sh (what sources say) and depends.sh (what the compiler saw).
function graph() {
    may["engine/base"]   = ""
    may["platforms"]     = "engine/base"
    may["models"]        = "engine/base"
    may["thermal"]       = "engine/base platforms"
    may["power"]         = "engine/base platforms"
    may["engine/clock"]  = "engine/base"
    may["engine/work"]   = "engine/base engine/clock models platforms"
    may["engine/serve"]  = "engine/base engine/clock models platforms engine/work"
    may["engine/net"]    = "engine/base engine/clock platforms engine/serve models engine/work"
    may["engine/record"] = "engine/base engine/clock platforms models"
    may["engine/twin"]   = "engine/base engine/clock engine/work engine/serve engine/net engine/record models platforms thermal power"
    may["engine/cli"]    = may["engine/twin"] " engine/twin experiments postprocess"
    may["postprocess"]   = "engine/base platforms models"
    may["experiments"]   = "engine/base postprocess platforms models"
    # foreign header: regular expression on its path -> files that may include it
    only["(^|/)simgrid/"]            = "^engine/net/"
    only["(^|/)(xbt|smpi)/"]         = "^engine/net/"
    only["(^|/)(hdf5|H5[A-Za-z0-9]*)\\.h$"] = "^(engine/record|postprocess)/"
    only["(^|/)libxml/"]             = "^engine/base/xml[a-z_]*\\.c$"
    only["(^|/)(zlib|zconf)\\.h$"]   = "^engine/base/gz\\.c$"
    only["(^|/)mpi\\.h$"]            = "^engine/clock/ranks\\.c$"
    only["(^|/)(locale|xlocale)\\.h$"] = "^$"
}
function room_of(path,   parts) {
    split(path, parts, "/")
    return parts[1] == "engine" ? parts[1] "/" parts[2] : parts[1]
}
function may_include(room, other) {
    return other == room || index(" " may[room] " ", " " other " ") > 0
}
