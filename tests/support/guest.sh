# Guests whose serial line is typed on and read: sourced by the system tests and by the demonstration, which say what
# `fail` does and have a folder $T. A guest has a name and a folder $T/guest-NAME: keys (a pipe), screen, errors, pid, and
# how much of the screen has been seen.

GUESTS=() # their folders

end_process() { # PID: asks, then insists
  local pid=$1 turn
  kill "$pid" 2> /dev/null || return 0
  for turn in {1..50}; do
    kill -0 "$pid" 2> /dev/null || return 0
    sleep 0.1
  done
  kill -9 "$pid" 2> /dev/null || true
}

end_guests() {
  local folder
  for folder in "${GUESTS[@]}"; do end_process "$(cat "$folder/pid")"; done
}

READY='HRVM-DEMO-READY'

# guest_start GUEST COMMAND...: runs a command whose standard streams are the guest's serial line.
guest_start() {
  local folder=$T/guest-$1
  shift
  rm -rf "$folder"
  mkdir -p "$folder"
  mkfifo "$folder/keys"
  echo 0 > "$folder/seen"
  : > "$folder/screen"
  "$@" 0<> "$folder/keys" > "$folder/screen" 2> "$folder/errors" &
  echo $! > "$folder/pid"
  GUESTS+=("$folder")
}

guest_text() { tail -c "+$(($(cat "$T/guest-$1/seen") + 1))" "$T/guest-$1/screen"; }

guest_match() { guest_text "$1" | grep -aEbo -m 1 -- "$2" | head -n 1; } # OFFSET:TEXT

# guest_wait GUEST REGEX [SECONDS]: until the serial line shows it, after what was waited for before. Sets $MATCH.
guest_wait() {
  local folder=$T/guest-$1 regex=$2 limit=$((SECONDS + ${3:-120})) alive=1 hit
  until hit=$(guest_match "$1" "$regex"); do
    [ -n "$alive" ] || fail "guest $1 ended before it showed \"$regex\": $(cat "$folder/errors"; guest_tail "$1")"
    [ "$SECONDS" -lt "$limit" ] || fail "guest $1 did not show \"$regex\" in time: $(guest_tail "$1")"
    sleep 0.1
    kill -0 "$(cat "$folder/pid")" 2> /dev/null || alive=
  done
  MATCH=${hit#*:}
  echo $(($(cat "$folder/seen") + ${hit%%:*} + ${#MATCH})) > "$folder/seen"
}

guest_tail() { guest_text "$1" | tr -d '\r\0' | tail -n 20; }

# Opened for reading as well, so that a guest that is gone does not block us.
guest_type() { printf '%s\n' "$2" 1<> "$T/guest-$1/keys"; }

guest_login() {
  guest_wait "$1" 'login:'
  guest_type "$1" root
  guest_wait "$1" '# '
}

# guest_run GUEST COMMAND: in a shell that is logged in; it must succeed.
guest_run() {
  guest_type "$1" "$2; echo \"[status \$?]\""
  guest_wait "$1" '\[status [0-9]+\]'
  [ "$MATCH" = '[status 0]' ] || fail "in guest $1: $2: $MATCH"
}

guest_ended() { # GUEST [SECONDS]: waits for it
  local pid limit=$((SECONDS + ${2:-30}))
  pid=$(cat "$T/guest-$1/pid")
  while kill -0 "$pid" 2> /dev/null; do
    [ "$SECONDS" -lt "$limit" ] || fail "guest $1 has not ended: $(guest_tail "$1")"
    sleep 0.1
  done
  wait "$pid" || true
}

guest_poweroff() {
  guest_type "$1" poweroff
  guest_ended "$1"
}
