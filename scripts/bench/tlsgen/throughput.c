// Bulk data through a TLS terminator: up (the client sends, the tool decrypts) or down (the tool encrypts).
#include "tlsgen.h"
#include <openssl/err.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MOST_STREAMS 64

static struct {
    int connect_port, listener, streams;
    uint64_t bytes_per_stream;
    bool to_backend;
} job;
static atomic_int faults;
static pthread_barrier_t all_received;

static void fault(const char *what) {
    perror(what);
    ERR_print_errors_fp(stderr);
    faults++;
}

// One end of a stream: what it sends or receives, over TLS or (tls == NULL) not.
static bool send_some(SSL *tls, int fd, const char *bytes, size_t length) {
    if (tls) return tls_send_all(tls, bytes, length);
    return send(fd, bytes, length, MSG_NOSIGNAL) == (ssize_t)length;
}

static ssize_t receive_some(SSL *tls, int fd, char *bytes, size_t length) {
    return tls ? SSL_read(tls, bytes, length) : recv(fd, bytes, length, 0);
}

static void send_stream(SSL *tls, int fd) {
    char *buffer = calloc(1, CHUNK);
    for (uint64_t sent = 0; sent < job.bytes_per_stream;) {
        uint64_t left = job.bytes_per_stream - sent;
        size_t length = left < CHUNK ? left : CHUNK;
        if (!send_some(tls, fd, buffer, length)) {
            fault("tlsgen: send");
            break;
        }
        sent += length;
    }
    if (tls && !tls_flush(tls)) fault("tlsgen: send");
    free(buffer);
}

// Reads what was promised and no further: not every peer passes on the end of a stream.
static void receive_stream(SSL *tls, int fd) {
    char *buffer = malloc(CHUNK);
    uint64_t received = 0;
    while (received < job.bytes_per_stream) {
        ssize_t n = receive_some(tls, fd, buffer, CHUNK);
        if (n <= 0) {
            fault("tlsgen: receive");
            break;
        }
        received += n;
    }
    free(buffer);
}

static void *client(void *unused) {
    (void)unused;
    SSL *tls = tls_start(connect_to(job.connect_port, 0));
    if (!tls_handshake(tls)) die("handshake");
    tls_write_together(tls);
    if (job.to_backend) send_stream(tls, -1);
    else receive_stream(tls, -1);
    pthread_barrier_wait(&all_received);
    tls_end(tls);
    return NULL;
}

static void *backend(void *argument) {
    int fd = (intptr_t)argument;
    if (job.to_backend) receive_stream(NULL, fd);
    else send_stream(NULL, fd);
    pthread_barrier_wait(&all_received);
    close(fd);
    return NULL;
}

static void *acceptor(void *unused) {
    (void)unused;
    pthread_t threads[MOST_STREAMS];
    for (int i = 0; i < job.streams; i++) {
        int fd = accept_from(job.listener, 0);
        if (fd < 0) die("the tool did not connect to the backend");
        pthread_create(&threads[i], NULL, backend, (void *)(intptr_t)fd);
    }
    for (int i = 0; i < job.streams; i++) pthread_join(threads[i], NULL);
    return NULL;
}

static void warm_up(void) {
    SSL *tls = tls_start(connect_to(job.connect_port, 0));
    if (!tls_handshake(tls) || SSL_write(tls, "x", 1) != 1) die("warm-up");
    int fd = accept_from(job.listener, 0);
    if (fd < 0) die("the tool did not connect to the backend");
    if (!receive_byte(fd)) die("warm-up");
    tls_end(tls);
    close(fd);
}

int tls_throughput(int connect_port, int listen_port, int streams, double mib, bool to_backend) {
    if (streams < 1 || streams > MOST_STREAMS) return 2;
    job.connect_port = connect_port;
    job.listener = listen_on(listen_port);
    job.streams = streams;
    job.bytes_per_stream = mib * 1048576 / streams;
    job.to_backend = to_backend;
    pthread_barrier_init(&all_received, NULL, 2 * streams + 1);
    warm_up();
    report_ready_and_wait();

    pthread_t accepting, clients[MOST_STREAMS];
    double started = now();
    pthread_create(&accepting, NULL, acceptor, NULL);
    for (int i = 0; i < streams; i++) pthread_create(&clients[i], NULL, client, NULL);
    pthread_barrier_wait(&all_received);
    double elapsed = now() - started;
    for (int i = 0; i < streams; i++) pthread_join(clients[i], NULL);
    pthread_join(accepting, NULL);

    double moved = job.bytes_per_stream * (double)streams / 1048576;
    printf("result mib_per_s %.1f mib %.1f faults %d\n", moved / elapsed, moved, (int)faults);
    hold_until_dismissed();
    return faults ? 1 : 0;
}
