"""
Prints the files named, and those below the directories named, that have data waiting to be written: dirty pages or
pages in write-back by cachestat(2), or extents that FIEMAP shows as delalloc. The last line is how many were looked at.
"""
import ctypes, fcntl, os, struct, sys

libc = ctypes.CDLL(None, use_errno=True)
FS_IOC_FIEMAP, DELALLOC, LAST, EXTENTS = 0xC020660B, 0x4, 0x1, 500


def pages(descriptor):
    span, counts = (ctypes.c_uint64 * 2)(), (ctypes.c_uint64 * 5)()
    if libc.syscall(451, descriptor, span, counts, 0) != 0:
        sys.exit(f"cachestat: {os.strerror(ctypes.get_errno())}")
    return counts[1] + counts[2]


def delalloc(descriptor):
    start, flags, count = 0, 0, 1
    while count and not flags & LAST:
        request = bytearray(struct.pack("=QQLLLL", start, 2**63 - 1 - start, 0, 0, EXTENTS, 0) + bytes(56 * EXTENTS))
        fcntl.ioctl(descriptor, FS_IOC_FIEMAP, request)
        count = struct.unpack_from("=L", request, 20)[0]
        for i in range(count):
            logical, _, length, _, _, flags = struct.unpack_from("=QQQQQL", request, 32 + 56 * i)
            if flags & DELALLOC:
                return True
            start = logical + length
    return False


def files(path):
    if not os.path.isdir(path):
        yield path
    for folder, _, names in os.walk(path):
        for name in names:
            file = os.path.join(folder, name)
            if os.path.isfile(file) and not os.path.islink(file):
                yield file


looked = 0
for path in sys.argv[1:]:
    for file in files(os.fsencode(path)):
        descriptor = os.open(file, os.O_RDONLY)
        looked += 1
        if pages(descriptor) or delalloc(descriptor):
            print(os.fsdecode(file).encode("utf-8", "backslashreplace").decode().replace("\n", "\\n"))
        os.close(descriptor)
print(looked)
