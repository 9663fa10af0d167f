/*
 * A C library for the program under test in which one call fails without having been made. It stands beside the program
 * as libc.so, where the runtime looks first, and has the system's library behind it.
 *
 * FAIL_CALL, FAIL_WHEN, FAIL_ERRNO: which call fails, at which of its uses (from 1), and why.
 * FAIL_LOG: a file that receives a line for each use of each call; a call that fails has a '!' before its name.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* All arguments of these calls are integers and pointers, which are handed over alike, however many there are. */
typedef long function(long, long, long, long, long, long);

static int record;

__attribute__((constructor)) static void open_log(void)
{
    record = open(getenv("FAIL_LOG"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static function *next(const char *name)
{
    static void *_Atomic library;
    if (!library) {
        library = dlopen("libc.so.6", RTLD_LAZY);
    }
    return (function *)dlsym(library, name);
}

static int fails(const char *name)
{
    static atomic_long uses;
    const char *call = getenv("FAIL_CALL");
    int chosen = call && strcmp(name, call) == 0 && atomic_fetch_add(&uses, 1) + 1 == atol(getenv("FAIL_WHEN"));
    dprintf(record, "%s%s\n", chosen ? "!" : "", name);
    if (chosen) {
        errno = atoi(getenv("FAIL_ERRNO"));
    }
    return chosen;
}

/* A call that fails with the value, under the name that the statement has written to name. */
#define CALL_NAMED(call, value, ...)                                                                    \
    long call_##call(long a, long b, long c, long d, long e, long f) __asm__(#call);                    \
    long call_##call(long a, long b, long c, long d, long e, long f)                                    \
    {                                                                                                   \
        char name[64];                                                                                  \
        snprintf(name, sizeof name, __VA_ARGS__);                                                       \
        if (fails(name)) {                                                                              \
            return value;                                                                               \
        }                                                                                               \
        return next(#call)(a, b, c, d, e, f);                                                           \
    }

#define CALL(call) CALL_NAMED(call, -1, #call)
#define CALL_FOR_POINTER(call) CALL_NAMED(call, 0, #call)

CALL(chmod)
CALL(copy_file_range)
CALL(fallocate)
CALL(fchmod)
CALL(fchown)
CALL(fchownat)
CALL(fcntl)
CALL(fgetxattr)
CALL(flistxattr)
CALL(flock)
CALL(fremovexattr)
CALL(fsetxattr)
CALL(fstatfs)
CALL(ftruncate)
CALL(futimens)
CALL(getdents64)
CALL(getrlimit)
CALL(lgetxattr)
CALL(linkat)
CALL(listxattr)
CALL(llistxattr)
CALL(lremovexattr)
CALL(lseek)
CALL(lsetxattr)
CALL(mkdirat)
CALL(mknodat)
CALL(open_by_handle_at)
CALL(openat)
CALL(pread)
CALL(pwrite)
CALL(read)
CALL(readlinkat)
CALL(removexattr)
CALL(renameat)
CALL(renameat2)
CALL(sendfile)
CALL(setxattr)
CALL(statx)
CALL(symlinkat)
CALL(sync_file_range)
CALL(syncfs)
CALL(unlinkat)
CALL(utimensat)

CALL_FOR_POINTER(getcwd)
CALL_FOR_POINTER(realpath)

CALL_NAMED(ioctl, -1, "ioctl.%08lx", b)
CALL_NAMED(syscall, -1, "syscall.%ld", a)
