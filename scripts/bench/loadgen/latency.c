// A histogram of latencies: 64 linear steps in each power of two of nanoseconds, so about 1.6 % wide.
#include "loadgen.h"

#define STEPS 64
#define STEP_BITS 6
#define SLOTS (STEPS * STEPS)

static uint32_t histogram[SLOTS];
static uint64_t total;

static unsigned slot_of(uint64_t ns) {
    int highest = 63 - __builtin_clzll(ns | 1);
    if (highest < STEP_BITS) return ns;
    int shift = highest - STEP_BITS;
    return (shift + 1) * STEPS + ((ns >> shift) & (STEPS - 1));
}

static uint64_t ns_of(unsigned slot) {
    unsigned group = slot / STEPS, step = slot % STEPS;
    return group == 0 ? step : (uint64_t)(STEPS + step) << (group - 1);
}

void latency_add(double seconds) {
    histogram[slot_of(seconds > 0 ? seconds * 1e9 : 0)]++;
    total++;
}

double latency_us(double quantile) {
    uint64_t wanted = quantile * total, seen = 0;
    for (unsigned slot = 0; slot < SLOTS; slot++) {
        seen += histogram[slot];
        if (seen > wanted) return ns_of(slot) / 1e3;
    }
    return 0;
}
