# Runs the native program, and compares its results with those of other tools.
failed=0
check() {
    echo "\$ $*"
    "$@" || { failed=1; echo '*** failed ***'; }
}

# Runs what must fail with the exit code $1.
refused() {
    code=$1
    shift
    echo "\$ $*"
    "$@"
    check test $? = "$code"
}

mkdir -p tree/a/b
head -c 5000000 /dev/urandom > tree/a/disk.img
seq 100000 > tree/a/b/numbers
ln -s b/numbers tree/a/link
ln tree/a/disk.img tree/hard
setfattr -n user.colour -v blue tree/a/b/numbers
chmod 640 tree/a/b/numbers
check btrfs-clone --version
check btrfs-clone copy tree copied
check diff --recursive tree copied
check getfattr -n user.colour copied/a/b/numbers
check stat -c '%a %h %n' copied/a/b/numbers copied/hard
check btrfs-clone compare tree copied
check btrfs-clone extents copied/a/disk.img
check filefrag -v copied/a/disk.img
check btrfs-clone range copied/a/disk.img:1m:64k part:0
check filefrag -v part
check cmp --bytes=65536 --ignore-initial=1048576:0 copied/a/disk.img part
dd if=/dev/urandom of=tree/a/disk.img bs=64k seek=9 count=1 conv=notrunc,fsync status=none
rm tree/a/link
check btrfs-clone sync --delete tree copied
check diff --recursive tree copied
check btrfs-clone measure tree copied
dd if=tree/a/b/numbers of=again bs=1M conv=fsync status=none
check btrfs-clone duplicates --merge tree again
check btrfs-clone compare tree/a/b/numbers again
check btrfs-clone owners again
refused 2 btrfs-clone copy --no-such-option tree other
refused 1 btrfs-clone copy missing other
refused 1 prlimit --as=67108864 btrfs-clone copy tree other
check test ! -e other
exit $failed
