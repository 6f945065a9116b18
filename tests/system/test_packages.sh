#!/bin/bash
# Packages as dpkg, rpm and pacman say them of databases that they wrote themselves, and the versions that they find
# newer. ndb and apk, whose programs Debian has not, are read as their formats are described.
. "$(dirname "$0")/lib.sh"

LIST=$BUILD_DIR/tests/list_packages
[ -x "$LIST" ] || fail "$LIST is not built"
for tool in rpm rpmbuild pacman sqlite3; do
  command -v $tool > /dev/null || skip "there is no $tool: run tests/deps.sh"
done

export HOME=$T # rpm keeps a database there

same() { # WHAT EXPECTED IS
  diff "$2" "$3" > "$T/difference" || fail "$1: < as it should be, > as it is
$(head -n 20 "$T/difference")"
}
# versions MANAGER PAIRS SIGNS: what is newer of each pair.
versions() {
  "$LIST" compare "$1" < "$2" > "$T/is"
  paste "$2" "$3" > "$T/expected"
  paste "$2" "$T/is" > "$T/is.pairs"
  [ -s "$3" ] || fail "there are no pairs for $1"
  same "versions of $1" "$T/expected" "$T/is.pairs"
}
# pairs SEED ALPHABET: 400 pairs of versions; the second is the first with a few characters changed, every other time.
pairs() {
  awk -v seed="$1" -v alphabet="$2" '
    function draw(n) { return int(rand() * n) + 1 }
    function one() { return substr(alphabet, draw(length(alphabet)), 1) }
    function text(n,  t) { t = draw(10) - 1; while (n-- > 0) t = t one(); return t }
    BEGIN {
      srand(seed)
      for (i = 0; i < 400; ++i) {
        a = text(draw(8)); b = text(draw(8))
        if (i % 2) { at = draw(length(a)); b = substr(a, 1, at) one() substr(a, at + draw(2)) }
        print a, b
      }
    }'
}

claim "dpkg: the packages of this machine, and whose its files are"
dpkg-query -W -f 'dpkg ${Package} ${Version} ${Architecture} ${db:Status-Status}\n' \
  | sed -n '/ \(not-installed\|config-files\)$/d; s/ [a-z-]*$//p' | sort > "$T/expected"
"$LIST" / | grep '^dpkg ' | sort > "$T/is"
[ -s "$T/expected" ] || fail "dpkg-query says nothing of this machine"
same "packages of /" "$T/expected" "$T/is"

# Files of which dpkg knows one package, by the way that they have in its lists.
for list in /var/lib/dpkg/info/*.list; do sed -n '5p;$p' "$list"; done | sort -u | head -n 600 | while read -r path; do
  if [[ -f $path && ! -L $path && $(realpath "$path") == "$path" ]]; then printf '%s\n' "$path"; fi
done > "$T/paths"
xargs -a "$T/paths" -d '\n' dpkg-query -S > "$T/found" 2> "$T/dpkg.err" || true
sed -nE 's/^([^:, ]+)(:[a-z0-9]+)?: (.*)$/\3 \1/p' "$T/found" | sort -u > "$T/expected"
[ -s "$T/expected" ] || fail "dpkg-query -S says nothing"
cut -d' ' -f1 "$T/expected" | "$LIST" / owners > "$T/is"
same "owners of files of /" "$T/expected" "$T/is"

claim "dpkg: a root of its own, with packages in every state, a diversion and a merged /usr"
deb() { # NAME VERSION ARCHITECTURE [FIELD...]: with /usr/bin/NAME and the conffile /etc/NAME.conf
  local tree=$T/deb.$1
  rm -rf "$tree"
  mkdir -p "$tree"/{DEBIAN,etc,usr/bin}
  echo "$1" > "$tree/etc/$1.conf"
  echo "/etc/$1.conf" > "$tree/DEBIAN/conffiles"
  echo "$2" > "$tree/usr/bin/$1"
  { printf 'Package: %s\nVersion: %s\nArchitecture: %s\nMaintainer: x <x@example.org>\nDescription: x\n' "${@:1:3}"
    printf '%s\n' "${@:4}"; } | sed '/^$/d' > "$tree/DEBIAN/control"
  dpkg-deb --root-owner-group -b "$tree" "$T/$1.deb" > "$T/dpkg.out"
}
in_root() { dpkg --root="$T/dpkg" --log=/dev/null --force-script-chrootless --force-not-root "$@" > "$T/dpkg.out" 2>&1 || fail "dpkg $*: $(cat "$T/dpkg.out")"; }
root=$T/dpkg
mkdir -p "$root/var/lib/dpkg"/{info,updates,triggers} "$root/usr/bin"
: > "$root/var/lib/dpkg/status"
ln -s usr/bin "$root/bin"
for package in 'one 1.0-1 all' 'two 1:2.0~rc1-3 all' 'gone 1 all' 'purged 1 all' 'unpacked 3 all'; do
  deb $package
done
in_root -i "$T"/{one,two,gone,purged}.deb
in_root --unpack "$T/unpacked.deb"
in_root -r gone
in_root -P purged
cp -a "$root" "$T/dpkg.before"
dpkg-divert --root "$root" --package two --add --rename /usr/bin/one > "$T/dpkg.out" 2>&1 || fail "$(cat "$T/dpkg.out")"
dpkg-query --admindir="$root/var/lib/dpkg" -W -f 'dpkg ${Package} ${Version} ${Architecture} ${db:Status-Status}\n' > "$T/all"
assert_contains "$(cat "$T/all")" 'unpacked 3 all unpacked'
assert_contains "$(cat "$T/all")" 'gone 1 all config-files'
sed -n '/ config-files$/d; s/ [a-z-]*$//p' "$T/all" > "$T/expected"
"$LIST" "$root" > "$T/is"
same "packages of a root" "$T/expected" "$T/is"
printf '%s\n' /usr/bin/one.distrib /etc/one.conf /bin/two /etc/gone.conf /usr/bin/three > "$T/paths"
printf '%s\n' '/usr/bin/one.distrib one' '/etc/one.conf one' '/bin/two two' '/etc/gone.conf gone' > "$T/expected"
"$LIST" "$root" owners < "$T/paths" > "$T/is"
same "owners of files of a root" "$T/expected" "$T/is"

claim "dpkg: what it had no time to bring into its status"
cp -a "$root" "$T/dpkg.stopped"
stopped=$T/dpkg.stopped/var/lib/dpkg
printf 'Package: one\nStatus: install ok installed\nMaintainer: x <x@example.org>\nArchitecture: all\nVersion: 7\nDescription: x\n' \
  > "$stopped/updates/0000"
printf 'Package: two\nStatus: deinstall ok not-installed\nArchitecture: all\n' > "$stopped/updates/0001"
dpkg-query --admindir="$stopped" -W -f 'dpkg ${Package} ${Version} ${Architecture} ${db:Status-Status}\n' \
  | sed -n '/ \(config-files\|not-installed\)$/d; s/ [a-z-]*$//p' > "$T/expected"
assert_contains "$(cat "$T/expected")" 'one 7'
"$LIST" "$T/dpkg.stopped" > "$T/is"
same "packages of a root whose dpkg was stopped" "$T/expected" "$T/is"

claim "dpkg: what differs between two states of it"
deb one 1.0-2 all
deb two 1.9 all
deb new 1 all
in_root --force-downgrade -i "$T"/{one,two,new}.deb
in_root -P unpacked
"$LIST" "$T/dpkg.before" changes "$root" > "$T/is"
printf '%s\n' 'added new all - 1' 'upgraded one all 1.0-1 1.0-2' 'downgraded two all 1:2.0~rc1-3 1.9' \
  'removed unpacked all 3 -' > "$T/expected"
same "changes of packages" "$T/expected" "$T/is"

claim "dpkg: 400 pairs of versions"
pairs 1 '0019.+~-abZ' | sed -E 's/-+( |$)/\1/g' | awk '$1 ~ /^[0-9]/ && $2 ~ /^[0-9]/' > "$T/pairs"
while read -r a b; do
  # Told apart by three calls, as one that dpkg finds no version is none of them.
  if dpkg --compare-versions "$a" lt "$b"; then echo '<'; elif dpkg --compare-versions "$a" eq "$b"; then echo =;
  elif dpkg --compare-versions "$a" gt "$b"; then echo '>'; else echo "no versions"; fi
done < "$T/pairs" > "$T/signs" 2> "$T/dpkg.err"
versions dpkg "$T/pairs" "$T/signs"

claim "rpm: the packages of a database in SQLite, with the files of each"
build_rpm() { # NAME VERSION RELEASE FILES [EPOCH]
  cat > "$T/$1.spec" << SPEC
Name: $1
Version: $2
Release: $3
${5:+Epoch: $5}
Summary: x
License: x
BuildArch: noarch
%description
x
%install
mkdir -p %{buildroot}/usr/share/$1/a %{buildroot}/lib/$1
for i in \$(seq $4); do echo \$i > %{buildroot}/usr/share/$1/a/file-with-a-long-name-\$i; done
echo > %{buildroot}/lib/$1/x.so
%files
/usr/share/$1
/lib/$1
SPEC
  rpmbuild -bb --quiet --define "_topdir $T/rpmbuild" "$T/$1.spec" > "$T/rpm.out" 2>&1 || fail "rpmbuild: $(cat "$T/rpm.out")"
  RPM=$T/rpmbuild/RPMS/noarch/$1-$2-$3.noarch.rpm
}
rpm_in() { rpm --root "$1" --dbpath /var/lib/rpm "${@:2}" 2> "$T/rpm.err" || fail "rpm: $(cat "$T/rpm.err")"; }
says_rpm() { rpm_in "$1" -qa --qf 'rpm %{NAME} %{EVR} %{ARCH}\n' | sort; }
root=$T/rpm
mkdir -p "$root/usr/lib"
ln -s usr/lib "$root/lib"
for package in 'one 1.0 1 1' 'two 2.0~rc1 3.el9 2 1' 'big 3 1 2000' 'kernel 5 1 1' 'kernel 6 1 1'; do
  build_rpm $package
  rpm_in "$root" -i --justdb --nodeps --noplugins "$RPM"
done
says_rpm "$root" > "$T/expected"
[ "$(wc -l < "$T/expected")" = 5 ] || fail "rpm has not all of them: $(cat "$T/expected")"
"$LIST" "$root" > "$T/is"
same "packages of rpm" "$T/expected" "$T/is"
rpm_in "$root" -qa --qf '[%{FILENAMES} %{=NAME}\n]' | sort -u > "$T/expected"
cut -d' ' -f1 "$T/expected" | "$LIST" "$root" owners > "$T/is"
same "owners of rpm's files" "$T/expected" "$T/is"
assert_equal "$(echo /usr/lib/one/x.so | "$LIST" "$root" owners)" '/usr/lib/one/x.so one' "a file through the link /lib"

claim "rpm: a database in an image of a filesystem"
mke2fs -q -F -t ext4 -d "$root" "$T/rpm.img" 32M > "$T/mke2fs.out" 2>&1
"$LIST" "ext4:$T/rpm.img" > "$T/is"
says_rpm "$root" > "$T/expected"
same "packages of an image" "$T/expected" "$T/is"

claim "rpm: what only the write-ahead log has, however far that was written"
database=$root/var/lib/rpm/rpmdb.sqlite
mkfifo "$T/orders"
sqlite3 "$database" < "$T/orders" > "$T/held" &
holder=$!
exec 7> "$T/orders"
echo 'BEGIN; SELECT count(*) FROM Packages;' >&7
await 10 "sqlite3 does not read the database" test -s "$T/held"
cp -a "$T/rpm" "$T/rpm.before"
build_rpm one 1.1 1 1
rpm_in "$root" -U --justdb --nodeps --noplugins "$RPM"
rpm_in "$root" -e --justdb --nodeps --noplugins kernel-5
build_rpm late 1 1 500
rpm_in "$root" -i --justdb --nodeps --noplugins "$RPM"
cp -a "$root" "$T/wal"
exec 7>&-
wait "$holder"
wal=$T/wal/var/lib/rpm/rpmdb.sqlite-wal
[ -s "$wal" ] || fail "there is nothing in the log"
rm -f "$T/wal/var/lib/rpm/rpmdb.sqlite-shm"
"$LIST" "$T/rpm.before" changes "$T/wal" > "$T/is"
printf '%s\n' 'removed kernel noarch 5-1 -' 'added late noarch - 1-1' 'upgraded one noarch 1.0-1 1.1-1' > "$T/expected"
same "changes of rpm's packages" "$T/expected" "$T/is"
# Cut, or changed in the middle: what SQLite itself reads of it.
size=$(stat -c %s "$wal")
for part in 97 80 61 43 22 8 1; do
  for damage in cut changed; do
    rm -rf "$T/damaged"
    cp -a "$T/wal" "$T/damaged"
    log=$T/damaged/var/lib/rpm/rpmdb.sqlite-wal
    if [ $damage = cut ]; then truncate -s $((size * part / 100)) "$log"
    else printf 'damage' | dd of="$log" bs=1 seek=$((size * part / 100)) conv=notrunc status=none; fi
    cp -a "$T/damaged" "$T/oracle"
    "$LIST" "$T/damaged" > "$T/is"
    says_rpm "$T/oracle" > "$T/expected"
    same "a log that was $damage at $part %" "$T/expected" "$T/is"
    rm -rf "$T/oracle"
  done
done

claim "rpm: pages of every size, and tables many pages deep"
for bytes in 512 1024 8192 65536; do
  rm -rf "$T/paged"
  cp -a "$T/rpm" "$T/paged"
  sqlite3 "$T/paged/var/lib/rpm/rpmdb.sqlite" "PRAGMA journal_mode=DELETE; PRAGMA page_size=$bytes; VACUUM; PRAGMA journal_mode=WAL;" > "$T/out"
  sqlite3 "$T/paged/var/lib/rpm/rpmdb.sqlite" "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
    INSERT INTO Packages(blob) SELECT (SELECT blob FROM Packages ORDER BY length(blob) LIMIT 1) FROM n;" > "$T/out"
  [ "$(sqlite3 "$T/paged/var/lib/rpm/rpmdb.sqlite" 'PRAGMA page_size; SELECT count(*) > 3000 FROM Packages;' | tr '\n' ' ')" = "$bytes 1 " ] \
    || fail "SQLite did not take pages of $bytes bytes"
  "$LIST" "$T/paged" > "$T/is"
  says_rpm "$root" > "$T/expected"
  same "packages of a database of pages of $bytes bytes" "$T/expected" "$T/is"
done

claim "rpm: a transaction that has to be rolled back, and a Berkeley DB, are told"
cp -a "$T/rpm" "$T/hot"
printf '\xd9\xd5\x05\xf9\x20\xa1\x63\xd7' > "$T/hot/var/lib/rpm/rpmdb.sqlite-journal"
assert_contains "$("$LIST" "$T/hot")" 'rpm unreadable: '
mkdir -p "$T/old/var/lib/rpm"
echo x > "$T/old/var/lib/rpm/Packages"
assert_contains "$("$LIST" "$T/old")" 'rpm unreadable: /var/lib/rpm/Packages: it is a Berkeley DB'

claim "rpm: 400 pairs of versions"
pairs 2 '0019.+~^_abZ' > "$T/pairs"
while read -r a b; do printf '%%{lua:print(({[-1]="<",[0]="=",[1]=">"})[rpm.vercmp("%s","%s")])}\n' "$a" "$b"; done < "$T/pairs" > "$T/orders.rpm"
xargs -a "$T/orders.rpm" -d '\n' -n 1 rpm --eval | sed '/^$/d' > "$T/signs"
versions rpm "$T/pairs" "$T/signs"

claim "pacman: the packages of a root, and whose its files are"
root=$T/pacman
mkdir -p "$root/var/lib/pacman" "$T/pkg/usr/share/x" "$T/pkg/etc"
echo > "$T/pkg/usr/share/x/file"
echo > "$T/pkg/etc/x.conf"
install_pkg() { # VERSION
  printf '%s\n' 'pkgname = x' 'pkgbase = x' "pkgver = $1" 'pkgdesc = x' 'builddate = 1700000000' 'packager = x' \
    'size = 2' 'arch = any' > "$T/pkg/.PKGINFO"
  tar -C "$T/pkg" -czf "$T/x.pkg.tar.gz" .PKGINFO usr etc
  pacman -U --noconfirm --root "$root" --dbpath "$root/var/lib/pacman" --cachedir "$T/pkg.cache" --logfile /dev/null \
    --config /dev/null "$T/x.pkg.tar.gz" > "$T/pacman.out" 2>&1 || fail "pacman: $(cat "$T/pacman.out")"
}
install_pkg 1:1.0-2
assert_equal "$("$LIST" "$root")" 'pacman x 1:1.0-2 any' "packages of pacman"
assert_equal "$(printf '%s\n' /usr/share/x/file /etc/x.conf /usr/share/x /y | "$LIST" "$root" owners | tr '\n' ,)" \
  '/usr/share/x/file x,/etc/x.conf x,/usr/share/x x,' "owners of pacman's files"
cp -a "$root" "$T/pacman.before"
install_pkg 1:1.0-10
assert_equal "$("$LIST" "$T/pacman.before" changes "$root")" 'upgraded x any 1:1.0-2 1:1.0-10' "changes of pacman's packages"

claim "pacman: 400 pairs of versions"
cat > "$T/vercmp.cpp" << 'CODE'
#include <iostream>
#include <string>
extern "C" int alpm_pkg_vercmp(const char* a, const char* b);
int main() {
  for (std::string a, b; std::cin >> a >> b;) {
    const int order = alpm_pkg_vercmp(a.c_str(), b.c_str());
    std::cout << (order < 0 ? '<' : order > 0 ? '>' : '=') << '\n';
  }
}
CODE
c++ -o "$T/vercmp" "$T/vercmp.cpp" "$(find /usr/lib -name 'libalpm.so.*' | head -n 1)"
{ pairs 3 '0019.._abZ-'; pairs 4 '01.:a-+'; } > "$T/pairs"
"$T/vercmp" < "$T/pairs" > "$T/signs"
versions pacman "$T/pairs" "$T/signs"
