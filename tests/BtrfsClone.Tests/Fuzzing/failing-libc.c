/*
 * A C library for the program under test, in which one call fails once. It stands beside the program as libc.so, where
 * the runtime looks first, and has the system's library behind it for all other calls; calls of the runtime itself do
 * not come here.
 *
 * FAIL_CALL: the call's name.   FAIL_AT: which one of its calls, counted from 1 over all threads.   FAIL_ERRNO: its errno.
 * FAIL_MARK: a file that is made when it fails.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Atomic long calls;

static int fails(const char *call)
{
    if (strcmp(getenv("FAIL_CALL"), call) != 0 || ++calls != atol(getenv("FAIL_AT"))) {
        return 0;
    }
    close(open(getenv("FAIL_MARK"), O_WRONLY | O_CREAT, 0600));
    errno = atoi(getenv("FAIL_ERRNO"));
    return 1;
}

ssize_t getdents64(int descriptor, void *buffer, size_t size)
{
    return fails("getdents64") ? -1 : syscall(SYS_getdents64, descriptor, buffer, size);
}

off_t lseek(int descriptor, off_t offset, int whence)
{
    return fails("lseek") ? -1 : syscall(SYS_lseek, descriptor, offset, whence);
}
