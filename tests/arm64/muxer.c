/* The program `dotnet`, which no package brings: it hands its arguments to the host that lies beside it. */
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, const char *argv[])
{
    void *host = dlopen(HOST, RTLD_NOW);
    int (*run)(int, const char *[]) = host ? (int (*)(int, const char *[])) dlsym(host, "hostfxr_main") : NULL;
    if (!run) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    return run(argc, argv);
}
