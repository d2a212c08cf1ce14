# Loads the file system of a folder, or of the nearest one above it that is there. What is written belongs to no name: whatever ends
# this, even a kill, leaves nothing.
folder=$1
while [ ! -d "$folder" ]; do folder=$(dirname "$folder"); done
file=$(mktemp "$folder/.cc-cloud-disk-io.XXXXXX") || exit 1
trap 'rm -f "$file"' EXIT
exec 3<>"$file" && rm "$file" || exit 1
trap - EXIT
file=/proc/$$/fd/3
# What dd complains of stands before its figures; a person is told the last line.
said=$(dd if=/dev/zero of=$file bs=1M count=64 conv=notrunc,fsync 2>&1) || { echo "$said" | grep '^dd:' >&2; exit 1; }
echo "$said"
if command -v fio >/dev/null; then
  exec fio --output-format=json --filename=$file --size=64M --direct=1 --ioengine=psync --thread --runtime=4 \
    --name=sync --time_based --rw=write --bs=8k --fdatasync=1 \
    --name=random --stonewall --time_based --rw=randrw --bs=4k \
    --name=sequential --stonewall --rw=write --bs=1M --io_size=512M
fi
dd if=/dev/zero of=$file bs=8k count=400 conv=notrunc oflag=dsync 2>&1
