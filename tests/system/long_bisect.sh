#!/bin/bash
# Which snapshot broke the boot, told by real guests: by what they print, by how they come up, and by a command that
# talks to one while it runs.
. "$(dirname "$0")/lib.sh"

import_demo
base=$(base_identity "$BASE")
at_end 'hrvm stop demo --all --force > /dev/null 2>&1'

on_guest() { printf '%s\n' "$1" | hrvm console demo --wait-for "$2" --timeout 60 > "$T/out" || fail "$(cat "$T/out")"; }

# s1, s2 and s3 come up; from s4 on there is no login, which the console does not say.
for number in 1 2 3; do expect_status 0 hrvm snapshot create "demo@s$number"; done
expect_status 0 hrvm boot demo --detach --wait-for 'login:' --timeout 120
on_guest root '# $'
on_guest 'echo broken > /root/note; rm -f /sbin/getty; sync; echo done-$((1 + 1))' '^done-2$'
expect_status 0 hrvm stop demo
for number in 4 5 6; do expect_status 0 hrvm snapshot create "demo@s$number"; done
list() { find "$HRVM_STORE/demo/layers" -type f -exec sha256sum {} + | sort; }
before=$(list)

claim "the first one that does not ask for a login is found by what it prints"
expect_status 0 hrvm bisect start demo
expect_status 0 hrvm bisect run demo --wait-for 'login:' --fail-on 'getty.*No such file' --timeout 120 --json
assert_json "$T/out" '.first_bad == "s4" and .tests == 3'
assert_json "$T/out" '[.tested[] | select(.verdict == "bad")] | all(.[]; .seen | test("getty"))'
assert_json "$T/out" '[.tested[] | select(.verdict == "good")] | all(.[]; .seen | test("login:"))'

claim "so it is by how it comes up"
expect_status 0 hrvm bisect reset demo
expect_status 0 hrvm bisect start demo s5 s2
expect_status 0 hrvm bisect run demo --timeout 120 --json
assert_json "$T/out" '.first_bad == "s4" and ([.tested[].verdict] == ["good", "bad"])'

claim "a command talks to the machine that runs, which ends with it"
cat > "$T/judge" << 'JUDGE'
#!/bin/bash
# Good where the guest has no note. What it is given works.
[ -S "$HRVM_QMP" ] || exit 127
[ -n "$HRVM_SSH_PORT" ] || exit 127
answer=$(python3 - "$HRVM_CONSOLE" << 'TALK'
import socket, sys, time
line = socket.socket(socket.AF_UNIX)
line.connect(sys.argv[1])
line.settimeout(20)
text, asked = b'', False
line.sendall(b'root\n')
while b'asked-2' not in text:
    text += line.recv(4096)
    if b'# ' in text and not asked:
        line.sendall(b'cat /root/note; echo asked-$((1 + 1))\n')
        asked = True
print(text.decode(errors='replace'))
TALK
) || exit 125
[[ $answer != *broken* ]]
JUDGE
chmod +x "$T/judge"
expect_status 0 hrvm bisect reset demo
expect_status 0 hrvm bisect start demo s4 s1
expect_status 0 hrvm bisect run demo --boot --wait-for 'login:' --timeout 120 --json -- "$T/judge"
assert_json "$T/out" '.first_bad == "s4" and all(.tested[]; .verdict == "good" and .status == 0)'

claim "a machine whose current state runs has its snapshots tested all the same"
expect_status 0 hrvm bisect reset demo
expect_status 0 hrvm bisect start demo s5 s2
expect_status 0 hrvm boot demo --detach
expect_status 0 hrvm bisect run demo --wait-for 'login:' --fail-on 'getty.*No such file' --timeout 120 --json
assert_json "$T/out" '.first_bad == "s4"'
expect_status 0 hrvm stop demo --force

claim "killed as a guest runs: the guest ends with it, and the next run goes on"
expect_status 0 hrvm bisect reset demo
expect_status 0 hrvm bisect start demo
"$HRVM" bisect run demo --wait-for never --timeout 200 > /dev/null 2>&1 < /dev/null &
victim=$!
await 60 'no guest was started' eval 'ls "$HRVM_STORE"/demo/tmp/*/layer.qcow2 > /dev/null 2>&1 && pgrep -f "$HRVM_STORE/demo/tmp" > "$T/qemu"'
{ kill -9 "$victim" && wait "$victim"; } 2> /dev/null || true
await 30 'QEMU outlived it' eval "! kill -0 $(head -n 1 "$T/qemu") 2> /dev/null"
expect_status 0 hrvm bisect status demo --json
assert_json "$T/out" '.tests == 0 and .next == "s3"'
[ -z "$(ls "$HRVM_STORE/demo/tmp" 2> /dev/null)" ] || fail 'a throw-away layer is left'

claim "no layer of the machine was written to, and the base is unchanged"
assert_equal "$(list | grep -vF "$(active_layer demo)")" "$(grep -vF "$(active_layer demo)" <<< "$before")" 'layers'
assert_equal "$(base_identity "$BASE")" "$base" "the base"
