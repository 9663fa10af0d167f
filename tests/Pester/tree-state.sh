#!/bin/sh
# Prints all that a clone must keep of everything below $1, and where each file's data lies on disk. Access times are
# left out unless $2 is "atime": to look at a tree changes them where the mount does not forbid it.
cd "$1" || exit
export LC_ALL=C
[ "${2-}" = atime ] && atime='%A@' || atime=
sync -f .

find . -mindepth 1 -printf "%p\t%y\t%m\t%U:%G\t%s\t%n\t$atime\t%T@\t%l\n" | sort
find . -mindepth 1 \( -type b -o -type c \) -exec stat -c '%n %t,%T' {} + | sort
find . -mindepth 1 -type f -links +1 -printf '%p\t%i\n' | sort |
    awk -F '\t' '{ if (!($2 in first)) first[$2] = $1; print $1 " is linked to " first[$2] }'
find . -mindepth 1 -print0 | sort -z | xargs -0 -r getfattr --no-dereference --dump --match=- --encoding=hex
find . -mindepth 1 \( -type f -o -type d \) -print0 | sort -z | xargs -0 -r lsattr -d
find . -mindepth 1 -type f -print0 | sort -z | xargs -0 -r sha256sum
find . -mindepth 1 -type f -print0 | sort -z | xargs -0 -r filefrag -v
