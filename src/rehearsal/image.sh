#!/usr/bin/env bash
# Builds the Docker image of a rehearsal host: Debian 12 with systemd and sshd, as a provider would hand it over.
#
#   image.sh            build the image, unless it was built by this very script
#   image.sh --rebuild  build it in any case (after the machine's mirrors or certificates have changed)
#   image.sh --check    exit 0 when the image is there and current, 3 when it is missing or stale
#
# Package sources, proxies, pip configuration and certificate authorities are those of this machine, so that the hosts
# reach whatever mirrors the site has.
set -euo pipefail

readonly image=cc-cloud-host:debian-12
readonly suite=bookworm
readonly packages=systemd,systemd-sysv,dbus,openssh-server,sudo,iproute2,ca-certificates
readonly label=cc-cloud.image-script

say() { printf '%s\n' "$*" >&2; }
fail() { say "image.sh: $*"; exit 1; }

# --- is there anything to do? ------------------------------------------------------------------------------------

docker info >/dev/null 2>&1 || fail "Docker does not answer. Start it, or let this user use it (\`docker info\` says why)."

digest=$(sha256sum "${BASH_SOURCE[0]}" | cut -d' ' -f1)
built=$(docker image inspect --format "{{ index .Config.Labels \"$label\" }}" "$image" 2>/dev/null || true)
case "${1:-}" in
  --check) [ "$built" = "$digest" ] && exit 0 || exit 3 ;;
  --rebuild) ;;
  '') if [ "$built" = "$digest" ]; then say "$image is current"; exit 0; fi ;;
  *) fail "unknown option $1 (known: --rebuild, --check)" ;;
esac

[ "$(uname -s)" = Linux ] || fail "the image is made with debootstrap, which needs Linux; build it on a Linux machine and \`docker save\` it over."
command -v debootstrap >/dev/null || [ -x /usr/sbin/debootstrap ] ||
  fail "debootstrap is missing. Install it (apt-get install debootstrap debian-archive-keyring) and run this again."
root=()
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || fail "debootstrap needs root, and there is no sudo here. Run this script as root."
  root=(sudo)
fi

# --- the tree ----------------------------------------------------------------------------------------------------

work=$("${root[@]}" mktemp -d /var/tmp/cc-cloud-image.XXXXXX)
trap '"${root[@]}" rm -rf --one-file-system "$work"' EXIT
tree=$work/tree

# write PATH [MODE]: standard input becomes a file of the tree.
write() {
  "${root[@]}" mkdir -p "$tree$(dirname "$1")"
  "${root[@]}" tee "$tree$1" >/dev/null
  "${root[@]}" chmod "${2:-0644}" "$tree$1"
}

# The machine's own sources of this suite, one `URI SUITE COMPONENTS…` a line; none on a machine that is not Debian 12.
machine_sources() {
  command -v apt-get >/dev/null || return 0
  # shellcheck disable=SC2016 # the $(…) are apt's
  apt-get indextargets --format '$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(ORIGIN)' 'Created-By: Packages' 2>/dev/null |
    awk -F'|' -v suite="$suite" '
      $2 != suite && $2 != suite "-updates" && $2 != suite "-security" { next }
      $4 ~ /^[A-Za-z]/ && $4 != "Debian" { next }
      $1 !~ /^https?:/ { next }
      $3 == "main" { print $1, $2, $3 }' | sort -u
}

sources=$(machine_sources)
mirror=$(awk -v suite="$suite" '$2 == suite { print $1; exit }' <<<"$sources")
say "making $image with debootstrap, about a minute (log: $work/debootstrap.log)"
PATH=$PATH:/usr/sbin:/sbin
if ! "${root[@]}" debootstrap --variant=minbase --include="$packages" "$suite" "$tree" ${mirror:+"$mirror"} \
  2>&1 | "${root[@]}" tee "$work/debootstrap.log" >/dev/null; then
  tail -n 20 "$work/debootstrap.log" >&2
  fail "debootstrap failed: its last lines are above. A mirror that does not answer is the usual cause."
fi

# --- the site: mirrors, proxies, certificates, pip ---------------------------------------------------------------

if [ -n "$sources" ]; then
  "${root[@]}" rm -f "$tree/etc/apt/sources.list"
  while read -r uri release components; do
    printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: %s\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n\n' \
      "$uri" "$release" "$components"
  done <<<"$sources" | write /etc/apt/sources.list.d/debian.sources
fi

proxies=$(apt-config dump 2>/dev/null | grep -E '^Acquire::(http|https)::Proxy' || true)
[ -z "${http_proxy:-}" ] || proxies+=$'\n'"Acquire::http::Proxy \"$http_proxy\";"
[ -z "${https_proxy:-}" ] || proxies+=$'\n'"Acquire::https::Proxy \"$https_proxy\";"
if grep -qE '//(localhost|127\.|\[::1\])' <<<"$proxies"; then
  say "note: this machine's package proxy listens on its loopback address; hosts cannot reach it and go without"
  proxies=$(grep -vE '//(localhost|127\.|\[::1\])' <<<"$proxies" || true)
fi
[ -z "$proxies" ] || write /etc/apt/apt.conf.d/10proxy <<<"$proxies"

shopt -s nullglob
authorities=(/usr/local/share/ca-certificates/*.crt)
if [ ${#authorities[@]} -gt 0 ]; then
  "${root[@]}" cp "${authorities[@]}" "$tree/usr/local/share/ca-certificates/"
  "${root[@]}" chroot "$tree" update-ca-certificates >/dev/null 2>&1
fi

# pip's own configuration, then the cache that hosts share.
{
  for file in /etc/pip.conf "${XDG_CONFIG_HOME:-$HOME/.config}/pip/pip.conf"; do
    if [ -r "$file" ]; then cat "$file"; printf '\n'; break; fi
  done
} | write /etc/pip.conf
if grep -q '^\[global\]' "$tree/etc/pip.conf"; then
  "${root[@]}" sed -i '/^cache-dir *=/d; /^\[global\]/a cache-dir = /var/cache/cc-cloud/pip' "$tree/etc/pip.conf"
else
  printf '[global]\ncache-dir = /var/cache/cc-cloud/pip\n' | "${root[@]}" tee -a "$tree/etc/pip.conf" >/dev/null
fi

# --- downloads that hosts share ----------------------------------------------------------------------------------

# Not one shared /var/cache/apt/archives: apt locks that folder and does not wait, so hosts that install side by side
# would fail. Each host sees the packages that others have fetched as links, and adds its own by an atomic rename.
write /usr/local/lib/cc-cloud/share-packages 0755 <<'SCRIPT'
#!/bin/sh
shared=/var/cache/cc-cloud/apt
own=/var/cache/apt/archives
[ -d "$shared" ] || exit 0
case "$1" in
  in)
    for deb in "$shared"/*.deb; do
      [ -e "$deb" ] && [ ! -e "$own/${deb##*/}" ] && ln -sf "$deb" "$own/"
    done ;;
  out)
    for deb in "$own"/*.deb; do
      name=${deb##*/}
      [ -f "$deb" ] && [ ! -L "$deb" ] && [ ! -e "$shared/$name" ] || continue
      cp "$deb" "$shared/.$name.$(hostname)" && mv "$shared/.$name.$(hostname)" "$shared/$name"
    done ;;
esac
exit 0
SCRIPT
write /etc/apt/apt.conf.d/50cc-cloud-shared-packages <<'CONF'
APT::Update::Post-Invoke { "/usr/local/lib/cc-cloud/share-packages in"; };
DPkg::Post-Invoke { "/usr/local/lib/cc-cloud/share-packages out"; };
Binary::apt::APT::Keep-Downloaded-Packages "true";
CONF
"${root[@]}" mkdir -p "$tree/var/cache/cc-cloud/apt" "$tree/var/cache/cc-cloud/pip"
"${root[@]}" chmod 1777 "$tree/var/cache/cc-cloud/pip"

# --- what makes a container behave like a host -------------------------------------------------------------------

# Docker mounts its own /etc/hosts, /etc/hostname and /etc/resolv.conf over the image's, and a rename onto a mount point
# fails. The first boot keeps Docker's content; later boots keep what the host has made of it.
write /usr/local/lib/cc-cloud/release-files 0755 <<'SCRIPT'
#!/bin/sh
set -e
for file in /etc/hosts /etc/hostname /etc/resolv.conf; do
  grep -qs " $file " /proc/self/mountinfo || continue
  cat "$file" > "/run/cc-cloud-released"
  umount "$file"
  [ -s "$file" ] || cat /run/cc-cloud-released > "$file"
done
rm -f /run/cc-cloud-released
SCRIPT
write /etc/systemd/system/cc-cloud-release-files.service <<'UNIT'
[Unit]
Description=Release the files that Docker mounts over /etc
DefaultDependencies=no
Before=sysinit.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/lib/cc-cloud/release-files

[Install]
WantedBy=sysinit.target
UNIT

# A container has no user namespace to give to a unit: PrivateUsers=true would end with status 217/USER.
write /etc/systemd/system/service.d/10-container.conf <<'UNIT'
[Service]
PrivateUsers=false
UNIT

# Every host has keys of its own, made when it first boots.
"${root[@]}" sh -c "rm -f '$tree'/etc/ssh/ssh_host_*"
write /etc/systemd/system/ssh.service.d/10-host-keys.conf <<'UNIT'
[Service]
ExecStartPre=
ExecStartPre=/usr/bin/ssh-keygen -A
ExecStartPre=/usr/sbin/sshd -t
UNIT

# Hardware, consoles and time belong to the machine; the daily package timers would hold dpkg's lock at random.
masked=(
  systemd-udevd.service systemd-udev-trigger.service systemd-modules-load.service systemd-remount-fs.service
  systemd-random-seed.service systemd-update-utmp.service systemd-update-utmp-runlevel.service
  systemd-networkd.service systemd-networkd.socket systemd-network-generator.service systemd-pstore.service
  systemd-machine-id-commit.service systemd-firstboot.service
  console-getty.service getty.target getty@.service serial-getty@.service
  dev-hugepages.mount dev-mqueue.mount sys-fs-fuse-connections.mount sys-kernel-config.mount sys-kernel-debug.mount
  sys-kernel-tracing.mount proc-sys-fs-binfmt_misc.automount proc-sys-fs-binfmt_misc.mount
  apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer
)
"${root[@]}" mkdir -p "$tree/etc/systemd/system"
for unit in "${masked[@]}"; do "${root[@]}" ln -sfn /dev/null "$tree/etc/systemd/system/$unit"; done
"${root[@]}" chroot "$tree" systemctl enable --quiet cc-cloud-release-files.service ssh.service
"${root[@]}" chroot "$tree" systemctl set-default --quiet multi-user.target

printf 'LANG=C.UTF-8\n' | write /etc/default/locale
: | write /etc/machine-id
for file in hosts hostname resolv.conf; do "${root[@]}" rm -f "$tree/etc/$file"; : | write "/etc/$file"; done
"${root[@]}" mkdir -p -m 0700 "$tree/root/.ssh"
"${root[@]}" sh -c "rm -rf '$tree'/var/lib/apt/lists/* '$tree'/var/cache/apt/archives/*.deb '$tree'/var/cache/apt/*.bin '$tree'/var/log/*.log"

# --- the image ---------------------------------------------------------------------------------------------------

"${root[@]}" tar -C "$tree" --numeric-owner -c . | docker import \
  --change 'CMD ["/sbin/init"]' --change 'ENV container=docker' --change "LABEL $label=$digest" - "$image" >/dev/null
say "made $image"
