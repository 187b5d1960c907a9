// The talk with the harness. It reads the tool's CPU time between "ready" and "result", so that
// neither the tool's start nor its first connection is counted.
#include "loadgen.h"
#include <stdio.h>
#include <stdlib.h>

static bool read_line(void) {
    char line[16];
    return fgets(line, sizeof line, stdin) != NULL;
}

void report_ready_and_wait(void) {
    puts("ready");
    fflush(stdout);
    if (!read_line()) exit(0);
}

void hold_until_dismissed(void) {
    fflush(stdout);
    while (read_line()) {
    }
}
