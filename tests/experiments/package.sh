#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The Debian package, unpacked into a folder of its own, plays the quickstart: cards, platforms and grammars
# are found beside the program, none in the source tree; the manual page and the completion are there.
#   sh tests/experiments/package.sh BUILD-FOLDER
set -eu
build=$(cd "$1" && pwd)
for tool in cpack dpkg-deb dpkg-shlibdeps; do
    command -v "$tool" >/dev/null 2>&1 || { echo "SKIPPED: $tool is not installed"; exit 0; }
done
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
(cd "$build" && cpack -G DEB -B "$dir/made") >"$dir/cpack.log" 2>&1 || { cat "$dir/cpack.log" >&2; exit 1; }
package=$(ls "$dir"/made/*.deb)
dpkg-deb -I "$package" | grep -q 'Depends:.*libhdf5.*libsimgrid.*libxml2' || { echo "no dependencies" >&2; exit 1; }
dpkg-deb -x "$package" "$dir/root"
unset MILLRACE_PATH
cd "$dir"
millrace=$dir/root/usr/bin/millrace
examples=$dir/root/usr/share/doc/millrace/examples
"$millrace" validate "$examples/quickstart.scenario.xml"
"$millrace" run "$examples/quickstart.scenario.xml" --until '10 s' -o run.h5 | grep -q 'times real time'
"$millrace" report run.h5 -o report.html >/dev/null
"$millrace" schema --rng layout | cmp - "$dir/root/usr/share/millrace/platforms/schema/layout.rng"
for file in man/man1/millrace.1 bash-completion/completions/millrace doc/millrace/copyright \
    millrace/slurm/array.sbatch; do
    [ -s "$dir/root/usr/share/$file" ] || { echo "$file is missing" >&2; exit 1; }
done
echo "$(basename "$package") plays the quickstart"
