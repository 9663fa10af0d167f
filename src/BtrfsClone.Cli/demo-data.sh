#!/bin/sh
# Creates the files that the examples of the documentation use: on a btrfs at $1, and on another filesystem at $2.
set -eu
umask 022
cd "$1"

# Random bytes in one extent, which is preallocated.
fill() {
    fallocate -l "$2" "$1"
    head -c "$2" /dev/urandom | dd of="$1" bs="$2" iflag=fullblock conv=notrunc,fsync status=none
}

mkdir -p vm db fixtures project/src project/obj project/bin project/.git photos/2023 photos/2024 iso/tools
fill vm/disk.img 16777216
# One block in the middle of the image is overwritten.
head -c 4096 /dev/urandom | dd of=vm/disk.img bs=4k seek=100 conv=notrunc status=none
printf '<domain type="kvm">\n  <name>web</name>\n  <memory unit="GiB">4</memory>\n</domain>\n' > vm/web.xml

: > db/accounts.db
chattr +C db/accounts.db
fill db/accounts.db 1048576

seq -f 'customer %05g' 100 > fixtures/customers.csv
seq -f 'order %08g,open' 100 > fixtures/orders.csv

for file in src/Program.cs src/Parser.cs obj/Program.o bin/app .git/HEAD README.md; do
    echo "$file" > "project/$file"
done

for file in 2023/beach.jpg 2023/hills.jpg 2024/lake.jpg; do
    fill "photos/$file" 262144
done

fill iso/debian.iso 524288
fill iso/tools/rescue.iso 524288
echo 'checksums' > iso/SHA256SUMS

mkdir -p "$2/photos"
for file in a b c; do
    head -c 8192 /dev/urandom > "$2/photos/$file.jpg"
done

sync -f .
