#!/bin/bash
# The project speaks of itself alone: no path of the place where it is built, no note to oneself that should be an issue
# or a fix, and no program started through a shell. Prints FILE:LINE:TEXT and fails where a tracked file has one.
# Usage: self-alone.sh [TREE]
set -euo pipefail
cd "${1:-$(dirname "$0")/../..}"

# The brackets keep this file from finding itself.
places='/[w]ork/|/[f]arm/|\.\./[s]hared'
notes='\<([T]ODO|[F]IXME|[X]XX)\>'
shells='(^|[^[:alnum:]_.>])(std::|::)?([s]ystem|[p]open)[[:space:]]*\('

broken=0
search() { # PATTERN WHAT [PATHSPEC…]
  local pattern=$1 what=$2 found
  shift 2
  # Fails with 1 where nothing is found, and with more where it could not search.
  found=$(git grep -nIE "$pattern" -- "$@") || (($? == 1)) || exit 2
  [[ -n $found ]] || return 0
  echo "$found"
  echo "  ^ $what"
  broken=1
}

search "$places" 'a path of the place where this was written'
search "$notes" 'a note to oneself: do it, or say in plain words what is not done' ':!LICENSE'
search "$shells" 'starts a shell: use sys::Runner with an argument vector' '*.cpp' '*.hpp' '*.c' '*.h'
exit $broken
