#!/bin/bash
# Holds every #include under include/ and src/ to the order of the layers, and each C library and system header to the
# one place that hides it. Prints FILE:LINE: what is wrong, and fails, where one is broken.
# Usage: layers.sh [TREE]
set -euo pipefail
cd "${1:-$(dirname "$0")/../..}"

# A layer may include itself and what stands before it.
layers=(base report sys block image volume fs probe machine launch doctor cli)

declare -A place
for i in "${!layers[@]}"; do place[${layers[i]}]=$i; done
place[main.cpp]=${#layers[@]}

# What an include matches, and the only files that may have it.
hidden=(
  'CLI/|CLI11'                    '^src/cli/words/parser\.cpp$'
  'nlohmann/'                     '^src/base/json\.cpp$'
  'pugixml'                       '^src/launch/'
  'ext2fs/|et/com_err'            '^src/fs/'
  'ntfs-3g/'                      '^src/fs/'
  'blkid/|libudev'                '^src/probe/'
  'xxhash|nettle'                 '^src/(fs|machine|volume)/'
  'zlib\.h|zstd'                  '^src/(fs|image|probe/initramfs)/'
  'bzlib|lz4|lzma'                '^src/probe/initramfs/'
  'lzo/'                          '^src/fs/'
  'fmt/format-inl'                '^src/base/fmt\.cpp$'
  '(unistd|fcntl|poll|spawn|signal|termios)\.h$|linux/|sys/(.*/)?[a-z]+\.h$' '^src/(sys|block)/'
)
# Types and macros alone, which call nothing.
harmless='^sys/(types|sysmacros)\.h$'

broken=0
complain() { # FILE:LINE MESSAGE
  echo "$1: $2"
  broken=1
}

# include/hrvm/LAYER/… and src/LAYER/… belong to LAYER.
layer_of() {
  local path=${1#include/hrvm/}
  path=${path#src/}
  echo "${path%%/*}"
}

check_hrvm_header() { # FILE WHERE LAYER HEADER
  local own=${place[$3]:-} other=${place[$(layer_of "include/$4")]:-}
  if [[ -z $own ]]; then
    complain "$2" "$3 is no layer"
  elif [[ -z $other ]]; then
    complain "$2" "includes $4, which belongs to no layer"
  elif ((other > own)); then
    complain "$2" "$3 includes $4, which stands above it"
  elif [[ $4 == hrvm/report/* && $3 != report && $3 != cli ]]; then
    complain "$2" "includes $4, which is for cli only"
  fi
}

check_foreign_header() { # FILE WHERE LAYER HEADER
  local first=${4%%/*} i
  [[ $4 =~ $harmless ]] && return
  if [[ $4 == */* && -n ${place[$first]:-} && $first != "$3" && $first != sys ]]; then
    complain "$2" "includes $4, a private header of another layer"
  fi
  for ((i = 0; i < ${#hidden[@]}; i += 2)); do
    [[ $4 =~ ^(${hidden[i]}) && ! $1 =~ ${hidden[i + 1]} ]] && complain "$2" "includes $4, which belongs into ${hidden[i + 1]}"
  done
  return 0
}

checked=0
while IFS=: read -r file line text; do
  [[ $text =~ [\<\"]([^\>\"]+)[\>\"] ]] || continue
  header=${BASH_REMATCH[1]}
  checked=$((checked + 1))
  if [[ $header == hrvm/* ]]; then
    check_hrvm_header "$file" "$file:$line" "$(layer_of "$file")" "$header"
  else
    check_foreign_header "$file" "$file:$line" "$(layer_of "$file")" "$header"
  fi
done < <(grep -rnE '^[[:space:]]*#[[:space:]]*include' --include='*.?pp' --include='*.h' include src)

if ((checked == 0)); then
  echo "found no #include under include/ and src/ of $PWD"
  exit 1
fi
exit $broken
