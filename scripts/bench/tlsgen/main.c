// tlsgen: the load generator of spile's TLS benchmarks; an OpenSSL client in front, a plain backend behind.
//
//   tlsgen throughput CONNECT LISTEN STREAMS MIB up|down
//   tlsgen handshakes CONNECT LISTEN CONCURRENCY SECONDS full|resumed
//   tlsgen idle       CONNECT LISTEN COUNT
//
// CONNECT is the port where TLS ends, LISTEN the port to which the plain text goes: both ends are in this process.
// All say "ready", wait for a line, run, say "result KEY VALUE ...", and end with their input.
#include "tlsgen.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LONGEST_RUN_SECONDS 300

int main(int count, char **words) {
    signal(SIGPIPE, SIG_IGN);
    alarm(LONGEST_RUN_SECONDS); // also when the harness is gone
    const char *mode = count > 1 ? words[1] : "", *variant = count > 6 ? words[6] : "";
    double n[4] = {0};
    for (int i = 0; i < 4 && i + 2 < count; i++) n[i] = atof(words[i + 2]);
    tls_prepare();

    if (!strcmp(mode, "throughput")) return tls_throughput(n[0], n[1], n[2], n[3], !strcmp(variant, "up"));
    if (!strcmp(mode, "handshakes")) return tls_handshakes(n[0], n[1], n[2], n[3], !strcmp(variant, "resumed"));
    if (!strcmp(mode, "idle")) return tls_idle(n[0], n[1], n[2]);
    fprintf(stderr, "tlsgen: no such mode: %s\n", mode);
    return 2;
}
