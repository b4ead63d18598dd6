#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A planner's first day: 4 MW, and two kinds of racks to fill them with. Copies of a layout of 20 MW, smaller and with other racks, what
# they add up to, the best build of either kind behind the same connection, and a page and tables that put them side by side.
#   sh experiments/first-day-planner.sh [MILLRACE [FOLDER]]
. "$(dirname "$0")/first-day.sh"

step "Two copies of a layout and its scenario, a fifth of it each; in B each row has 6 Kyber racks instead of 12 NVL72"
sed 's/<row count="8">/<row count="2">/; s/limit="20 MW" ramp="5 MW\/s"/limit="4 MW" ramp="1 MW\/s"/; s/rating="2.5 MW"/rating="500 kW"/; /<!--/,/-->/d' \
    "$(shipped platforms/examples/vr-hall-20mw.layout.xml)" | sed 's/vr-hall-20mw/a/; s/ title="[^"]*"//' >a.layout.xml
sed 's/name="a"/name="b"/; s/card="vr_nvl72" count="12"/card="vr_nvl144_kyber" count="6"/' a.layout.xml >b.layout.xml
sed 's|<site file="[^"]*"|<site file="a.layout.xml"|; /<layout set=/d; /<!--/,/-->/d; s/, 20 MW//; s/rate="200000/rate="40000/
    s/instances="972"/instances="216"/' "$here/oberon-20mw.scenario.xml" >a.scenario.xml
sed 's|a.layout.xml|b.layout.xml|; s/gpu="rubin"/gpu="rubin_ultra_a"/; s/Oberon/Kyber/' a.scenario.xml >b.scenario.xml
try cat a.layout.xml a.scenario.xml
diff a.layout.xml b.layout.xml || true

step "What is B? Megawatts, weight, loops, and which figures nobody has published"
try millrace show b.layout.xml

step "The most of 4 MW with either: how many racks in a row? (10 s of each candidate)"
try millrace size a.scenario.xml --limit-mw 4 --over layout/hall/row/rack/count=8:12:2 --until '10 s' -j 2 -o a.h5
try millrace size b.scenario.xml --limit-mw 4 --over layout/hall/row/rack/count=4:6:1 --until '10 s' -j 2 -o b.h5

step "Side by side: a page to mail, tables for the spreadsheet"
try millrace compare a.h5 b.h5 -o ab.html --csv ab
want "the page is there, and the tables" [ -s ab.html ] && [ -s ab/figures.csv ]
wc -c ab.html ab/*.csv
