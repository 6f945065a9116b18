#!/bin/bash
# run.sh [--quick] [--only PATTERN] [--no-install]: builds hrvm and runs all its tests.
#
#   --quick          without those that boot a guest for more than a few seconds, and without the other presets
#   --only PATTERN   only tests whose name matches this regular expression
#   --no-install     takes for granted that tests/deps.sh has run
set -euo pipefail
cd "$(dirname "$0")/.."

quick= pattern= install=1
while [ $# -gt 0 ]; do
  case $1 in
    --quick) quick=1 ;;
    --only)
      [ $# -ge 2 ] || { echo "run.sh: --only needs a pattern" >&2; exit 2; }
      pattern=$2
      shift
      ;;
    --no-install) install= ;;
    *) sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
  shift
done

jobs=$(nproc)
. tests/support/use-ccache.sh

step() { printf '\n== %s (%d s)\n' "$1" "$SECONDS"; }

build() { # PRESET [TARGET...]
  step "build: $1"
  cmake --preset "$1" > "/dev/null"
  cmake --build --preset "$1" -j "$jobs" ${2:+--target "${@:2}"}
}

if [ -n "$install" ]; then
  step 'packages'
  tests/deps.sh
fi
build dev
if [ -z "$quick" ]; then
  build release
  # Clang refuses what GCC takes. These link nearly all that any target does.
  build fuzz fuzz_boot_menus fuzz_qcow2_image
fi

step 'tests'
options=(--test-dir build/dev --output-on-failure --no-tests=error -j "$jobs")
[ -z "$quick" ] || options+=(--label-exclude '^long$')
[ -z "$pattern" ] || options+=(--tests-regex "$pattern")
status=0
ctest "${options[@]}" < /dev/null || status=$?
# What cases could not try here, and why. (A whole script that could not is among ctest's own.)
grep -h 'SKIPPED: ' build/dev/Testing/Temporary/LastTest.log | sed 's/^ *//' | sort | uniq -c || true
step 'done'
exit $status
