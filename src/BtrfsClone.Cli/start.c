// What the native program does before the .NET runtime starts, and if the runtime cannot start: managed code runs too late for
// both. The linker replaces the runtime's own main by __wrap_main (--wrap=main).

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum { CouldNotStart = -1, Failed = 1 };

// With less the runtime may crash while it starts: measured with .NET 8 on x86-64, it takes 80 MiB and 12 MiB.
static const rlim_t LeastAddressSpace = 96ul << 20;
static const rlim_t LeastData = 16ul << 20;

int __real_main(int argc, char **argv);

static rlim_t limit(int resource)
{
    struct rlimit both;
    return getrlimit(resource, &both) == 0 ? both.rlim_cur : RLIM_INFINITY;
}

static int refuse(void)
{
    static const char line[] =
        "btrfs-clone: the .NET runtime in it cannot start: it needs 96 MiB of address space (ulimit -v), 16 MiB of data "
        "(ulimit -d) and 2 threads (ulimit -u, pids.max)\n";
    ssize_t written = write(STDERR_FILENO, line, sizeof line - 1);
    (void)written;
    return Failed;
}

int __wrap_main(int argc, char **argv)
{
    rlim_t space = limit(RLIMIT_AS);
    if (space < LeastAddressSpace || limit(RLIMIT_DATA) < LeastData)
    {
        return refuse();
    }

    if (space != RLIM_INFINITY)
    {
        // By default, the garbage collector reserves 256 GiB of addresses, of which it needs few.
        char range[32];
        snprintf(range, sizeof range, "%llx", (unsigned long long)space / 2);
        setenv("DOTNET_GCRegionRange", range, 0);
    }

    int code = __real_main(argc, argv);
    return code == CouldNotStart ? refuse() : code;
}
