#!/bin/bash
# clang-format has the last word on the layout of every tracked source. Prints FILE:LINE: what is wrong, and fails, where
# one is laid out otherwise.
# Usage: format.sh [TREE]
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
cd "${1:-$here}"

# Other versions lay out otherwise.
readonly VERSION=14
formatter=$(command -v "clang-format-$VERSION" clang-format | head -n 1) || true
if [[ -z $formatter ]] || ! "$formatter" --version | grep -q "version $VERSION\\."; then
  echo "SKIPPED: there is no clang-format $VERSION: run tests/deps.sh"
  exit 77
fi

complaints=$(git ls-files -z '*.cpp' '*.hpp' \
  | xargs -0 -r -n 40 -P "$(nproc)" "$formatter" --style="file:$here/.clang-format" --dry-run --Werror 2>&1) || broken=1
# clang-format tells a place as FILE:LINE:COLUMN, then shows the line.
grep -E '^[^ ]+:[0-9]+:[0-9]+: ' <<< "$complaints" | sed -E 's/^([^ ]+:[0-9]+):[0-9]+: .*/\1: clang-format lays this out otherwise/' \
  | sort -u -t: -k1,1 -k2,2n || true
exit "${broken:-0}"
