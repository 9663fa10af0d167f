/*
 * A C library for the program under test that refuses what some filesystems, kernels and sandboxes refuse. It stands
 * beside the program as libc.so, where the runtime looks first, and has the system's library behind it for all other
 * calls.
 *
 * REFUSE: which calls, separated by commas.
 *   tmpfile   openat(2) with O_TMPFILE: EOPNOTSUPP, as on NFS.
 *   linkfd    linkat(2) of an open file: ENOENT, as without CAP_DAC_READ_SEARCH before Linux 6.10 and without /proc.
 *   race      nothing; but what is to be made anew under a name finds a file there that somebody has just made.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int refuses(const char *call)
{
    const char *calls = getenv("REFUSE");
    return calls != NULL && strstr(calls, call) != NULL;
}

static void race(int directory, const char *name)
{
    if (refuses("race")) {
        unsetenv("REFUSE");
        close((int)syscall(SYS_openat, directory, name, O_CREAT | O_EXCL | O_WRONLY, 0644));
    }
}

int openat(int directory, const char *name, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    unsigned mode = va_arg(more, unsigned);
    va_end(more);
    if ((flags & O_TMPFILE) == O_TMPFILE && refuses("tmpfile")) {
        errno = EOPNOTSUPP;
        return -1;
    }
    if ((flags & O_EXCL) != 0) {
        race(directory, name);
    }
    return (int)syscall(SYS_openat, directory, name, flags, mode);
}

int linkat(int old_directory, const char *old_name, int directory, const char *name, int flags)
{
    if ((flags & (AT_EMPTY_PATH | AT_SYMLINK_FOLLOW)) != 0 && refuses("linkfd")) {
        errno = ENOENT;
        return -1;
    }
    race(directory, name);
    return (int)syscall(SYS_linkat, old_directory, old_name, directory, name, flags);
}
