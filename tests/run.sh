#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The second of the two commands, and all that CI calls: installs what the tests need, builds with the
# checks on (preset ci: gcc, warnings are errors, lints; preset asan: clang with sanitizers), runs
# every test of both in one ctest.
#   sh tests/run.sh            the suite
#   sh tests/run.sh --long     also torture, tsan and debug builds, 60 s of fuzzing per parser, the deep paths of
#                              clang's analyzer, the whole program built in two folders, the package on a
#                              system of its own
#   sh tests/run.sh -R REGEX   more arguments go to ctest
set -eu
cd "$(dirname "$0")/.."
. experiments/packages.sh

presets="ci asan"
fuzz_s=0
if [ "${1:-}" = "--long" ]; then
    shift
    presets="ci asan torture tsan debug"
    fuzz_s=60
fi
# shellcheck disable=SC2086 # the lists are words
mr_packages_ensure $mr_packages_build $mr_packages_test

all=build/all
mkdir -p "$all"
: >"$all/CTestTestfile.cmake"
for preset in $presets; do
    [ -f "build/$preset/build.ninja" ] || cmake --preset "$preset" >"build/$preset.log" 2>&1 || {
        cat "build/$preset.log" >&2
        exit 1
    }
    cmake --build --preset "$preset"
    echo "subdirs(\"$PWD/build/$preset\")" >>"$all/CTestTestfile.cmake"
done
# gcc -O2 and clang -O0 have to answer the same, and so do -O0 of gcc and what is tuned to this CPU
programs="\"$PWD/build/ci/millrace\" \"$PWD/build/asan/millrace\""
if [ "$fuzz_s" -gt 0 ]; then
    cmake --preset native >build/native.log 2>&1 && cmake --build --preset native --target millrace
    programs="$programs \"$PWD/build/debug/millrace\" \"$PWD/build/native/millrace\""
fi
echo "add_test(bits sh \"$PWD/tests/bits.sh\" $programs)" >>"$all/CTestTestfile.cmake"
if [ "$fuzz_s" -gt 0 ]; then
    sh tests/fuzz/run.sh "$fuzz_s"
    sh tests/lint/tidy.sh build/ci deep
    sh tests/experiments/reproduce.sh
    sh tests/experiments/package.sh build/ci system
fi

# MILLRACE_DATA: real traces and measurements; tests that need them skip with a message without.
: "${MILLRACE_DATA:=$PWD/../shared/data}"
export MILLRACE_DATA
[ -d "$MILLRACE_DATA" ] ||
    echo "note: no real data in $MILLRACE_DATA: tests on real traces will be skipped" >&2
exec ctest --test-dir "$all" -j "$(nproc)" --output-on-failure \
    --output-junit "$PWD/build/junit.xml" "$@"
