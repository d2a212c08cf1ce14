#!/usr/bin/env bash
# Makes the disk of a test VM in ~/.cache/cc-cloud/vm: the tree of the rehearsal's host image with a kernel of its own, and
# without what makes a container behave like a host. It needs Docker and no root.
#
#   image.sh            make it, unless it was made by this very script from the present host image
#
# Beside the disk: the kernel and its initrd, the key that root lets in, and the host's public keys. The keys are part of the
# disk, because it costs an emulated processor long to make them; only tests, and only over the loopback address, reach it.
set -euo pipefail

readonly host_image=cc-cloud-host:debian-12
readonly folder=$HOME/.cache/cc-cloud/vm
readonly size=4G

say() { printf '%s\n' "$*" >&2; }

made_of=$(docker image inspect --format '{{.Id}}' "$host_image" 2>/dev/null) ||
  { say "vm/image.sh: there is no image $host_image. \`make setup\` makes it."; exit 1; }
digest=$({ cat "${BASH_SOURCE[0]}"; printf '%s' "$made_of"; } | sha256sum | cut -d' ' -f1)
if [ "$(cat "$folder/digest" 2>/dev/null)" = "$digest" ]; then say "$folder is current"; exit 0; fi

mkdir -p "$(dirname "$folder")"
work=$(mktemp -d "$folder.XXXXXX")
container=cc-cloud-vm-image-$$
trap 'docker rm --force "$container" >/dev/null 2>&1 || true; rm -rf "$work"' EXIT
broken() {
  tail -n 20 "$work/log" >&2
  say "vm/image.sh: $1 cannot be made: the last lines are above. A package mirror that does not answer is the usual cause."
  exit 1
}
ssh-keygen -q -t ed25519 -N '' -C 'cc-cloud test VM' -f "$work/id_ed25519"

# --- the tree, in a container of the host image ------------------------------------------------------------------

make_tree=$(cat <<'SCRIPT'
export DEBIAN_FRONTEND=noninteractive
echo force-unsafe-io >/etc/dpkg/dpkg.cfg.d/unsafe-io

# An initrd with the drivers of this machine alone is read and unpacked in a fraction of the time.
mkdir -p /etc/initramfs-tools/conf.d
printf 'MODULES=list\nFSTYPE=ext4\n' >/etc/initramfs-tools/conf.d/vm
printf '%s\n' virtio_pci virtio_blk ext4 >/etc/initramfs-tools/modules
apt-get -qq update
apt-get -qq install -y --no-install-recommends linux-image-cloud-amd64 udev
rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb

# What src/rehearsal/image.sh does for containers: units that are masked, files that Docker mounts, no user namespaces. Nobody
# logs in at the consoles, and nothing shall come of a timer at random, so that these stay masked.
find /etc/systemd/system -lname /dev/null ! -name '*getty*' ! -name '*.timer' -delete
systemctl disable --quiet cc-cloud-release-files.service
cd /etc/systemd/system
rm cc-cloud-release-files.service service.d/10-container.conf /usr/local/lib/cc-cloud/release-files

ssh-keygen -A
systemctl enable --quiet systemd-networkd.service
cat >/etc/systemd/network/vm.network <<'NETWORK'
[Match]
Type=ether
[Network]
DHCP=ipv4
NETWORK

# The end of a boot is a line on the second serial port: `running`, or what else systemd says of itself.
cat >/etc/systemd/system/cc-cloud-booted.service <<'UNIT'
[Unit]
Description=Tell the test that the boot is over
[Service]
ExecStart=/bin/sh -c 'systemctl is-system-running --wait >/dev/ttyS1'
[Install]
WantedBy=multi-user.target
UNIT
systemctl enable --quiet cc-cloud-booted.service
SCRIPT
)
say "making $folder, some minutes (log: $work/log)"
docker run --name "$container" --label "cc-cloud.test=$$" "$host_image" sh -ec "$make_tree" >"$work/log" 2>&1 ||
  broken "the tree"

# --- the disk ----------------------------------------------------------------------------------------------------

docker export "$container" | docker run --interactive --rm --label "cc-cloud.test=$$" --volume "$work:/out" \
  --env size="$size" "$host_image" sh -ec '
    tree=/var/tmp/tree
    mkdir "$tree"
    tar -C "$tree" -x
    # Docker has mounts of its own over the three; the marker makes systemd believe in a container.
    rm -f "$tree/.dockerenv"
    echo vm >"$tree/etc/hostname"
    printf "127.0.0.1\tlocalhost\n127.0.1.1\tvm\n" >"$tree/etc/hosts"
    # The name server of QEMU'\''s own network.
    echo "nameserver 10.0.2.3" >"$tree/etc/resolv.conf"
    printf "/dev/vda\t/\text4\terrors=remount-ro\t0\t1\n" >"$tree/etc/fstab"
    install -m 0600 /out/id_ed25519.pub "$tree/root/.ssh/authorized_keys"
    cat "$tree"/etc/ssh/ssh_host_*_key.pub >/out/host_keys
    cp "$tree"/boot/vmlinuz-* /out/vmlinuz
    cp "$tree"/boot/initrd.img-* /out/initrd.img
    mke2fs -q -t ext4 -d "$tree" /out/disk.img "$size"
    chmod 0644 /out/vmlinuz /out/initrd.img /out/disk.img
  ' >>"$work/log" 2>&1 || broken "the disk"

printf '%s\n' "$digest" >"$work/digest"
rm -rf "$folder"
mv -T "$work" "$folder"
say "made $folder"
