#!/bin/bash
# Runs tests of the engine, the native program, and a few cmdlets, on Debian's kernel for arm64 in an emulated machine, for machines of
# another kind: an emulation of processes alone does not know btrfs's ioctls. As root, on Debian or Ubuntu:
#
#     apt-get install -y debootstrap qemu-system-arm gcc-aarch64-linux-gnu cpio kmod
#     tests/arm64/run.sh [FOLDER [-class BtrfsClone.Tests.Cloning.RangeTests ...]]
#
# What it makes is in FOLDER, out/arm64 unless given; what follows goes to xunit's runner.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
checkout=$(realpath "$here/../..")
folder=$(realpath -m "${1:-$checkout/out/arm64}")
[ $# = 0 ] || shift
[ $# -gt 0 ] || set -- $(printf -- '-class BtrfsClone.Tests.%s ' Walking.{WalkQueue,TreeWalk}Tests Cloning.RangeTests)
root=$folder/root
mkdir -p "$folder"

# The packages are taken apart, not set up: that would need the machine that is to be made of them.
if [ ! -e "$folder/debian" ]; then
    rm -rf "$root"
    debootstrap --arch=arm64 --foreign --variant=minbase \
        --include=linux-image-arm64,btrfs-progs,xfsprogs,attr,acl,rsync,strace,iproute2,procps,gcc,libc6-dev,libssl3 \
        bookworm "$root" http://deb.debian.org/debian > "$folder/debootstrap.log"
    for package in "$root"/var/cache/apt/archives/*.deb; do
        dpkg-deb --fsys-tarfile "$package" | tar -x --keep-directory-symlink -C "$root"
    done
    rm -r "$root"/var/cache/apt/archives "$root"/usr/share/{doc,man,locale}
    rm -rf "$root/proc" && mkdir "$root/proc"
    cp "$root"/boot/vmlinuz-* "$folder/kernel"
    # What the tests use is in the kernel, or among these.
    (cd "$root"/usr/lib/modules/*/kernel && rm -r drivers/{gpu,media,net,infiniband,scsi,usb} sound net)
    depmod --basedir "$root" "$(basename "$root"/usr/lib/modules/*)"
    cp /etc/passwd /etc/group "$root/etc"
    touch "$folder/debian"
fi

dotnet build "$checkout/tests/BtrfsClone.Tests" -p:PublishAot=false -p:Precompile=false
dotnet build "$here"
dotnet publish "$checkout/src/BtrfsClone.Cli" -p:PublishAot=true --runtime linux-arm64 --output "$folder/program"
packages=$(dotnet nuget locals global-packages --list | sed 's/.*: //; s,/$,,')
runtime=$(printf "%s\n" "$packages"/microsoft.netcore.app.runtime.linux-arm64/*/ | sort -V | tail -n 1)
version=$(basename "$runtime")
rm -rf "$root"/{dotnet,xunit,powershell,checkout}
mkdir -p "$root/dotnet/host/fxr/$version" "$root/dotnet/shared/Microsoft.NETCore.App/$version" "$root/xunit" "$root/powershell" "$root/checkout"
cp "$runtime"/runtimes/linux-arm64/{lib/*,native}/* "$root/dotnet/shared/Microsoft.NETCore.App/$version"
mv "$root/dotnet/shared/Microsoft.NETCore.App/$version/libhostfxr.so" "$root/dotnet/host/fxr/$version"
aarch64-linux-gnu-gcc -DHOST="\"/dotnet/host/fxr/$version/libhostfxr.so\"" "$here/muxer.c" -o "$root/dotnet/dotnet" -ldl
cp "$packages"/xunit.runner.console/*/tools/netcoreapp2.0/* "$root/xunit"
cp -r "$here"/obj/powershell/.store/powershell/*/powershell/*/tools/net10.0/any/unix/. "$root/powershell"
tar -C "$checkout" --exclude=.git --exclude=out --exclude=obj --exclude=tests/Pester --exclude=tests/BtrfsClone.Hosted -c . |
    tar -x -C "$root/checkout"

# The program that tests start, too.
rm "$root/checkout/bin/btrfs-clone.dll"
cp "$folder/program/btrfs-clone" "$root/checkout/bin"
cp "$here/init" "$here/program.sh" "$here/cmdlets.ps1" "$root"
chmod +x "$root/init"
echo "$@" > "$root/tests"
(cd "$root" && find . | cpio --quiet -o -H newc) > "$folder/root.cpio"
qemu-system-aarch64 -machine virt -cpu cortex-a72 -accel tcg,thread=multi -smp 2 -m 6G -nographic -no-reboot \
    -kernel "$folder/kernel" -initrd "$folder/root.cpio" -append 'console=ttyAMA0 rdinit=/init quiet panic=-1' < /dev/null |
    tee "$folder/log"
for line in 'Total: [1-9].*Failed: 0' 'program ended with 0' 'cmdlets ended with 0'; do
    grep -q "$line" "$folder/log"
done
