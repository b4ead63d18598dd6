#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A check that cannot fail proves nothing: plant one violation of each kind in a scratch tree and expect
# the lint that guards it to refuse, and to accept the tree without it.
#   sh tests/lint/selftest.sh
set -eu
lint=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
status=0

tree() { # a small clean house
    rm -rf "$scratch/house"
    mkdir -p "$scratch/house"
    cd "$scratch/house"
    mkdir -p engine/base engine/serve engine/net platforms models thermal power experiments postprocess tests
    printf '/* SPDX-License-Identifier: Apache-2.0 */\n/* A pair. */\n#ifndef MR_THERMAL_CDU_H\n#define MR_THERMAL_CDU_H\nint mr_cdu_n(void);\n#endif\n' >thermal/cdu.h
    printf '/* SPDX-License-Identifier: Apache-2.0 */\n/* A pair. */\n#include "thermal/cdu.h"\n\nint mr_cdu_n(void)\n{\n    return 1;\n}\n' >thermal/cdu.c
    cp "$lint/../../.clang-format" .
}
expect() { # expect 0|1 WHAT SCRIPT ARGS...
    want=$1 what=$2
    shift 2
    if sh "$@" >"$scratch/log" 2>&1; then got=0; else got=1; fi
    if [ "$got" = "$want" ]; then
        echo "ok    $what"
    else
        echo "FAIL  $what: exit $got, expected $want"
        cat "$scratch/log"
        status=1
    fi
}
append() { printf '%s\n' "$2" >>"$1"; }

tree; expect 0 "clean tree: includes" "$lint/includes.sh" .
tree; append thermal/cdu.c '#include "power/feed.h"';          expect 1 "thermal includes power" "$lint/includes.sh" .
tree; append thermal/cdu.c '#include "engine/serve/kv.h"';     expect 1 "thermal includes serve" "$lint/includes.sh" .
tree; append thermal/cdu.c '#include "cdu.h"';                 expect 1 "include without folder" "$lint/includes.sh" .
tree; append thermal/cdu.c '  #  include <simgrid/engine.h>';  expect 1 "thermal includes SimGrid" "$lint/includes.sh" .
tree; append thermal/cdu.c '#include <hdf5.h>';                expect 1 "thermal includes HDF5" "$lint/includes.sh" .
tree; append thermal/cdu.c '#include <libxml/tree.h>';         expect 1 "thermal includes libxml2" "$lint/includes.sh" .
tree; append thermal/cdu.c '#include <zlib.h>';                expect 1 "thermal includes zlib" "$lint/includes.sh" .
tree; append thermal/cdu.c '#include <mpi.h>';                 expect 1 "thermal includes MPI" "$lint/includes.sh" .
tree; cp thermal/cdu.c engine/net/x.c; append engine/net/x.c '#include <simgrid/engine.h>'; sed -i '/thermal/d' engine/net/x.c
expect 0 "net includes SimGrid" "$lint/includes.sh" .
tree; append thermal/cdu.c '#include "platforms/../engine/net/platform.h"'; expect 1 "dots in a path" "$lint/includes.sh" .
tree; append thermal/cdu.c '#include <engine/net/platform.h>';   expect 1 "a project header in <>" "$lint/includes.sh" .
tree; append thermal/cdu.c '/* x */ #include "engine/net/platform.h"'; expect 1 "a comment before" "$lint/includes.sh" .
tree; append thermal/cdu.c '#include HEADER';                  expect 1 "a macro" "$lint/includes.sh" .
tree; append thermal/cdu.c '#include \';                       expect 1 "a line continued" "$lint/includes.sh" .
tree; append thermal/cdu.c '#include "thermal/cdu.def"';       expect 1 "not a header" "$lint/includes.sh" .
tree; append thermal/cdu.c '#include <zconf.h>';               expect 1 "thermal includes zlib's other header" "$lint/includes.sh" .
tree; mkdir engine/attic; cp thermal/cdu.c engine/attic/;      expect 1 "room not in the graph" "$lint/includes.sh" .

tree; expect 0 "clean tree: files" "$lint/files.sh" .
tree; printf '\177ELF' >tool;                                  expect 1 "a built file" "$lint/files.sh" .
tree; append thermal/cdu.c 'void *mr_cdu_x(void) { return malloc(3); }'; expect 1 "malloc" "$lint/files.sh" .
tree; append thermal/cdu.c 'double mr_cdu_x(double t) { return exp(t); }'; expect 1 "libm exp" "$lint/files.sh" .
tree; append thermal/cdu.c '/* never call malloc() here */';   expect 0 "malloc in a comment" "$lint/files.sh" .
tree; append thermal/cdu.c 'const char *mr_cdu_t = "exit(1)";'; expect 0 "exit in a text" "$lint/files.sh" .
tree; sed -i 1d thermal/cdu.c;                                 expect 1 "no SPDX line" "$lint/files.sh" .
tree; append thermal/cdu.c '/* TODO later */';                 expect 1 "loose TODO" "$lint/files.sh" .
tree; yes '/* x */' | head -1600 >>thermal/cdu.c;              expect 1 "1600 lines" "$lint/files.sh" .

tree; mkdir util; cp thermal/cdu.c util/;                     expect 1 "a source outside of rooms" "$lint/files.sh" .
tree; echo 'int x;' >thermal/x.cc;                             expect 1 "C++" "$lint/files.sh" .
tree; echo 'mr_unit_test(thermal/cdu mr_thermal)' >tests/CMakeLists.txt; mkdir tests/thermal; echo >tests/thermal/cdu_test.c
expect 0 "a registered test" "$lint/files.sh" .
echo >tests/thermal/plate_test.c;                              expect 1 "a test nobody builds" "$lint/files.sh" .

tree; expect 0 "clean tree: headers" "$lint/headers.sh" .
tree; sed -i 's/int mr_cdu_n/size_t mr_cdu_n/' thermal/cdu.h;  expect 1 "header not self-contained" "$lint/headers.sh" .
tree; sed -i 's/MR_THERMAL_CDU_H/CDU_H/' thermal/cdu.h;        expect 1 "wrong include guard" "$lint/headers.sh" .

tree; expect 0 "clean tree: format" "$lint/format.sh" .
tree; append thermal/cdu.c 'int  mr_cdu_y( void ){return 2;}'; expect 1 "unformatted" "$lint/format.sh" .

object() { # one object in one library
    printf '%s\n' "$1" | gcc -x c -c -o cdu.c.o - && rm -f lib.a && ar rc lib.a cdu.c.o
}
tree; object 'int mr_cdu_n(void); int mr_cdu_n(void) { return 1; }'; expect 0 "clean symbols" "$lint/symbols.sh" lib.a
tree; object 'int helper(void); int helper(void) { return 1; }';     expect 1 "symbol without mr_" "$lint/symbols.sh" lib.a
tree; object 'int mr_feed_n(void); int mr_feed_n(void) { return 1; }'; expect 1 "symbol of another topic" "$lint/symbols.sh" lib.a
tree; object 'int counter;';                                         expect 1 "global variable" "$lint/symbols.sh" lib.a
printf 'int main(void) { return 0; }\n' | gcc -x c -c -o main.c.o -; expect 0 "the program's own object" "$lint/symbols.sh" main.c.o
printf 'int foreign; int main(void) { return 0; }\n' | gcc -x c -c -o main.c.o -; expect 1 "a global in the program's own object" "$lint/symbols.sh" main.c.o

tree; object '#include <stdlib.h>
int mr_cdu_n(void); int mr_cdu_n(void) { return (int)sizeof(int); }';   expect 0 "clean calls" "$lint/calls.sh" lib.a
tree; object '#include <stdlib.h>
void *mr_cdu_n(void); void *mr_cdu_n(void) { return (malloc)(3); }';   expect 1 "(malloc)" "$lint/calls.sh" lib.a
tree; object '#include <math.h>
double mr_cdu_n(double x); double mr_cdu_n(double x) { return cosh(x); }'; expect 1 "libm cosh" "$lint/calls.sh" lib.a
tree; object '#include <stdlib.h>
int mr_cdu_n(void); int mr_cdu_n(void) { return system("x"); }';         expect 1 "system" "$lint/calls.sh" lib.a

# what the compiler saw: a small build of its own
built() { # built INCLUDE-LINE
    tree
    mkdir -p build engine/net
    printf '#define HEADER "engine/net/platform.h"\n%s\n' "$1" >>thermal/cdu.c
    echo 'int mr_platform_n(void);' >engine/net/platform.h
    printf 'rule cc\n  command = gcc -MD -MF $out.d -I%s -c $in -o $out\n  deps = gcc\n  depfile = $out.d\nbuild cdu.o: cc %s/thermal/cdu.c\n' "$PWD" "$PWD" >build/build.ninja
    ninja -C build >/dev/null
}
MR_LINT_ROOT=$scratch/house
export MR_LINT_ROOT
built '';                                                       expect 0 "clean dependencies" "$lint/depends.sh" build
built '#include HEADER';                                        expect 1 "an include by macro" "$lint/depends.sh" build
built '#include "thermal/../engine/net/platform.h"';            expect 1 "an include by dots" "$lint/depends.sh" build
exit $status
