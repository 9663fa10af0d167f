#!/bin/sh
# Makes a tree at $1 with every kind of entry that a clone must keep.
set -eu
mkdir -p "$1"
cd "$1"

head -c 300000 /dev/urandom > data
printf 'inline' > inline
: > empty
head -c 4096 /dev/zero > 'a[1].txt'
head -c 8192 /dev/urandom > ' leading * star? '
printf 'dash' > ./-dash
printf 'quote' > "it's \"quoted\" \$HOME"
printf 'hidden' > .hidden

mkdir -p 'dir [x]/deep/er' dir2/empty
printf 'new\nline' > 'dir [x]/new
line'
printf 'bytes' > "dir [x]/$(printf 'not\377utf8')"
printf 'back' > 'dir [x]/back\slash'
head -c 200000 /dev/urandom > 'dir [x]/deep/er/file.iso'
head -c 100000 /dev/urandom > dir2/other.iso
: > "dir2/$(printf '%0255d' 0)"

truncate -s 1M dir2/sparse
printf 'end' >> dir2/sparse
fallocate -l 128K dir2/prealloc
: > dir2/nocow
chattr +C dir2/nocow
head -c 65536 /dev/urandom >> dir2/nocow

ln data hard1
ln data 'dir [x]/deep/hard2'
ln -s data link
ln -s nowhere dangling
ln -s /absolute/nowhere dir2/absolute
ln -s ../dir2 'dir [x]/up'
mkfifo -m 0620 dir2/fifo

setfattr -n user.note -v 'a value' data
setfattr -n user.dir -v 0x00ff00 dir2
setfacl -m u:1:r-x,g:2:rwx data
setfacl -d -m u:1:rwx dir2

if [ "$(id -u)" = 0 ]; then
    mknod dir2/null c 1 3
    mknod -m 0604 dir2/block b 7 99
    chown 12:34 dir2/other.iso inline
    chown -h 56:78 link
    chown 12 'dir [x]'
    setfattr -n trusted.secret -v hidden data
    : > sealed
    chmod 0000 sealed
fi

chmod 4755 inline
chmod 2640 'dir [x]/deep/er/file.iso'
chmod 0400 empty
chmod 1777 'dir [x]/deep'
touch -d '1999-12-31 23:59:59.123456789' data dir2/other.iso
touch -a -d '2001-02-03 04:05:06.987654321' inline
touch -h -d '2010-01-01 00:00:00.5' link
touch -d '2030-06-07 08:09:10.000000001' 'dir [x]/deep/er' dir2/empty
touch -d '2005-05-05 05:05:05.055555555' dir2 'dir [x]'
sync -f .
