#!/bin/bash
# Which automatic snapshots stay, held against a model that was written from the manual, with Python's own time zones.
. "$(dirname "$0")/lib.sh"

MODEL=$SUPPORT/retention-model.py

claim "400 days of two zones, with summer time and clocks that are wrong: as the model says"
for zone in Europe/Berlin Australia/Lord_Howe; do
  "$MODEL" "$HRVM" "$zone" "${DAYS:-400}" "${SEED:-14}" || fail "hrvm and the model differ (zone $zone, SEED=${SEED:-14})"
done

claim "38,400 snapshots, a quarter of an hour apart"
"$MODEL" --list 400 > "$T/list"
expect_status 0 hrvm snapshot prune --simulate "$T/list" --timezone UTC --now 2026-11-04T23:50:00Z --json
assert_json "$T/out" '.kept + .removed == 38400 and .kept == 70'
