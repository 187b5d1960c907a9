// Request and reply of a few bytes over connections that stay open: what one hop adds.
#include "loadgen.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#define WARM_UP_SECONDS 0.2

struct conversation {
    int fd;
    int received; // of the reply under way
    double asked_at;
};

static int message_size;
static char *message, *reply;
static uint64_t answered;

static void ask(struct conversation *c) {
    c->received = 0;
    c->asked_at = now();
    if (send(c->fd, message, message_size, MSG_NOSIGNAL) != message_size) die("send");
}

// Takes what has arrived; true once the reply is whole.
static bool take(struct conversation *c) {
    ssize_t n = recv(c->fd, reply, message_size - c->received, 0);
    if (n < 0 && errno == EAGAIN) return false;
    if (n <= 0) die("receive");
    c->received += n;
    return c->received == message_size;
}

static void ask_and_wait(struct conversation *c) {
    ask(c);
    while (!take(c)) {
    }
}

static void count(struct conversation *c) {
    latency_add(now() - c->asked_at);
    answered++;
}

// One conversation needs no epoll: the client's own cost stays as small as it can be.
static void talk_alone(struct conversation *c, double seconds) {
    double end = now() + seconds;
    while (now() < end) {
        ask_and_wait(c);
        count(c);
    }
}

static int watch_all(struct conversation *all, int connections) {
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < connections; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        fcntl(all[i].fd, F_SETFL, O_NONBLOCK);
        epoll_ctl(epoll, EPOLL_CTL_ADD, all[i].fd, &event);
    }
    return epoll;
}

static void talk_together(struct conversation *all, int connections, double seconds) {
    int epoll = watch_all(all, connections);
    double end = now() + seconds;
    for (int i = 0; i < connections; i++) ask(&all[i]);
    while (now() < end) {
        struct epoll_event events[256];
        int ready = epoll_wait(epoll, events, 256, 1000);
        if (ready == 0) {
            errno = ETIMEDOUT;
            die("no reply for a second");
        }
        for (int i = 0; i < ready; i++) {
            struct conversation *c = &all[events[i].data.u32];
            if (!take(c)) continue;
            count(c);
            ask(c);
        }
    }
}

int pingpong(int connect_port, int listen_port, int connections, int size, double seconds) {
    if (connections < 1 || size < 1) return 2;
    message_size = size;
    message = malloc(size);
    reply = malloc(size);
    memset(message, 'p', size);
    start_echo_backend(listen_port);
    struct conversation *all = calloc(connections, sizeof *all);
    for (int i = 0; i < connections; i++) {
        all[i].fd = connect_to(connect_port, 0);
        ask_and_wait(&all[i]);
    }
    for (double end = now() + WARM_UP_SECONDS; now() < end;) ask_and_wait(&all[0]);
    report_ready_and_wait();

    double started = now();
    if (connections == 1) talk_alone(&all[0], seconds);
    else talk_together(all, connections, seconds);
    double elapsed = now() - started;
    printf("result requests %lu per_s %.0f p50_us %.2f p99_us %.2f\n", (unsigned long)answered,
           answered / elapsed, latency_us(.5), latency_us(.99));
    hold_until_dismissed();
    return 0;
}
