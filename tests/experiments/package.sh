#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The Debian package: made twice it is the same to the bit; installed in a root of its own it plays the
# quickstart and the three first days from another folder, with the cards, platforms and grammars beside the program and none of the
# source tree; it has every page; taken away it leaves nothing.
#   sh tests/experiments/package.sh BUILD-FOLDER          a root without a system: libraries of this one
#   sh tests/experiments/package.sh BUILD-FOLDER system   a system of its own by debootstrap (root, network)
set -eu
build=$(cd "$1" && pwd)
source=$(cd "$(dirname "$0")/../.." && pwd)
kind=${2:-}
for tool in cpack dpkg dpkg-deb dpkg-shlibdeps; do
    command -v "$tool" >/dev/null 2>&1 || { echo "SKIPPED: $tool is not installed"; exit 0; }
done
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# Twice, in another time zone, from files of other dates.
pack() { # pack FOLDER
    (cd "$build" && cpack -B "$dir/$1") >"$dir/cpack.log" 2>&1 || { cat "$dir/cpack.log" >&2; exit 1; }
}
pack made
(touch "$build/pages/millrace.1"* && TZ=Asia/Tokyo && export TZ && pack again)
package=$(ls "$dir"/made/*.deb)
for file in "$package" "$dir"/made/*.tar.gz; do
    cmp "$file" "$dir/again/$(basename "$file")" || fail "$(basename "$file") is not the same when made again"
done

# What it needs is what the program is linked with, and what it loads.
dpkg-deb -f "$package" Depends | tr ',' '\n' | sed 's/^ *//; s/ .*//' | LC_ALL=C sort >"$dir/named"
for library in libc6 libhdf5-103 libhdf5-hl libsimgrid libxml2 zlib1g; do
    grep -q "^$library" "$dir/named" || fail "$library is no dependency"
done

# Into a root, by dpkg, so that it can be taken away again.
root=$dir/root
as_dpkg() {
    dpkg --root="$root" --log="$dir/dpkg.log" --force-depends --force-not-root --force-script-chrootless "$@" \
        >"$dir/dpkg.out" 2>&1 || { cat "$dir/dpkg.out" >&2; exit 1; }
}
if [ "$kind" = system ]; then
    timeout 900 debootstrap --variant=minbase --include=ca-certificates bookworm "$root" >"$dir/debootstrap.log" 2>&1 ||
        { tail -n 5 "$dir/debootstrap.log"; echo "SKIPPED: debootstrap made no system in 15 minutes"; exit 0; }
    cp "$package" "$root/tmp/millrace.deb"
    timeout 900 chroot "$root" apt-get install -y --no-install-recommends /tmp/millrace.deb >"$dir/apt.log" 2>&1 ||
        { tail -n 20 "$dir/apt.log" >&2; fail "apt-get does not install it"; }
    # shellcheck disable=SC2016 # expanded there
    chroot "$root" sh -ec 'cd /tmp; e=/usr/share/doc/millrace/examples
        for f in $e/*.scenario.xml; do millrace validate $f; done
        millrace run $e/quickstart.scenario.xml --until "10 s" -o run.h5 | grep "times real time"
        millrace report run.h5 -o report.html >/dev/null
        for day in researcher planner ci; do sh $e/first-day-$day.sh; done
        apt-get purge -y millrace >/dev/null 2>&1
        ! find / -xdev -name "*millrace*" ! -path "/tmp/*" ! -path "/proc/*" ! -path "/var/log/*" | grep .' ||
        fail "it does not work there"
    echo "$(basename "$package") plays the quickstart and the first days on a system of its own, and leaves it as it was"
    exit 0
fi
mkdir -p "$root/var/lib/dpkg/updates" "$root/var/lib/dpkg/info"
: >"$root/var/lib/dpkg/status"
(cd "$root" && find . -path ./var -prune -o -print | LC_ALL=C sort) >"$dir/before"
as_dpkg -i "$package"
unset MILLRACE_PATH
cd "$dir"
millrace=$root/usr/bin/millrace
share=$root/usr/share
for file in "$share"/doc/millrace/examples/*.scenario.xml "$share"/millrace/platforms/examples/*.layout.xml; do
    case $("$millrace" validate "$file" 2>&1 >/dev/null) in
    *error:*) fail "$file: $("$millrace" validate "$file" 2>&1)" ;;
    esac
done
"$millrace" run "$share/doc/millrace/examples/quickstart.scenario.xml" --until '10 s' -o run.h5 | grep -q 'times real time' ||
    fail "it does not play the quickstart"
"$millrace" report run.h5 -o report.html >/dev/null
for day in researcher planner ci; do
    PATH="$root/usr/bin:$PATH" sh "$share/doc/millrace/examples/first-day-$day.sh" >"$dir/day" 2>&1 ||
        { tail -n 20 "$dir/day" >&2; fail "the first day of the $day"; }
done
"$millrace" schema --rng layout | cmp - "$share/millrace/platforms/schema/layout.rng"
for kind in layout scenario experiment sla tolerance; do
    "$millrace" schema --rng "$kind" | cmp - "$share/millrace/schema/$kind.rng"
done
if command -v strace >/dev/null 2>&1; then # nothing of the source tree is opened
    strace -f -e trace=openat -o "$dir/opened" "$millrace" show "$share/doc/millrace/examples/quickstart.layout.xml" >/dev/null
    ! grep -F "\"$source/" "$dir/opened" || fail "it reads the source tree"
fi
"$millrace" help | sed -n '/^usage/,/^options/s/^  \([a-z]*\) .*/man1\/millrace-\1.1.gz/p' >"$dir/pages"
"$millrace" schema | awk '{ print "man5/millrace-" $1 ".5.gz" }' >>"$dir/pages"
[ "$(wc -l <"$dir/pages")" -gt 30 ] || fail "no list of pages"
for file in $(sed 's,^,man/,' "$dir/pages") man/man1/millrace.1.gz bash-completion/completions/millrace \
    doc/millrace/copyright doc/millrace/changelog.gz doc/millrace/CITATION.cff millrace/slurm/array.sbatch; do
    [ -s "$share/$file" ] || fail "$file is missing"
done
if command -v lintian >/dev/null 2>&1; then
    lintian --allow-root --fail-on error,warning "$package" >"$dir/lintian" 2>&1 || { cat "$dir/lintian" >&2; exit 1; }
fi
rm -f "$dir/run.h5" "$dir/report.html"
as_dpkg -P millrace
(cd "$root" && find . -path ./var -prune -o -print | LC_ALL=C sort) >"$dir/after"
cmp "$dir/before" "$dir/after" || fail "it leaves something behind"
echo "$(basename "$package") plays the quickstart and the first days, twice the same bits, nothing left behind"
