#!/bin/sh
# What bench/cc-cloud/roles/bench says, as the script that one would write by hand: the floor. Runs on the host, over one SSH session:
#   ssh root@HOST sh -s NAME < site.sh
# Prints how many things it changed.
set -eu
host=$1
changed=0
new=$(mktemp)
trap 'rm -f "$new"' EXIT

did() { changed=$((changed + 1)); }

# place PATH OWNER:GROUP MODE: makes what is in $new that file, by a rename.
place() {
  if cmp -s "$new" "$1" && [ "$(stat -c '%U:%G %a' "$1")" = "$2 $3" ]; then return; fi
  cp "$new" "$1.new"
  chown "$2" "$1.new"
  chmod "$3" "$1.new"
  mv "$1.new" "$1"
  did
}

# folder PATH OWNER:GROUP MODE
folder() {
  if [ -d "$1" ] && [ "$(stat -c '%U:%G %a' "$1")" = "$2 $3" ]; then return; fi
  mkdir -p "$1"
  chown "$2" "$1"
  chmod "$3" "$1"
  did
}

app() {
  n=$1 port=$((9000 + $1)) primary=no reports=true
  if [ "$n" = 0 ]; then primary=yes; fi
  if [ $((n % 5)) = 0 ]; then reports=false; fi
  cat <<EOF
# Instance $n on $host. One template for all tools that have templates.
[instance]
name = app$n
host = $host
port = $port
data = /srv/bench/data$((n % 18))
user = bench$((n % 10))
primary = $primary

[listen]
address.1 = 127.0.0.1:$port
address.2 = 127.0.0.2:$port

[forms]
enabled = true
queue = forms-$n
workers = $((n % 4 + 1))

[cases]
enabled = true
queue = cases-$n
workers = $((n % 4 + 1))

[reports]
enabled = $reports
queue = reports-$n
workers = $((n % 4 + 1))
EOF
}

packages='tree pv time ed dos2unix'
missing=
for package in $packages; do
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || missing="$missing $package"
done
if [ -n "$missing" ]; then
  # shellcheck disable=SC2086 # a list of words
  DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $missing >/dev/null
  for _ in $missing; do did; done
fi

for n in 0 1 2 3 4 5 6 7 8 9; do
  id "bench$n" >/dev/null 2>&1 && continue
  useradd --uid $((2000 + n)) --create-home --home-dir "/home/bench$n" --shell /usr/sbin/nologin --comment "Bench user $n" "bench$n"
  did
done

folder /etc/bench root:root 755
folder /srv/bench root:root 755
for n in $(seq 0 17); do folder "/srv/bench/data$n" "bench$((n % 10)):bench$((n % 10))" 750; done

for n in $(seq 0 34); do
  app "$n" >"$new"
  place "/etc/bench/app$n.conf" "root:bench$((n % 10))" 640
done
for n in 0 1 2 3 4; do
  cat >"$new" <<EOF
[Unit]
Description=Bench service $n on $host

[Service]
User=bench$n
ExecStart=/bin/sleep infinity

[Install]
WantedBy=multi-user.target
EOF
  place "/etc/systemd/system/bench-$n.service" root:root 644
done

for n in 0 1 2 3 4 5 6 7 8 9; do
  line="bench$n soft nofile $((4096 + n))"
  grep -qxF "$line" /etc/security/limits.conf && continue
  echo "$line" >>/etc/security/limits.conf
  did
done

for n in 0 1 2 3 4 5 6 7 8 9; do
  [ -e "/srv/bench/release$n" ] && continue
  install -m 0644 /etc/debian_version "/srv/bench/release$n"
  did
done

for n in 0 1 2 3 4; do
  systemctl --quiet is-enabled "bench-$n" 2>/dev/null && systemctl --quiet is-active "bench-$n" && continue
  systemctl --quiet enable --now "bench-$n"
  did
done

echo "changed=$changed"
