#!/bin/bash
# tidy.sh [FILE...]: clang-tidy 14 on these sources, or on those that differ from main's and are committed or not. An aid
# by hand: what it says is worth a look, and no test fails of it. Needs clang-tidy, and the dev preset to be configured.
set -euo pipefail
cd "$(dirname "$0")/.."

tidy=$(command -v clang-tidy-14 clang-tidy | head -n 1) || { echo "tidy.sh: apt install clang-tidy" >&2; exit 1; }
[ -e build/dev/compile_commands.json ] || cmake --preset dev > /dev/null
if [ $# -gt 0 ]; then
  files=("$@")
else
  base=$(git merge-base HEAD "$(git rev-parse --verify -q origin/main || echo HEAD)")
  mapfile -t files < <({ git diff --name-only --diff-filter=d "$base" -- '*.cpp'; git ls-files -o --exclude-standard '*.cpp'; } | sort -u)
fi
[ ${#files[@]} -gt 0 ] || { echo "no source has changed"; exit 0; }

# Its precompiled headers are g++'s, and so are some warnings.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sed -E 's/ -Winvalid-pch| -include [^ ]*cmake_pch\.hxx//g' build/dev/compile_commands.json > "$work/compile_commands.json"
printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P "$(nproc)" "$tidy" --quiet -p "$work" \
  --extra-arg=-Wno-unknown-warning-option 2> /dev/null
