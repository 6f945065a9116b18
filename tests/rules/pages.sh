#!/bin/bash
# What the pages for contributors name is there: every path in backquotes, and a row for each room in its layer's page.
# Prints FILE:LINE: what is wrong, and fails, where one is not.
# Usage: pages.sh [TREE]
set -euo pipefail
cd "${1:-$(dirname "$0")/../..}"

broken=0
complain() { # FILE:LINE MESSAGE
  echo "$1: $2"
  broken=1
}

shopt -s nullglob
pages=(CONTRIBUTING.md README.md src/*/README.md tests/*/README.md)

# NAME, and words of capitals, stand for what a reader puts there.
while IFS=: read -r file line path; do
  path=${path//\`/}
  [[ $path =~ [A-Z]{4} || -e $path ]] || complain "$file:$line" "$path is not there"
done < <(for page in "${pages[@]}"; do
  [[ -e $page ]] && { grep -noE '`(src|include|tests|man)/[A-Za-z0-9_./-]+`' "$page" || true; } | sed "s#^#$page:#"
done)

for room in src/*/*/; do
  layer=${room#src/} name=$(basename "$room")
  layer=${layer%%/*}
  page=src/$layer/README.md
  [[ ! -e $page ]] || grep -q "^| $name |" "$page" || complain "$page:1" "has no row for the room $name"
done
exit $broken
