#!/bin/bash
# Each rule finds what it is there for: a tree that is right passes, and with one wrong line in it the rule fails and names
# the file and the line.
set -euo pipefail
rules=$(cd "$(dirname "$0")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

failed=0
fresh_tree() {
  rm -rf "$tree" && mkdir -p "$tree"/{include/hrvm/{base,block,fs},src/{base,block,fs/{ext,xfs},cli,machine/store}}
  echo '#include "hrvm/base/error.hpp"' >"$tree/include/hrvm/block/device.hpp"
  echo '#include <sys/types.h>' >"$tree/include/hrvm/fs/file.hpp"
  printf '%s\n' '#include <fcntl.h>' '#include "block/range.hpp"' '#include "hrvm/base/x.hpp"' >"$tree/src/block/device.cpp"
  printf '%s\n' '#include "hrvm/fs/x.hpp"' '#include "hrvm/report/x.hpp"' >"$tree/src/cli/run.cpp"
  printf '%s\n' 'void operating_system();' 'auto path = "/tmp/a-XXXXXX";' >"$tree/src/fs/file.cpp"
  echo '#include "fs/path.hpp"' >"$tree/src/fs/ext/ext.cpp"
  echo '#include "hrvm/machine/definition.hpp"' >"$tree/src/machine/store/store.cpp"
  git -C "$tree" init -q
}

run() { # RULE
  git -C "$tree" add -A
  "$rules/$1" "$tree" 2>&1
}

passes() { # RULE
  fresh_tree
  run "$1" >/dev/null && return
  echo "$1 refuses a tree that is right: $(run "$1")"
  failed=1
}

# The line is put behind a first one, so that the number is checked as well.
bites() { # RULE FILE LINE
  local output
  fresh_tree
  mkdir -p "$(dirname "$tree/$2")"
  printf '%s\n' '// first' "$3" >"$tree/$2"
  if output=$(run "$1"); then
    echo "$1 lets '$3' pass in $2"
    failed=1
  elif [[ $output != *"$2:2:"* ]]; then
    echo "$1 does not name $2:2 for '$3', but says: $output"
    failed=1
  fi
}

passes layers.sh
bites layers.sh include/hrvm/base/a.hpp '#include "hrvm/sys/fd.hpp"'
bites layers.sh src/block/a.cpp '  #  include "hrvm/image/header.hpp"'
bites layers.sh src/doctor/a.cpp '#include <hrvm/cli/run.hpp>'
bites layers.sh src/machine/a.cpp '#include "hrvm/report/report.hpp"'
bites layers.sh src/machine/a.cpp '#include "hrvm/nowhere/x.hpp"'
bites layers.sh src/elsewhere/a.cpp '#include "hrvm/base/x.hpp"'
bites layers.sh src/launch/a.cpp '#include "machine/private.hpp"'
bites layers.sh src/cli/a.cpp '#include <CLI/CLI.hpp>'
bites layers.sh src/machine/a.cpp '#include <nlohmann/json.hpp>'
bites layers.sh src/cli/a.cpp '#include <pugixml.hpp>'
bites layers.sh src/probe/a.cpp '#include <ntfs-3g/volume.h>'
bites layers.sh src/fs/a.cpp '#include <blkid/blkid.h>'
bites layers.sh src/cli/a.cpp '#include <libudev.h>'
bites layers.sh src/probe/a.cpp '#include <sys/stat.h>'
bites layers.sh src/image/a.cpp '#include <linux/fs.h>'
bites layers.sh src/launch/a.cpp '#include <unistd.h>'
bites layers.sh src/fs/a.cpp '#include "path.hpp"'
bites layers.sh src/fs/a.cpp '#include "fs/ext/format.hpp"'
bites layers.sh src/fs/ext/a.cpp '#include "fs/xfs/format.hpp"'
bites layers.sh src/fs/elsewhere/a.cpp '#include "fs/path.hpp"'
bites layers.sh src/machine/store/a.cpp '#include "machine/change/plan.hpp"'
bites layers.sh src/machine/definition/a.cpp '#include "hrvm/machine/store.hpp"'
bites layers.sh src/cli/commands/a.cpp '#include "cli/run.cpp"'
bites layers.sh src/main.cpp '#include <signal.h>'
bites layers.sh include/hrvm/block/a.hpp '#include <fcntl.h>'
bites layers.sh include/hrvm/fs/a.hpp '#include <ntfs-3g/volume.h>'

fresh_tree
status=0
run format.sh >/dev/null || status=$?
if [[ $status == 77 ]]; then
  echo "not tried: $(run format.sh)"
else
  passes format.sh
  bites format.sh src/fs/a.cpp 'int  spaced;'
  bites format.sh include/hrvm/fs/a.hpp 'void f(int *pointer);'
  bites format.sh tests/unit/fs/a_test.cpp 'void f(){}'
fi

passes self-alone.sh
bites self-alone.sh README.md "see /w""ork/notes"
bites self-alone.sh tests/a.sh "cd /fa""rm/x"
bites self-alone.sh src/fs/a.cpp "// TO""DO: later"
bites self-alone.sh man/a.scd "FIX""ME"
bites self-alone.sh src/fs/a.cpp "  std::sys""tem(\"ls\");"
bites self-alone.sh src/fs/a.cpp "auto* pipe = po""pen(command, \"r\");"

passes device-door.sh
bites device-door.sh src/cli/steps/a.cpp 'auto disk = block::open_target(path, identity);'
bites device-door.sh src/machine/a.cpp '  ::open(path, O_RDWR);'
bites device-door.sh src/block/a.cpp 'ioctl(fd, BLKRRPART, 0);'

passes pages.sh
bites pages.sh CONTRIBUTING.md 'see `src/fs/nowhere.cpp`'
bites pages.sh src/fs/README.md 'see `tests/unit/nowhere`'

exit $failed
