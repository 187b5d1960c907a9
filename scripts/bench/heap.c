// heap: preloaded into a program it makes a heap of SPILE_BENCH_HEAP MiB, every page touched; its children get none.
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

__attribute__((constructor)) static void grow(void) {
    const char *mib = getenv("SPILE_BENCH_HEAP");
    if (!mib) return;
    size_t size = strtoul(mib, NULL, 10) << 20;
    unsetenv("LD_PRELOAD");
    void *heap = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (heap == MAP_FAILED) abort();
    madvise(heap, size, MADV_NOHUGEPAGE); // the page table is what a fork copies
    memset(heap, 1, size);
}
