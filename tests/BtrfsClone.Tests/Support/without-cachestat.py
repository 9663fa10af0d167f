"""Runs a command on a kernel that seems to have no cachestat(2): a seccomp filter answers ENOSYS."""
import ctypes, errno, os, struct, sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO = 0x7FFF0000, 0x00050000

program = b"".join(struct.pack("=HBBI", *instruction) for instruction in [
    (LOAD, 0, 0, 0),  # The system call's number.
    (JUMP_IF_EQUAL, 0, 1, 451),
    (RETURN, 0, 0, SECCOMP_RET_ERRNO | errno.ENOSYS),
    (RETURN, 0, 0, SECCOMP_RET_ALLOW),
])
code = ctypes.create_string_buffer(program)
header = struct.pack("HP", len(program) // 8, ctypes.addressof(code))
libc = ctypes.CDLL(None, use_errno=True)
if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, header, 0, 0):
    sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
os.execv(sys.argv[1], sys.argv[1:])
