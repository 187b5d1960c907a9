// New connections: connect, one byte out, one byte back, close; CONCURRENCY of them at any time.
#include "loadgen.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

struct client {
    int fd;
    enum { CONNECTING, AWAITING_REPLY } state;
    double started;
};

enum outcome { PENDING, ANSWERED, FAILED };

static struct {
    int connect_port, epoll;
    uint64_t answered, failed;
} run;

static void begin(struct client *client, uint32_t index) {
    client->state = CONNECTING;
    client->started = now();
    client->fd = connect_to(run.connect_port, SOCK_NONBLOCK);
    struct epoll_event event = {.events = EPOLLOUT, .data.u32 = index};
    if (epoll_ctl(run.epoll, EPOLL_CTL_ADD, client->fd, &event)) die("epoll_ctl");
}

static enum outcome ask(struct client *client, uint32_t index) {
    if (send(client->fd, "q", 1, MSG_NOSIGNAL) != 1) return FAILED;
    client->state = AWAITING_REPLY;
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = index};
    epoll_ctl(run.epoll, EPOLL_CTL_MOD, client->fd, &event);
    return PENDING;
}

static enum outcome take_reply(struct client *client) {
    char bytes[2];
    ssize_t n = recv(client->fd, bytes, sizeof bytes, 0);
    if (n < 0 && errno == EAGAIN) return PENDING;
    return n == 1 ? ANSWERED : FAILED;
}

static void advance(struct client *client, uint32_t index) {
    enum outcome outcome = client->state == CONNECTING ? ask(client, index) : take_reply(client);
    if (outcome == PENDING) return;
    if (outcome == ANSWERED) {
        latency_add(now() - client->started);
        run.answered++;
    } else {
        run.failed++;
    }
    close(client->fd);
    begin(client, index);
}

static void warm_up(int port) {
    int fd = connect_to(port, 0);
    send_byte(fd);
    if (!receive_byte(fd)) die("warm-up");
    close(fd);
}

int connections(int connect_port, int listen_port, int concurrency, double seconds) {
    if (concurrency < 1) return 2;
    struct client *clients = calloc(concurrency, sizeof *clients);
    run.connect_port = connect_port;
    run.epoll = epoll_create1(EPOLL_CLOEXEC);
    start_echo_backend(listen_port);
    warm_up(connect_port);
    report_ready_and_wait();

    double started = now(), end = started + seconds;
    for (int i = 0; i < concurrency; i++) begin(&clients[i], i);
    while (now() < end) {
        struct epoll_event events[256];
        int ready = epoll_wait(run.epoll, events, 256, 1000);
        if (ready == 0) { // nothing moved for a second: the rest is lost
            run.failed += concurrency;
            break;
        }
        for (int i = 0; i < ready; i++) advance(&clients[events[i].data.u32], events[i].data.u32);
    }
    double elapsed = now() - started;
    printf("result connections %lu per_s %.0f p50_us %.1f p99_us %.1f failed %lu\n",
           (unsigned long)run.answered, run.answered / elapsed, latency_us(.5), latency_us(.99),
           (unsigned long)run.failed);
    hold_until_dismissed();
    return 0;
}
