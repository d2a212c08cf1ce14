# Runs on the host as the user that the agent will run as, read from standard input by `sh`. Finds the agent by its digest,
# or asks for it, and becomes it. Every line to the controller begins with $mark, so that whatever a login shell prints
# is not taken for one. Above this text the controller sets:
#   mark      unique to this session
#   system    `uname -s` and `uname -m` that the agent is for
#   name      file name of the agent
#   digest    its SHA-256
#   kib       its size, rounded up
#   hello     bytes that the controller has sent for the agent already
#   argument  what the agent is called with, or nothing
set -u
umask 077
LC_ALL=C
export LC_ALL
temp=
trap '[ -z "$temp" ] || rm -f "$temp"' EXIT
trap 'exit 1' HUP INT TERM PIPE

say() { printf '%s:%s\n' "$mark" "$*"; }
fail() { say "fail $*"; exit 1; }
need() { command -v "$1" >/dev/null 2>&1 || fail "tool $1"; }

found="$(uname -s) $(uname -m)"
[ "$found" = "$system" ] || fail "system $found"
need sha256sum

# A place is safe when nobody else can put something into it: a real directory, ours, writable by us alone.
safe() {
    reason=
    if [ -h "$1" ]; then reason='is a symbolic link'
    elif [ ! -e "$1" ]; then reason='does not exist'
    elif [ ! -d "$1" ]; then reason='is not a directory'
    elif [ ! -O "$1" ]; then reason='belongs to somebody else'
    else
        case "$(ls -ldn "$1")" in
            d????-??-*) ;;
            *) reason='is writable by others' ;;
        esac
    fi
    [ -z "$reason" ]
}
whole() { [ -f "$1" ] && [ ! -h "$1" ] && [ -O "$1" ] && [ "$(sha256sum <"$1")" = "$digest  -" ]; }
become() {
    temp=
    say "ready $1"
    exec "$1" $argument
}

user=$(id -u)
if [ "$user" = 0 ]; then
    set -- /var/lib/cc-cloud /run/cc-cloud /dev/shm/cc-cloud /tmp/cc-cloud
else
    set -- "${HOME:-/nonexistent}/.cache/cc-cloud" "/run/user/$user/cc-cloud" "/dev/shm/cc-cloud-$user" "/tmp/cc-cloud-$user"
fi

# -x is false for a file on a place that is mounted noexec.
for place do
    if safe "$place" && whole "$place/$name" && [ -x "$place/$name" ]; then become "$place/$name"; fi
done

for tool in gzip head dd df mv rm chmod find; do need "$tool"; done

# Sets $reason when the agent cannot be kept there, and leaves an empty file at $temp when it can.
try() {
    if [ ! -e "$1" ] && [ ! -h "$1" ]; then
        reason=$(mkdir -p "$1" 2>&1) || { reason="cannot be made: ${reason##*: }"; return 1; }
    fi
    safe "$1" || return 1
    temp=$1/.$name.$$
    reason=$( { : >"$temp"; } 2>&1) || { reason="cannot be written: ${reason##*: }"; return 1; }
    chmod 700 "$temp"
    [ -x "$temp" ] || { reason='is mounted noexec'; return 1; }
    free=$(df -Pk "$1" | { read -r _; read -r _ _ _ free _; echo "$free"; })
    [ "${free:-0}" -ge "$kib" ] || { reason="has $free KiB free, the agent needs $kib KiB"; return 1; }
}
reasons=
for place do
    if try "$place"; then break; fi
    [ -z "$temp" ] || rm -f "$temp"
    temp=
    reasons="$reasons${reasons:+; }$place $reason"
done
[ -n "$temp" ] || fail "place $reasons"

dd bs=1 count="$hello" of=/dev/null 2>/dev/null
say need
read -r size
problem=$(head -c "$size" | gzip -dc 2>&1 >"$temp") || fail "write $place ${problem##*: }"
whole "$temp" || fail "digest $place"
# -T: a directory or link of that name is replaced or refused, never entered.
problem=$(mv -fT "$temp" "$place/$name" 2>&1) || fail "write $place ${problem##*: }"
# Agents that nobody has sent for a month, and what a cut connection left.
find "$place" -maxdepth 1 -type f \( -name 'agent-*' -mtime +30 -o -name '.agent-*' -mmin +60 \) -exec rm -f {} +
become "$place/$name"
