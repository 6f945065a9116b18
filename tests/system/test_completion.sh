#!/bin/bash
# Tab in bash, zsh and fish: the shims as `hrvm completion` prints them, each in its own shell.
. "$(dirname "$0")/lib.sh"

mkdir "$T/bin" "$T/work"
ln -s "$HRVM" "$T/bin/hrvm"
export PATH=$T/bin:$PATH
cd "$T/work"
truncate -s 4M "$T/disk.img"
touch 'an image.img' other
mkdir folder
expect_status 0 hrvm import "$T/disk.img" web --quiet
expect_status 0 hrvm snapshot create web@before-upgrade -m 'before the upgrade'
expect_status 0 hrvm snapshot create web@after

# What bash would offer for a line with the cursor at its end.
in_bash() { # LINE
  bash --norc --noprofile -c '
    . <(hrvm completion bash)
    COMP_LINE=$1 COMP_POINT=${#1}
    _hrvm
    printf "%s\n" "${COMPREPLY[@]}"' bash "$1" | sort
}

in_fish() { fish --no-config -c 'hrvm completion fish | source; complete -C $argv[1]' -- "$1" | sed 's:\t.*::; s:/$::' | sort; }

# _describe and _files belong to zsh's completion system, which needs a terminal: they are played.
in_zsh() {
  zsh -f -c '
    compdef() { :; }
    compset() { :; }
    _describe() { print -rl -- ${(P)2}; }
    _files() { [[ ${1:-} == -/ ]] && print -rl -- *(/N) || print -rl -- *(N); }
    . <(hrvm completion zsh)
    words=(${(z)1}); [[ $1 == *" " ]] && words+=("")
    CURRENT=$#words
    _hrvm' zsh "$1" | sed -n 's/\([^\\]\):.*/\1/; /./p' | sort
}

offers() { # SHELL LINE EXPECTED...
  local shell=$1 line=$2 expected
  shift 2
  command -v "$shell" > /dev/null || return 0
  expected=$([ $# = 0 ] || printf '%s\n' "$@" | sort)
  assert_equal "$("in_$shell" "$line")" "$expected" "what $shell offers for \"$line\""
}

for shell in bash zsh fish; do
  command -v "$shell" > /dev/null || claim "$shell is not installed: left out"
  claim "$shell completes commands, options and choices"
  offers $shell 'hrvm disco' discover
  offers $shell 'hrvm snapshot re' rename revert
  offers $shell 'hrvm import --mem' --memory
  offers $shell 'hrvm import --bus v' virtio
  claim "$shell completes machines, and folders where a folder is wanted"
  offers $shell 'hrvm reset ' web
  offers $shell 'hrvm --store ' folder
done

claim "what lies behind the @ is completed"
offers fish 'hrvm boot web@' web@after web@before-upgrade
offers zsh 'hrvm boot web@' web@after web@before-upgrade
claim "bash, which replaces only what lies behind @ and =, is given only that"
offers bash 'hrvm boot web@' @after @before-upgrade
offers bash 'hrvm snapshot revert web@b' @before-upgrade
offers bash 'hrvm import --bus=v' virtio
offers bash 'hrvm import o' other
offers bash 'hrvm import an' 'an image.img'

claim "of a folder behind = the option stays in front"
offers bash 'hrvm list --store=fo' folder
offers fish 'hrvm list --store=fo' --store=folder

claim "a broken line offers nothing, and says nothing"
offers bash 'hrvm nonsense '
offers bash 'hrvm boot nosuch@'
expect_status 0 hrvm __complete -- boot nosuch@
assert_equal "$OUT$ERR" "" "output"
