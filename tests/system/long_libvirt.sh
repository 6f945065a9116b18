#!/bin/bash
# The domain that `boot --xml` prints: valid, defined and started by a real libvirtd, and libvirt leaves the base alone,
# whose owner it changes where nobody tells it not to. And a machine that was given to libvirt obeys hrvm as any other,
# and doctor puts libvirt's network right.
. "$(dirname "$0")/lib.sh"
in_private_host

virsh() { command virsh -q -c qemu:///system "$@"; }

BASE=$T/demo.img
demo_disk "$BASE"
base=$(base_identity "$BASE")
chmod 755 "$T" # the guest's process runs as libvirt-qemu, and reads the base
start_libvirt

console() { printf '%s' "$T/console-$1.log"; }

qemu-img create -q -f qcow2 -b demo.img -F raw "$T/mid.qcow2"
qemu-img create -q -f qcow2 -b mid.qcow2 -F qcow2 "$T/chain.qcow2"
images() { base_identity "$T/mid.qcow2"; base_identity "$T/chain.qcow2"; }
images=$(images)

run_machine() { # NAME SOURCE FIRMWARE
  local name=$1 firmware=$3
  claim "$name: the XML is valid and its domain reaches the login"
  expect_status 0 hrvm import "$2" "$name" --memory 512M --cpus 1 --firmware "$firmware"
  expect_status 0 hrvm boot "$name" --xml
  cp "$T/out" "$T/domain.xml"
  if [ "$firmware" = uefi ]; then
    # Printing makes nothing: the first boot makes the variables that the domain names.
    grep -q 'has no UEFI variables yet' "$T/err" || fail "nothing says that variables are missing: $ERR"
    expect_status 0 hrvm boot "$name" --detach
    expect_status 0 hrvm stop "$name" --force
    expect_status 0 hrvm boot "$name" --xml
    assert_equal "$(grep '<nvram' "$T/out")" "$(grep '<nvram' "$T/domain.xml")" "the variables"
    cp "$T/out" "$T/domain.xml"
  fi
  virt-xml-validate "$T/domain.xml" domain > /dev/null || fail "libvirt's schema refuses it: $(cat "$T/domain.xml")"
  virsh define "$T/domain.xml" || fail "virsh does not define it: $(cat "$T/domain.xml")"
  virsh start "$name" || fail "virsh does not start it: $(tail -n 5 /var/log/libvirt/qemu/*.log "$T/libvirtd.log")"
  script -qfc "virsh -c qemu:///system console $name --force" "$(console "$name")" > /dev/null < <(sleep 120) &
  reader=$!
  limit=$((SECONDS + 100))
  until grep -aq "$READY boots=1 fw=$firmware" "$(console "$name")" 2> /dev/null; do
    [ "$SECONDS" -lt "$limit" ] || fail "the domain does not reach its login: $(tail -n 20 "$(console "$name")")"
    sleep 0.2
  done
  claim "$name: hrvm sees that it runs"
  expect_status 0 hrvm show "$name" --json
  assert_json "$T/out" '.machines[0].state == "running"'
  expect_status 1 hrvm reset "$name"
  assert_equal "$(base_identity "$BASE")" "$base" "the base while the domain runs"
  virsh destroy "$name"
  kill -9 "$reader"
  claim "$name: after it has run, the base has owner, mode and times as before"
  assert_equal "$(base_identity "$BASE")" "$base" "the base"
  if [ "$firmware" = uefi ]; then
    claim "$name: hrvm boots what libvirt has run, with the variables that its firmware has written"
    expect_status 0 hrvm boot "$name" --wait-for "$READY boots=2" --timeout 100
  fi
  virsh undefine --nvram "$name" 2> /dev/null || virsh undefine --keep-nvram "$name"
}

# The domain's first disk.
domain_layer() { virsh dumpxml "$1" --inactive | sed -n "s/.*<source file='\([^']*\)'.*/\1/p" | head -n 1; }
is_domain() { virsh domstate "$1" > /dev/null 2>&1; }

obeys_hrvm() {
  claim "given to libvirt: it runs there, and every command says so"
  expect_status 0 hrvm import "$BASE" given --memory 512M --cpus 1 --firmware uefi
  expect_status 0 hrvm boot given --libvirt
  guest_start given script -qfc "'$HRVM' console given" /dev/null
  guest_wait given "$READY boots=1" 150
  expect_status 0 hrvm list --json
  assert_json "$T/out" '.machines[] | select(.name == "given")
    | .state == "running" and .libvirt == {uri: "qemu:///system", domain: "given"}'
  assert_equal "$(jq '.machines[] | select(.name == "given").pid' "$T/out")" "$(cat /run/libvirt/qemu/given.pid)" "pid"
  for order in 'reset given' 'rename given other' 'remove given --yes' 'boot given'; do
    expect_status 1 hrvm $order
    assert_contains "$ERR" 'hrvm stop given'
  done
  expect_status 4 hrvm snapshot create given@x # which a machine of hrvm's own would take while it runs
  assert_contains "$ERR" 'hrvm stop given'

  claim "given to libvirt: its screen is seen, it stands still and goes on, and starts again"
  expect_status 0 hrvm screenshot given "$T/given.png"
  assert_equal "$(head -c 8 "$T/given.png" | od -An -tx1 | tr -d ' ')" 89504e470d0a1a0a "a PNG's first bytes"
  expect_status 0 hrvm pause given --json
  assert_json "$T/out" '.done == "paused"'
  assert_equal "$(virsh domstate given)" paused "the domain"
  expect_status 0 hrvm show given --json
  assert_json "$T/out" '.machines[0].state == "paused"'
  expect_status 0 hrvm resume given --json
  assert_json "$T/out" '.done == "resumed"'
  expect_status 0 hrvm restart given --json
  assert_json "$T/out" '.done == "powered-down"'
  guest_ended given 20
  guest_start again script -qfc "'$HRVM' console given" /dev/null
  guest_wait again "$READY boots=2" 150

  claim "given to libvirt: it powers down"
  expect_status 0 hrvm stop given --json
  assert_json "$T/out" '.stopped == "powered-down"'
  guest_ended again 20
  assert_equal "$(virsh domstate given)" 'shut off' "the domain"
  assert_equal "$(base_identity "$BASE")" "$base" "the base"

  claim "given to libvirt: after a snapshot the domain runs on the layer that is active then"
  virsh autostart given > /dev/null
  expect_status 0 hrvm snapshot create given@first
  assert_equal "$(domain_layer given)" "$(active_layer given)" "the domain's layer"
  assert_contains "$(virsh dominfo given)" 'Autostart:      enable'
  frozen=$(jq -r '.snapshots[0].layer' "$HRVM_STORE/given/current")
  before=$(shown "$HRVM_STORE/given/layers/$frozen.qcow2")
  virsh start given
  guest_start third script -qfc "'$HRVM' console given" /dev/null
  guest_wait third "$READY boots=3" 150
  expect_status 0 hrvm stop given --force --json
  assert_json "$T/out" '.stopped == "quit"'
  guest_ended third 20
  assert_equal "$(shown "$HRVM_STORE/given/layers/$frozen.qcow2")" "$before" "what the frozen layer shows"

  claim "given to libvirt: a saved guest's disk is left alone, and its renamed machine is a renamed domain"
  virsh start given
  virsh managedsave given > /dev/null
  expect_status 1 hrvm reset given
  assert_contains "$ERR" 'managedsave-remove given'
  virsh managedsave-remove given > /dev/null
  expect_status 0 hrvm rename given other
  ! is_domain given || fail "the domain has its old name"
  assert_equal "$(domain_layer other)" "$(active_layer other)" "the domain's layer"
  virsh dumpxml other --inactive > "$T/domain.xml"
  virt-xml-validate "$T/domain.xml" domain > /dev/null || fail "libvirt's schema refuses it: $(cat "$T/domain.xml")"

  claim "given to libvirt: a second boot defines it anew, and without libvirt nothing of it is changed"
  expect_status 0 hrvm boot other --libvirt --memory 640M
  assert_contains "$(virsh dumpxml other)" ">655360</memory>"
  expect_status 0 hrvm stop other --force
  jq '.uri = "qemu+unix:///system?socket=/nonexistent"' "$HRVM_STORE/other/libvirt.json" > "$T/record"
  cp -p "$HRVM_STORE/other/libvirt.json" "$T/kept"
  cp "$T/record" "$HRVM_STORE/other/libvirt.json"
  expect_status 1 hrvm reset other
  assert_one_message
  assert_contains "$ERR" 'out of reach'
  cp "$T/kept" "$HRVM_STORE/other/libvirt.json"

  claim "given to libvirt: remove undefines it"
  expect_status 0 hrvm reset other --keep-nvram
  assert_equal "$(domain_layer other)" "$(active_layer other)" "the domain's layer"
  expect_status 0 hrvm remove other --yes
  ! is_domain other || fail "the domain is still defined"
  [ ! -e "$HRVM_STORE/other" ] || fail "the machine is still there"
}

# started NAME BOOT-OPTIONS: given to libvirt, which runs it. Its live XML is in $T/live.xml, QEMU's words in $T/command.
started() {
  local name=$1
  shift
  expect_status 0 hrvm boot "$name" --libvirt "$@"
  virsh dumpxml "$name" > "$T/live.xml"
  tr '\0' '\n' < "/proc/$(cat "/run/libvirt/qemu/$name.pid")/cmdline" > "$T/command"
}
lives() { grep -q -- "$1" "$T/live.xml" || fail "the live domain has no $1: $(cat "$T/live.xml")"; }
runs_with() { grep -q -- "$1" "$T/command" || fail "QEMU was not told $1: $(cat "$T/command")"; }

# How the domain's QEMU has a file open, each time: 0 for reading, 2 for reading and writing.
open_modes() { # NAME FILE
  local descriptor process
  process=$(cat "/run/libvirt/qemu/$1.pid")
  for descriptor in "/proc/$process/fd"/*; do
    [ "$(readlink "$descriptor")" != "$2" ] || sed -n 's/^flags:.*\(.\)$/\1/p' "/proc/$process/fdinfo/${descriptor##*/}"
  done | sort -u
}

# ended NAME: and what it lay on is as it was.
ended() {
  expect_status 0 hrvm stop "$1" --force
  assert_equal "$(virsh domstate "$1")" 'shut off' "the domain"
  assert_equal "$(base_identity "$BASE")" "$base" "the base"
  assert_equal "$(base_identity "$OTHER")" "$other" "the other disk"
}

takes_all_hardware() {
  ip link set lo up
  OTHER=$T/other.img
  truncate -s 8M "$OTHER"
  other=$(base_identity "$OTHER")

  claim "in libvirt: a TPM, Secure Boot, another disk, a disc, VNC on a port, and a processor's flags"
  expect_status 0 hrvm import "$BASE" whole --memory 512M --cpus 1 --firmware uefi --secure-boot on --tpm \
    --disk "$OTHER,ro" --iso "$OTHER"
  started whole --vnc 5987 --accel tcg --cpu Nehalem,-aes,+avx
  lives "<tpm model='tpm-crb'>"
  lives "secure='yes'"
  lives "<smm state='on'/>"
  lives "<graphics type='vnc' port='5987' autoport='no' listen='127.0.0.1'>"
  lives "<feature policy='disable' name='aes'/>"
  runs_with 'tpm-crb'
  runs_with 'smm=on'
  runs_with 'driver=cfi.pflash01,property=secure,value=on'
  runs_with '^127.0.0.1:87'
  runs_with '^Nehalem,aes=off,avx=on'
  assert_equal "$(grep -c "$OTHER" "$T/command") $(open_modes whole "$OTHER")" '2 0' "the other disk, and how it is open"
  assert_equal "$(open_modes whole "$BASE")" 0 "how the base is open"
  [ -n "$(pgrep -f "swtpm socket.*$(virsh domuuid whole)")" ] || fail "there is no swtpm"
  timeout 5 bash -c 'exec 3<> /dev/tcp/127.0.0.1/5987 && head -c 3 <&3' | grep -q RFB || fail "no VNC on its port"
  ended whole
  memory=/var/lib/libvirt/swtpm/$(virsh domuuid whole)/tpm2/tpm2-00.permall
  before=$(sha256sum < "$memory")
  expect_status 0 hrvm set whole bus=sata tpm=on
  assert_equal "$(sha256sum < "$memory")" "$before" "what its TPM remembers after a change"

  claim "in libvirt: SATA with another disk on USB"
  started whole --firmware bios --secure-boot off
  lives "<target dev='sdb' bus='usb'/>"
  runs_with '"driver":"ide-hd"'
  runs_with '"driver":"usb-storage"'
  assert_equal "$(open_modes whole "$OTHER")" 0 "how the other disk is open"
  ended whole

  claim "in libvirt: IDE, with the disc on its second channel; NVMe is refused"
  started whole --firmware bios --secure-boot off --bus ide
  lives "machine='pc-i440fx"
  lives "<target dev='hda' bus='ide'/>"
  runs_with '"driver":"ide-cd","bus":"ide.1","unit":0'
  ended whole
  expect_status 1 hrvm boot whole --libvirt --bus nvme
  assert_contains "$ERR" 'no emulated NVMe'

  claim "in libvirt: a change that is killed between undefining and defining its domain is mended by the next"
  mkdir -p "$T/bin"
  cat > "$T/bin/virsh" << END
#!/bin/sh
for word; do [ "\$word" != define ] || { kill -9 \$PPID; exit 1; }; done
exec $(type -P virsh) "\$@"
END
  chmod 755 "$T/bin/virsh"
  PATH=$T/bin:$PATH expect_status 137 "$HRVM" snapshot create whole@first
  ! is_domain whole || fail "it was not cut off"
  assert_equal "$(check_status domains)" warning "doctor's word"
  expect_status 0 hrvm set whole memory=640M
  assert_equal "$(domain_layer whole)" "$(active_layer whole)" "the domain's layer"
  assert_equal "$(check_status domains)" ok "doctor's word"

  claim "in libvirt: a libvirtd that stands still holds up no list"
  started whole --firmware bios --secure-boot off
  kill -STOP "$libvirtd"
  expect_status 0 timeout 20 "$HRVM" list --json
  kill -CONT "$libvirtd"
  assert_contains "$ERR" 'does not answer'
  assert_json "$T/out" '.machines[0].state == "running" and .machines[0].libvirt == null'
  ended whole
  expect_status 0 hrvm remove whole --yes
  [ ! -e "$memory" ] || fail "libvirt keeps what its TPM remembers"
}

check_status() { hrvm doctor "${@:2}" --json | jq -r --arg id "$1" '.checks[] | select(.id == $id).status'; }

doctor_puts_right() {
  claim "doctor sees libvirt's services"
  assert_equal "$(check_status libvirtd) $(check_status virtlogd)" 'ok ok' "libvirtd and virtlogd"
  if ! ip link add probe0 type bridge 2> /dev/null; then
    claim "left out: this kernel has no bridges for libvirt's default network"
    return 0
  fi
  ip link delete probe0
  claim "doctor --fix starts libvirt's default network, for the host's next start as well"
  assert_equal "$(check_status network)" warning "the network"
  expect_status 0 hrvm doctor --fix --json
  assert_json "$T/out" '.fixed | index("network") != null'
  assert_equal "$(check_status network)" ok "the network"
  assert_equal "$(virsh net-list --autostart --name)" default "active networks that start by themselves"
  virsh net-autostart default --disable > /dev/null
  assert_equal "$(check_status network)" warning "the network"
  assert_equal "$(check_status network --fix)" ok "the network"
  virsh net-destroy default > /dev/null
}

doctor_puts_right
takes_all_hardware
obeys_hrvm
run_machine bios "$BASE" bios
run_machine uefi "$BASE" uefi
run_machine chain "$T/chain.qcow2" bios
assert_equal "$(images)" "$images" "the images of the chain"
assert_equal "$(base_identity "$BASE")" "$base" "the base"
