# What the clients of package sources reach, each asked for its own sources: a line `CLIENT WHAT ok`, or `CLIENT WHAT failed WORDS`.
# Arguments: seconds to wait for an answer; HTTP proxy, or nothing for what the clients are set to.
patience=$1 proxy=$2
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
trap 'exit 143' HUP INT TERM
# apt downloads as a user of its own.
chmod 755 "$folder"; chown _apt "$folder" 2>/dev/null
export HOME="$folder"
if [ -n "$proxy" ]; then export http_proxy="$proxy" https_proxy="$proxy"; fi
say() {
    client=$1 what=$2
    shift 2
    if words=$("$@" 2>&1 </dev/null); then echo "$client $what ok"; else echo "$client $what failed" $words; fi
}
set -f
uris=$(apt-get --print-uris update) || exit 1
number=0
# One of each server: a firewall lets through or blocks servers.
for uri in $(echo "$uris" | sed -n "s/^'\([a-z]*:\/\/[^']*\)'.*/\1/p" | awk -F/ '!seen[$1 $3]++'); do
    number=$((number + 1))
    say apt "$uri" /usr/lib/apt/apt-helper -qq ${proxy:+-o "Acquire::http::Proxy=$proxy" -o "Acquire::https::Proxy=$proxy"} \
        -o Acquire::Retries=0 -o "Acquire::http::Timeout=$patience" -o "Acquire::https::Timeout=$patience" \
        download-file "$uri" "$folder/$number" &
done
if python3 -m pip --version >/dev/null 2>&1; then
    say pip index python3 -m pip --no-input --disable-pip-version-check --no-cache-dir --timeout "$patience" --retries 0 \
        index versions pip &
fi
if command -v npm >/dev/null 2>&1; then
    say npm registry npm --cache "$folder/npm" --logs-max=0 --update-notifier=false --fetch-retries=0 \
        --fetch-timeout="${patience}000" ping &
fi
wait
echo end
