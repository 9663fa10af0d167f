#!/bin/sh
# Makes what the examples of the help and the README work on: what they call /data below $1, and /mnt/usb below $2.
set -eu
umask 022
cd "$1"

mkdir -p vm db fixtures project/src project/obj project/bin project/.git photos/2023 photos/2024 iso/tools
head -c 16777216 /dev/urandom > vm/disk.img
sync -f vm
# One block in the middle of the image is written again.
head -c 4096 /dev/urandom | dd of=vm/disk.img bs=4k seek=100 conv=notrunc status=none
printf '<domain type="kvm">\n  <name>web</name>\n  <memory unit="GiB">4</memory>\n</domain>\n' > vm/web.xml

: > db/accounts.db
chattr +C db/accounts.db
head -c 1048576 /dev/urandom > db/accounts.db

seq -f 'customer %05g' 100 > fixtures/customers.csv
seq -f 'order %08g,open' 100 > fixtures/orders.csv

for file in src/Program.cs src/Parser.cs obj/Program.o bin/app .git/HEAD README.md; do
    echo "$file" > "project/$file"
done

for file in 2023/beach.jpg 2023/hills.jpg 2024/lake.jpg; do
    head -c 262144 /dev/urandom > "photos/$file"
done

head -c 524288 /dev/urandom > iso/debian.iso
head -c 524288 /dev/urandom > iso/tools/rescue.iso
echo 'checksums' > iso/SHA256SUMS

mkdir -p "$2/photos"
for file in a b c; do
    head -c 8192 /dev/urandom > "$2/photos/$file.jpg"
done

sync -f .
