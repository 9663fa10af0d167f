/*
 * A C library for the program under test as it is on filesystems that keep neither modes nor times, such as some of FUSE and
 * of networks. It stands beside the program as libc.so, where the runtime looks first, and has the system's library behind it
 * for all other calls.
 */
#include <errno.h>
#include <sys/stat.h>
#include <time.h>

int fchmod(int fd, mode_t mode)
{
    (void)fd;
    (void)mode;
    errno = EOPNOTSUPP;
    return -1;
}

int futimens(int fd, const struct timespec times[2])
{
    (void)fd;
    (void)times;
    errno = EPERM;
    return -1;
}
