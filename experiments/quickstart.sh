#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The first of the two commands: installs what the build needs, builds the release preset, shows what
# was built, plays a small scenario, and says how fast this machine is at it. May be run again at any time; nothing is left over.
set -eu
cd "$(dirname "$0")/.."
. experiments/packages.sh

# shellcheck disable=SC2086 # the lists are words
mr_packages_ensure $mr_packages_build
[ -f build/release/build.ninja ] || cmake --preset release
cmake --build --preset release
millrace=build/release/millrace

echo
"$millrace" version
echo
"$millrace" run experiments/quickstart.scenario.xml -f -o build/release/run.h5
"$millrace" report build/release/run.h5 -f -o build/release/report.html >/dev/null
echo
"$millrace" bench --quick serve models
echo
echo "Next: the page $PWD/build/release/report.html; $PWD/$millrace help, README.md"
