#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The first day in the CI of a serving stack: the summary of main becomes the baseline; a change that costs nothing passes; one that halves
# the batch is caught, with its cause in one line, as JUnit XML and as benchmark JSON.
#   sh experiments/first-day-ci.sh [MILLRACE [FOLDER]]
. "$(dirname "$0")/first-day.sh"
cp "$here/ci.scenario.xml" "$here/ci.tolerance.xml" .

step "Main: what is committed as the baseline"
try millrace run ci.scenario.xml --json main.json -q
try millrace regress --baseline base.json main.json --update

step "A change that costs nothing"
try millrace run ci.scenario.xml --json now.json -q
try millrace regress --baseline base.json now.json --tolerance ci.tolerance.xml --junit j.xml --github-benchmark bench

step "A change that costs: half the batch"
try millrace run ci.scenario.xml --set deployment/batch=16 --json now.json -q -f
code=0
try millrace regress --baseline base.json now.json --tolerance ci.tolerance.xml --junit j.xml --github-benchmark bench -f || code=$?
want "the check fails with exit code 1" [ $code = 1 ]
want "JUnit XML says why" grep -q '<failure' j.xml
ls j.xml bench-*.json
