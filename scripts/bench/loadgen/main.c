// loadgen: the loopback load generator of spile's benchmarks.
//
//   loadgen throughput  CONNECT LISTEN STREAMS MIB [check]
//   loadgen pingpong    CONNECT LISTEN CONNECTIONS SIZE SECONDS
//   loadgen connections CONNECT LISTEN CONCURRENCY SECONDS
//   loadgen idle        CONNECT LISTEN COUNT
//   loadgen sink        LISTEN
//   loadgen produce     MIB
//   loadgen echo        LISTEN
//
// CONNECT is the relay's port, LISTEN the port the relay connects to: both ends are in this process. Without a relay
// CONNECT is the echo server's port and LISTEN is 0. `echo` is such a server itself.
// The first four say "ready", wait for a line, run, say "result KEY VALUE ...", and end with their input.
#include "loadgen.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LONGEST_RUN_SECONDS 300

int main(int count, char **words) {
    signal(SIGPIPE, SIG_IGN);
    alarm(LONGEST_RUN_SECONDS); // also when the harness is gone
    const char *mode = count > 1 ? words[1] : "";
    double n[5] = {0};
    for (int i = 0; i < 5 && i + 2 < count; i++) n[i] = atof(words[i + 2]);
    bool check = count > 6 && !strcmp(words[6], "check");

    if (!strcmp(mode, "throughput")) return throughput(n[0], n[1], n[2], n[3], check);
    if (!strcmp(mode, "pingpong")) return pingpong(n[0], n[1], n[2], n[3], n[4]);
    if (!strcmp(mode, "connections")) return connections(n[0], n[1], n[2], n[3]);
    if (!strcmp(mode, "idle")) return idle(n[0], n[1], n[2]);
    if (!strcmp(mode, "sink")) return sink(n[0]);
    if (!strcmp(mode, "produce")) return produce(n[0]);
    if (!strcmp(mode, "echo")) return echo_server(n[0]);
    fprintf(stderr, "loadgen: no such mode: %s\n", mode);
    return 2;
}
