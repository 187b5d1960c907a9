// The two ends of `produce | TOOL -> sink`.
#include "loadgen.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Takes one connection and counts from its first moment to its end.
int sink(int listen_port) {
    char *buffer = malloc(CHUNK);
    int fd = accept_from(listen_on(listen_port), 0);
    if (fd < 0) die("nobody connected to the sink");
    double started = now();
    uint64_t received = 0;
    ssize_t n;
    while ((n = recv(fd, buffer, CHUNK, 0)) > 0) received += n;
    if (n < 0) die("receive");
    double elapsed = now() - started, mib = received / 1048576.;
    printf("result mib_per_s %.1f mib %.3f\n", mib / elapsed, mib);
    return 0;
}

int produce(double mib) {
    signal(SIGPIPE, SIG_DFL);
    char *buffer = malloc(CHUNK);
    memset(buffer, 'y', CHUNK);
    for (uint64_t left = mib * 1048576; left > 0;) {
        ssize_t n = write(STDOUT_FILENO, buffer, left < CHUNK ? left : CHUNK);
        if (n <= 0) return 1;
        left -= n;
    }
    return 0;
}
