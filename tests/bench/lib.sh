# lib.sh: what all benches share. HRVM names the binary (else build/release/hrvm), BENCH_DIR a folder on the disk to
# measure (else /var/tmp). WORK is a new folder there, which goes when the bench ends. A bench ends with: exit $missed
set -euo pipefail
export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

HRVM=$(realpath "${HRVM:-build/release/hrvm}")
WORK=$(mktemp -d "${BENCH_DIR:-/var/tmp}/hrvm-bench-XXXXXX")
missed=0
finish() { rm -rf "$WORK"; }
trap finish EXIT

# with_own_mounts SCRIPT ARGUMENTS...: for benches that mount, by root. The script starts again where its mounts are seen by
# itself alone; `mounted` is a folder for them, and what is mounted there goes when the bench ends.
with_own_mounts() {
  [ "$(id -u)" = 0 ] || { echo "needs root" >&2; exit 2; }
  if [ -z "${HRVM_BENCH_MOUNTS:-}" ]; then
    finish
    HRVM_BENCH_MOUNTS=1 exec unshare --mount "$PWD/tests/bench/$1" "${@:2}"
  fi
  mounted=$WORK/mounted
  mkdir "$mounted"
  finish() {
    ! mountpoint -q "$mounted" || umount "$mounted"
    rm -rf --one-file-system "$WORK"
  }
}

seconds() { # COMMAND...: wall time
  local start=$EPOCHREALTIME
  "$@" > /dev/null 2>&1
  awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.4f\n", b - a }'
}
median() { sort -n "$@" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; } # FILE, else standard input
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.4f", a / b }'; }

verdict() { # WHAT CONDITION: prints it, and remembers a goal that was missed
  if awk "BEGIN { exit !($2) }"; then echo "ok      $1"; else echo "MISSED  $1"; missed=1; fi
}
judge() { # TEXT RATIO GOAL
  local verdict=reached
  awk -v r="$2" -v g="$3" 'BEGIN { exit !(r > g) }' && { verdict=MISSED; missed=1; }
  printf '%-44s %6.3f   goal %s: %s\n' "$1" "$2" "$3" "$verdict"
}
