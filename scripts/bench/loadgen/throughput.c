// Bulk transfer: STREAMS clients send through the relay to as many sinks, each a thread of this process.
#include "loadgen.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_STREAMS 256

static struct {
    int connect_port, listener, streams;
    uint64_t bytes_per_stream;
    bool check; // compare every byte with what was sent
} job;
static atomic_int faults, ends_seen;
static pthread_barrier_t all_received;

// The byte at an offset; differs between neighbours and between chunks, so shifts and swaps show.
static char pattern(uint64_t offset) { return offset ^ offset >> 8 ^ offset >> 16; }

static void fill(char *buffer, size_t length, uint64_t offset) {
    for (size_t i = 0; i < length; i++) buffer[i] = pattern(offset + i);
}

static bool matches(const char *buffer, size_t length, uint64_t offset) {
    for (size_t i = 0; i < length; i++) {
        if (buffer[i] != pattern(offset + i)) return false;
    }
    return true;
}

static bool send_all(int fd, const char *buffer, size_t length) {
    while (length > 0) {
        ssize_t n = send(fd, buffer, length, MSG_NOSIGNAL);
        if (n <= 0) return false;
        buffer += n;
        length -= n;
    }
    return true;
}

static void *sender(void *unused) {
    (void)unused;
    int fd = connect_to(job.connect_port, 0);
    char *buffer = calloc(1, CHUNK);
    for (uint64_t sent = 0; sent < job.bytes_per_stream;) {
        uint64_t left = job.bytes_per_stream - sent;
        size_t length = left < CHUNK ? left : CHUNK;
        if (job.check) fill(buffer, length, sent);
        if (!send_all(fd, buffer, length)) {
            perror("loadgen: send");
            faults++;
            break;
        }
        sent += length;
    }
    // The far side answers the half-close with its own: a relay must carry both.
    shutdown(fd, SHUT_WR);
    if (recv(fd, buffer, 1, 0) == 0) ends_seen++;
    close(fd);
    free(buffer);
    return NULL;
}

static void *receiver(void *argument) {
    int fd = (intptr_t)argument;
    char *buffer = malloc(CHUNK);
    uint64_t received = 0;
    ssize_t n;
    while ((n = recv(fd, buffer, CHUNK, 0)) > 0) {
        if (job.check && !matches(buffer, n, received)) faults++;
        received += n;
    }
    if (n < 0) perror("loadgen: receive");
    if (received != job.bytes_per_stream) faults++;
    pthread_barrier_wait(&all_received);
    close(fd);
    free(buffer);
    return NULL;
}

static void *acceptor(void *unused) {
    (void)unused;
    pthread_t threads[MOST_STREAMS];
    for (int i = 0; i < job.streams; i++) {
        int fd = accept_from(job.listener, 0);
        if (fd < 0) die("the relay did not connect to the sink");
        pthread_create(&threads[i], NULL, receiver, (void *)(intptr_t)fd);
    }
    for (int i = 0; i < job.streams; i++) pthread_join(threads[i], NULL);
    return NULL;
}

// One short connection before the clock starts: systemd-socket-activate starts its server only then.
static void warm_up(void) {
    int client = connect_to(job.connect_port, 0);
    int server = accept_from(job.listener, 0);
    if (server < 0) die("the relay did not connect to the sink");
    send_byte(client);
    if (!receive_byte(server)) die("warm-up");
    close(client);
    close(server);
}

int throughput(int connect_port, int listen_port, int streams, double mib, bool check) {
    if (streams < 1 || streams > MOST_STREAMS) return 2;
    job.connect_port = connect_port;
    job.listener = listen_on(listen_port);
    job.streams = streams;
    job.bytes_per_stream = mib * 1048576 / streams;
    job.check = check;
    pthread_barrier_init(&all_received, NULL, streams + 1);
    warm_up();
    report_ready_and_wait();

    pthread_t accepting, senders[MOST_STREAMS];
    double started = now();
    pthread_create(&accepting, NULL, acceptor, NULL);
    for (int i = 0; i < streams; i++) pthread_create(&senders[i], NULL, sender, NULL);
    pthread_barrier_wait(&all_received);
    double elapsed = now() - started;
    for (int i = 0; i < streams; i++) pthread_join(senders[i], NULL);
    pthread_join(accepting, NULL);

    double moved = job.bytes_per_stream * (double)streams / 1048576;
    printf("result mib_per_s %.1f mib %.1f faults %d ends %d\n", moved / elapsed, moved, (int)faults,
           (int)ends_seen);
    hold_until_dismissed();
    return faults ? 1 : 0;
}
