/*
 * A C library for the program under test that lies: what the kernel answers to FIEMAP, to tree searches and to
 * getdents64 is changed here and there before the program sees it. It stands beside the program as libc.so, where the
 * runtime looks first, and has the system's library behind it for all other calls.
 *
 * LIE_SEED: which lies; the same seed tells the same ones.   LIE_RATE: one answer out of so many is changed.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <linux/btrfs.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <errno.h>

static _Atomic uint64_t state;

static uint64_t any(void)
{
    if (state == 0) {
        state = 0x9e3779b97f4a7c15ull * (1 + strtoull(getenv("LIE_SEED"), NULL, 10));
    }
    uint64_t x = state;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return state = x;
}

static int lies(void)
{
    return any() % strtoull(getenv("LIE_RATE"), NULL, 10) == 0;
}

static uint64_t any_number(void)
{
    switch (any() % 8) {
    case 0: return 0;
    case 1: return UINT64_MAX;
    case 2: return INT64_MAX;
    case 3: return any();
    case 4: return any() % 4096;
    case 5: return 1ull << any() % 64;
    case 6: return -(any() % 65536);
    default: return any() % (1ull << 40);
    }
}

static void lie_about_extents(struct fiemap *map)
{
    if (any() % 4 == 0) {
        map->fm_mapped_extents = any() % 2 ? any() % (map->fm_extent_count + 1) : (uint32_t)any_number();
    }
    uint32_t count = map->fm_mapped_extents < map->fm_extent_count ? map->fm_mapped_extents : map->fm_extent_count;
    for (uint32_t i = 0; i < count; i++) {
        struct fiemap_extent *extent = &map->fm_extents[i];
        switch (any() % 8) {
        case 0: extent->fe_logical = any_number(); break;
        case 1: extent->fe_length = any_number(); break;
        case 2: extent->fe_physical = any_number(); break;
        case 3: extent->fe_flags = (uint32_t)any(); break;
        }
    }
}

static void lie_about_items(struct btrfs_ioctl_search_args_v2 *search)
{
    unsigned char *buffer = (unsigned char *)search->buf;
    uint64_t position = 0;
    for (uint32_t i = 0; i < search->key.nr_items; i++) {
        struct btrfs_ioctl_search_header *header = (void *)(buffer + position);
        uint64_t size = header->len;
        switch (any() % 8) {
        case 0: header->len = (uint32_t)any_number(); break;
        case 1: header->offset = any_number(); break;
        case 2: header->objectid = any_number(); break;
        case 3: header->type = (uint32_t)any_number(); break;
        case 4:
            for (int j = 0; j < 4 && size > 0; j++) {
                (buffer + position + sizeof *header)[any() % size] = (unsigned char)any();
            }
            break;
        }
        position += sizeof *header + size;
    }
    if (any() % 4 == 0) {
        search->key.nr_items = (uint32_t)any_number();
    }
}

int ioctl(int descriptor, unsigned long request, ...)
{
    va_list arguments;
    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    int result = (int)syscall(SYS_ioctl, descriptor, request, argument);
    if (result >= 0 && request == FS_IOC_FIEMAP && lies()) {
        lie_about_extents(argument);
    } else if (result >= 0 && request == BTRFS_IOC_TREE_SEARCH_V2 && lies()) {
        lie_about_items(argument);
    }
    return result;
}

/* Names stay as they are: the kernel lets no filesystem give one that holds a slash (fs/readdir.c). */
ssize_t getdents64(int descriptor, void *buffer, size_t size)
{
    ssize_t result = syscall(SYS_getdents64, descriptor, buffer, size);
    if (result > 0 && lies()) {
        ssize_t position = 0;
        while (position < result) {
            struct dirent64 *entry = (void *)((char *)buffer + position);
            unsigned short length = entry->d_reclen;
            switch (any() % 8) {
            case 0: entry->d_reclen = (unsigned short)any_number(); break;
            case 1: entry->d_type = (unsigned char)any(); break;
            case 2: memset(entry->d_name, 'x', length - offsetof(struct dirent64, d_name)); break;
            case 3: entry->d_ino = any_number(); break;
            }
            position += length;
        }
    }
    return result;
}
