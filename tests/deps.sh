#!/bin/bash
# deps.sh [--build]: installs what building and testing hrvm needs on Debian 12, and nothing else. Asks apt only when
# something is missing, as root or through sudo. With --build only what the build needs.
#
# The guests of the tests run Debian's cloud kernel. Its package is unpacked into a cache folder and never installed: an
# installed kernel would change how this machine boots.
set -euo pipefail
export LC_ALL=C

BUILD_PACKAGES=(
  g++ cmake ninja-build scdoc
  libcli11-dev libfmt-dev nlohmann-json3-dev libpugixml-dev
  libblkid-dev uuid-dev libudev-dev ntfs-3g-dev libxxhash-dev nettle-dev
  zlib1g-dev libzstd-dev liblzo2-dev libbz2-dev liblz4-dev liblzma-dev
)
TEST_PACKAGES=(
  catch2 clang-format clang libclang-rt-dev jq strace python3-minimal bash-completion zsh fish mandoc
  qemu-system-x86 qemu-utils qemu-guest-agent ovmf swtpm swtpm-tools
  libvirt-daemon libvirt-daemon-system libvirt-daemon-driver-qemu libvirt-clients libxml2-utils
  dnsmasq-base iptables iproute2
  grub-common grub-pc-bin grub-efi-amd64-bin binutils
  fdisk util-linux attr e2fsprogs mtools dosfstools gdisk busybox-static cpio gzip bzip2 lz4 xz-utils zstd exfatprogs
  initramfs-tools-core dracut-core
  xfsprogs btrfs-progs mdadm lvm2 thin-provisioning-tools ntfs-3g libhivex-bin libwin-hivex-perl
  mmdebstrap systemd
  rpm pacman-package-manager sqlite3
)

CACHE=${HRVM_TEST_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/hrvm-tests}
UPDATED=

die() { printf 'deps.sh: %s\n' "$*" >&2; exit 1; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; return; fi
  command -v sudo > /dev/null || die "needs root to install packages: run it as root, or install sudo"
  sudo "$@"
}

missing_packages() {
  local package
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2> /dev/null)" = installed ] || printf '%s\n' "$package"
  done
}

update_lists() {
  [ -n "$UPDATED" ] || as_root apt-get update -qq
  UPDATED=1
}

install_packages() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  printf 'deps.sh: installing %s\n' "${missing[*]}"
  update_lists
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null \
    || die "apt could not install: ${missing[*]}"
}

# The package that the meta package linux-image-cloud-amd64 stands for now.
kernel_package() {
  apt-cache depends linux-image-cloud-amd64 2> /dev/null | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p'
}

unpack_kernel() {
  local package work
  [ ! -e "$CACHE/kernel/version" ] || return 0
  package=$(kernel_package)
  if [ -z "$package" ]; then
    update_lists
    package=$(kernel_package)
  fi
  [ -n "$package" ] || die "apt knows no linux-image-cloud-amd64: are Debian's sources in /etc/apt/sources.list?"
  mkdir -p "$CACHE"
  work=$(mktemp -d "$CACHE/kernel.XXXXXX")
  download "$package" "$work" || { update_lists; download "$package" "$work"; } \
    || die "apt could not download $package"
  dpkg-deb -x "$work"/*.deb "$work"
  rm -f "$work"/*.deb
  printf '%s\n' "${package#linux-image-}" > "$work/version"
  chmod 755 "$work"
  mv -T "$work" "$CACHE/kernel"
  printf 'deps.sh: unpacked %s into %s\n' "$package" "$CACHE/kernel"
}

# Loaders that Microsoft and Debian have signed, for firmware that checks that. Never installed: that writes to the ESP.
unpack_signed_loaders() {
  local work package
  [ ! -e "$CACHE/signed" ] || return 0
  mkdir -p "$CACHE"
  work=$(mktemp -d "$CACHE/signed.XXXXXX")
  for package in shim-signed grub-efi-amd64-signed; do
    download "$package" "$work" || { update_lists; download "$package" "$work"; } \
      || die "apt could not download $package"
    dpkg-deb -x "$work/$package"_*.deb "$work"
    rm -f "$work"/*.deb
  done
  chmod 755 "$work"
  mv -T "$work" "$CACHE/signed"
  printf 'deps.sh: unpacked signed loaders into %s\n' "$CACHE/signed"
}

# OpenZFS's own test program makes pools without a kernel module. It lies in Debian's contrib, which a machine need not
# have among its sources: it is fetched by a list of our own, and unpacked beside the kernel.
unpack_openzfs() {
  local work package
  [ ! -e "$CACHE/openzfs/version" ] || return 0
  mkdir -p "$CACHE"
  work=$(mktemp -d "$CACHE/openzfs.XXXXXX")
  mkdir -p "$work/apt/sources" "$work/apt/lists/partial" "$work/apt/archives/partial"
  if list_contrib "$work/apt/sources" && contrib_get "$work" -qq update \
    && contrib_get "$work" -qq download zfs-test zfsutils-linux libzpool5linux libnvpair3linux libuutil3linux libzfs4linux
  then
    for package in "$work"/*.deb; do
      dpkg-deb -f "$package" Version > "$work/version"
      dpkg-deb -x "$package" "$work"
    done
    rm -rf "$work/apt" "$work"/*.deb
    chmod 755 "$work"
    mv -T "$work" "$CACHE/openzfs"
    printf 'deps.sh: unpacked OpenZFS %s into %s\n' "$(cat "$CACHE/openzfs/version")" "$CACHE/openzfs"
  else
    rm -rf "$work"
    printf "deps.sh: no OpenZFS from contrib of this machine's Debian archive: its test is skipped\n" >&2
  fi
}

# Where this machine has Debian's main from, as "RELEASE FILE:NUMBER": a stanza of a .sources file, a line of any other.
debian_entry() {
  apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(SOURCESENTRY)' 'Created-By: Packages' 'Component: main' \
    'Origin: Debian' 'Label: Debian' "Codename: $(. /etc/os-release && echo "${VERSION_CODENAME:-}")" \
    | sed -n '/^cdrom:/!{s/^[^ ]* //p;q}'
}

# list_contrib FOLDER: writes a source there that says what the machine's own says of the archive, by which key it is
# signed included, for contrib.
list_contrib() {
  local entry release file number
  entry=$(debian_entry)
  if [ -z "$entry" ]; then
    update_lists
    entry=$(debian_entry)
  fi
  [ -n "$entry" ] || return 1
  release=${entry%% *} file=${entry#* } number=${entry##*:}
  file=${file%:*}
  case $file in
    *.sources) grep -v '^#' "$file" | contrib_stanza "$number" "$release" > "$1/contrib.sources" ;;
    *)
      sed -nE "${number}s/^(deb([[:space:]]+\[[^]]*])?[[:space:]]+[^[:space:]]+).*/\1/p" "$file" > "$1/contrib.list"
      sed -i "s|\$| $release contrib|" "$1/contrib.list"
      ;;
  esac
}

contrib_stanza() { # NUMBER RELEASE
  awk -v RS= -v FS='\n' -v number="$1" -v release="$2" '
    NR == number {
      for (i = 1; i <= NF; ++i) {
        if ($i !~ /^[ \t]/) kept = tolower($i) !~ /^(types|suites|components|enabled):/
        if (kept) print $i
      }
      printf "Types: deb\nSuites: %s\nComponents: contrib\n", release
    }'
}

contrib_get() { # FOLDER ARGUMENTS...
  local folder=$1
  shift
  (cd "$folder" && apt-get -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$folder/apt/sources" \
    -o Dir::State::lists="$folder/apt/lists" -o Dir::Cache="$folder/apt" -o APT::Sandbox::User=root "$@" > /dev/null)
}

download() { (cd "$2" && apt-get download -qq -o APT::Sandbox::User=root "$1"); }

case ${1:-} in
  --build) install_packages "${BUILD_PACKAGES[@]}" ;;
  '') install_packages "${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}"; unpack_kernel; unpack_signed_loaders; unpack_openzfs ;;
  *) die "usage: deps.sh [--build]" ;;
esac
