#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A planner's first day: 20 MW, and two kinds of racks to fill them with. A copy of a layout with other racks, what it adds up to, the best
# build of either kind behind the same connection, and a page and tables that put them side by side.
#   sh experiments/first-day-planner.sh [MILLRACE [FOLDER]]
. "$(dirname "$0")/first-day.sh"

step "Two copies of a layout and its scenario; in B each row has 6 Kyber racks instead of 12 NVL72"
layout=$(shipped platforms/examples/vr-hall-20mw.layout.xml)
cp "$layout" a.layout.xml
sed 's/card="vr_nvl72" count="12"/card="vr_nvl144_kyber" count="6"/' a.layout.xml >b.layout.xml
sed 's|<site file="[^"]*"|<site file="a.layout.xml"|' "$here/oberon-20mw.scenario.xml" >a.scenario.xml
sed 's|a.layout.xml|b.layout.xml|; s/gpu="rubin"/gpu="rubin_ultra_a"/; s/Oberon/Kyber/g' a.scenario.xml >b.scenario.xml
diff a.layout.xml b.layout.xml || true

step "What is B? Megawatts, weight, loops, and which figures nobody has published"
try millrace show b.layout.xml

step "The most of 20 MW with either: how many rows? (10 s of each candidate)"
for x in a b; do
    try millrace size $x.scenario.xml --limit-mw 20 --over layout/hall/row/count=6:10:2 --until '10 s' -j 2 -o $x.h5
done

step "Side by side: a page to mail, tables for the spreadsheet"
try millrace compare a.h5 b.h5 -o ab.html --csv ab
want "the page is there, and the tables" [ -s ab.html ] && [ -s ab/figures.csv ]
wc -c ab.html ab/*.csv
