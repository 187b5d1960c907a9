// Loopback sockets with a bound on every wait.
#include "loadgen.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#define SOURCE_ADDRESSES 200
#define CONNECTIONS_PER_STEP 7
#define WAIT_SECONDS 20

double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

_Noreturn void die(const char *what) {
    fprintf(stderr, "loadgen: %s: %s\n", what, strerror(errno));
    exit(1);
}

// Blocking calls fail instead of hanging when the tool under test lost the connection.
static void bound_waits(int fd) {
    struct timeval limit = {.tv_sec = WAIT_SECONDS};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

static void no_delay(int fd) {
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static struct sockaddr_in loopback(uint32_t host, int port) {
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(host)};
}

int listen_on(int port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    if (fd < 0) die("socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    bound_waits(fd);
    struct sockaddr_in here = loopback(INADDR_LOOPBACK, port);
    if (bind(fd, (struct sockaddr *)&here, sizeof here)) die("bind");
    if (listen(fd, 4096)) die("listen");
    return fd;
}

// One source address has about 28,000 ports, and a closed connection keeps its port for a minute.
// So the clients call from 200 addresses of 127.0.0.0/8; the kernel picks the port at connect.
static void bind_to_next_source(int fd) {
    static atomic_uint made;
    unsigned step = atomic_fetch_add(&made, 1) / CONNECTIONS_PER_STEP;
    int on = 1;
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    struct sockaddr_in source = loopback(INADDR_LOOPBACK + step % SOURCE_ADDRESSES, 0);
    if (bind(fd, (struct sockaddr *)&source, sizeof source)) die("bind source");
}

int connect_to(int port, int flags) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    if (fd < 0) die("socket");
    no_delay(fd);
    bound_waits(fd);
    bind_to_next_source(fd);
    struct sockaddr_in there = loopback(INADDR_LOOPBACK, port);
    if (connect(fd, (struct sockaddr *)&there, sizeof there) && errno != EINPROGRESS) die("connect");
    return fd;
}

int accept_from(int listener, int flags) {
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | flags);
    if (fd < 0) return fd;
    no_delay(fd);
    bound_waits(fd);
    return fd;
}

int accept_nonblocking(int listener) {
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) no_delay(fd);
    return fd;
}

void send_byte(int fd) {
    if (send(fd, "x", 1, MSG_NOSIGNAL) != 1) die("send");
}

bool receive_byte(int fd) {
    char byte;
    return recv(fd, &byte, 1, 0) == 1;
}
