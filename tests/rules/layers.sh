#!/bin/bash
# Holds every #include under include/ and src/ to the order of the layers, and of the rooms within a layer, and each C
# library and system header to the one place that hides it. Prints FILE:LINE: what is wrong, and fails, where one is
# broken.
# Usage: layers.sh [TREE]
set -euo pipefail
cd "${1:-$(dirname "$0")/../..}"

# A layer may include itself and what stands before it.
layers=(base report sys block image volume fs probe machine launch doctor cli)

# The rooms of a layer, in order: a room includes itself and those that stand before it. "." are the files that lie in no
# room, unless one is named as if it were a room of its own. A public header belongs to the room that has the .cpp of its name; one that has none is for all of its layer. A
# layer that is not named here has no rooms.
declare -A rooms=(
  [sys]='. confined'
  [image]='foreign qcow2 make check repair merge .'
  [volume]='. thin lvm md luks zfs'
  [fs]='. jbd2 ext fat ntfs xfs btrfs folder diff'
  [probe]='table disk signature registry packages systems boot initramfs drivers hazards roots .'
  [machine]='definition store bisect drift retention change import'
  [launch]='firmware plan folder qemu libvirt live run'
  [cli]='. words views steps commands run.cpp'
)

declare -A place
for i in "${!layers[@]}"; do place[${layers[i]}]=$i; done
place[main.cpp]=${#layers[@]}

# What an include matches, and the only files that may have it.
hidden=(
  'CLI/|CLI11'                    '^src/cli/words/parser\.cpp$'
  'nlohmann/'                     '^src/base/json\.cpp$'
  'pugixml'                       '^src/launch/libvirt/'
  'ntfs-3g/'                      '^src/fs/ntfs/'
  'blkid/'                        '^src/probe/signature/signature\.cpp$'
  'libudev'                       '^src/probe/disk/udev\.'
  'xxhash'                        '^src/(fs/btrfs|machine/drift)/'
  'nettle'                        '^src/(fs/btrfs|machine/drift|volume/(lvm|md|zfs))/'
  'zlib\.h|zstd'                  '^src/(fs/btrfs|image/(foreign|qcow2|make)|probe/initramfs)/'
  'bzlib|lz4|lzma'                '^src/probe/initramfs/'
  'lzo/'                          '^src/fs/btrfs/'
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

# Functions that find something leave it in REPLY: a process for each of some thousand includes would take minutes.

# include/hrvm/LAYER/… and src/LAYER/… belong to LAYER.
layer_of() {
  REPLY=${1#include/hrvm/}
  REPLY=${REPLY#src/}
  REPLY=${REPLY%%/*}
}

# The room of a file of LAYER, by its path below the layer's folder.
room_of() { # LAYER PATH
  if [[ $2 == */* ]]; then
    REPLY=${2%%/*}
  elif [[ " ${rooms[$1]} " == *" $2 "* ]]; then
    REPLY=$2
  else
    REPLY=.
  fi
}

# Where ROOM stands in the order of LAYER; nothing where it has none.
rank_of() { # LAYER ROOM
  local room i=0
  for room in ${rooms[$1]}; do
    REPLY=$i
    [[ $room == "$2" ]] && return
    i=$((i + 1))
  done
  REPLY=
}

# LAYER/STEM: the rooms that have a .cpp of this name.
declare -A homes=()
for layer in "${!rooms[@]}"; do
  for file in "src/$layer"/*.cpp "src/$layer"/*/*.cpp; do
    [[ -e $file ]] || continue
    stem=${file##*/}
    room_of "$layer" "${file#src/"$layer"/}"
    homes[$layer/${stem%.cpp}]+="$REPLY "
  done
done

# FILE includes something of its own layer that lies in one of ROOMS.
check_rooms() { # FILE WHERE LAYER HEADER ROOMS...
  local file=$1 where=$2 layer=$3 header=$4 own other room
  shift 4
  room_of "$layer" "${file#src/"$layer"/}"
  room=$REPLY
  rank_of "$layer" "$room"
  own=$REPLY
  [[ -n $own ]] || { complain "$where" "$room is no room of $layer"; return; }
  for other; do
    rank_of "$layer" "$other"
    [[ -n $REPLY ]] && ((REPLY <= own)) && return
  done
  (($# == 0)) || complain "$where" "$room includes $header, which lies in $1, no room before it"
}

check_hrvm_header() { # FILE WHERE LAYER HEADER
  local own=${place[$3]:-} other stem=${4##*/}
  layer_of "include/$4"
  other=${place[$REPLY]:-}
  if [[ -z $own ]]; then
    complain "$2" "$3 is no layer"
  elif [[ -z $other ]]; then
    complain "$2" "includes $4, which belongs to no layer"
  elif ((other > own)); then
    complain "$2" "$3 includes $4, which stands above it"
  elif [[ $4 == hrvm/report/* && $3 != report && $3 != cli ]]; then
    complain "$2" "includes $4, which is for cli only"
  elif ((other == own)) && [[ -n ${rooms[$3]:-} && $1 == src/* ]]; then
    check_rooms "$@" ${homes[$3/${stem%.hpp}]:-}
  fi
}

check_foreign_header() { # FILE WHERE LAYER HEADER QUOTE
  local first=${4%%/*} i
  [[ $4 =~ $harmless ]] && return
  if [[ $4 == */* && -n ${place[$first]:-} && $first != "$3" && $first != sys ]]; then
    complain "$2" "includes $4, a private header of another layer"
  elif [[ $4 == "$3"/* && -n ${rooms[$3]:-} ]]; then
    room_of "$3" "${4#*/}"
    check_rooms "${@:1:4}" "$REPLY"
  elif [[ $5 == '"' && $4 != "$3"/* ]]; then
    complain "$2" "quotes $4, which has to be named from the root of src"
  fi
  for ((i = 0; i < ${#hidden[@]}; i += 2)); do
    [[ $4 =~ ^(${hidden[i]}) && ! $1 =~ ${hidden[i + 1]} ]] && complain "$2" "includes $4, which belongs into ${hidden[i + 1]}"
  done
  return 0
}

checked=0
while IFS=: read -r file line text; do
  [[ $text =~ ([\<\"])([^\>\"]+)[\>\"] ]] || continue
  quote=${BASH_REMATCH[1]} header=${BASH_REMATCH[2]}
  checked=$((checked + 1))
  layer_of "$file"
  if [[ $header == hrvm/* ]]; then
    check_hrvm_header "$file" "$file:$line" "$REPLY" "$header"
  else
    check_foreign_header "$file" "$file:$line" "$REPLY" "$header" "$quote"
  fi
done < <(grep -rnE '^[[:space:]]*#[[:space:]]*include' --include='*.?pp' --include='*.h' include src)

if ((checked == 0)); then
  echo "found no #include under include/ and src/ of $PWD"
  exit 1
fi
exit $broken
