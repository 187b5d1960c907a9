// An epoll echo server in one thread: the relay's far end for small messages, and the yardstick for echo servers.
#include "loadgen.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <unistd.h>

static void watch(int epoll, int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event)) die("epoll_ctl");
}

static void accept_all(int epoll, int listener) {
    for (;;) {
        int fd = accept_nonblocking(listener);
        if (fd >= 0) {
            watch(epoll, fd);
        } else if (errno == EAGAIN) {
            return;
        } else if (errno != ECONNABORTED && errno != EINTR) {
            die("backend accept");
        }
    }
}

static void echo(int fd) {
    static char buffer[65536];
    ssize_t n = recv(fd, buffer, sizeof buffer, 0);
    if (n < 0 && errno == EAGAIN) return;
    // Messages are far smaller than the socket buffer, so a short send means the peer is gone.
    if (n <= 0 || send(fd, buffer, n, MSG_NOSIGNAL) != n) close(fd);
}

static void *serve_from(void *argument) {
    int listener = (intptr_t)argument;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    fcntl(listener, F_SETFL, O_NONBLOCK);
    watch(epoll, listener);
    for (;;) {
        struct epoll_event events[256];
        int count = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == listener) accept_all(epoll, listener);
            else echo(events[i].data.fd);
        }
    }
    return NULL;
}

void start_echo_backend(int port) {
    pthread_t thread;
    if (port == 0) return;
    int listener = listen_on(port);
    if (pthread_create(&thread, NULL, serve_from, (void *)(intptr_t)listener)) die("pthread_create");
}

int echo_server(int listen_port) {
    serve_from((void *)(intptr_t)listen_on(listen_port));
    return 1;
}
