#!/bin/bash
# A device is opened for writing in one place, src/block/target_device.cpp, and one command goes through that door.
# Prints FILE:LINE:TEXT and fails where another does, or where a file is opened for writing outside of the layers that
# open files.
# Usage: device-door.sh [TREE]
set -euo pipefail
cd "${1:-$(dirname "$0")/../..}"

broken=0
search() { # PATTERN ALLOWED WHAT
  local found
  # Fails with 1 where nothing is found, and with more where it could not search.
  found=$(git grep -nE "$1" -- 'include/*.hpp' 'src/*.hpp' 'src/*.cpp') || (($? == 1)) || exit 2
  found=$(grep -vE "^($2):" <<< "$found" || true)
  [[ -n $found ]] || return 0
  echo "$found"
  echo "  ^ $3"
  broken=1
}

search 'open_target|TargetDevice' \
  '(include/hrvm/block/(target_device|put_onto)\.hpp|src/block/(target_device|put_onto)\.cpp|src/cli/steps/export_to_disk\.cpp)' \
  'goes through the door to a device that is written'
search 'BLKZEROOUT|BLKDISCARD|BLKSECDISCARD|BLKRRPART|\<SG_IO\>' 'src/block/target_device\.cpp' 'has a device changed'
search 'O_RDWR|O_WRONLY' 'src/(sys/.*|block/(target_device|output_file|copy)\.cpp)' \
  'opens for writing, which sys and block alone do'
exit $broken
