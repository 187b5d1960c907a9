// Handshakes: connect, handshake, one byte out, one byte back, close; CONCURRENCY threads of them.
//
// The byte's way back matters: only then has the server's last flight, with its tickets, arrived.
#include "tlsgen.h"
#include <openssl/err.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST_THREADS 64

static struct {
    int connect_port;
    bool resume;
    double end;
} run;
static atomic_ulong done, resumed, failed;
static pthread_mutex_t latencies = PTHREAD_MUTEX_INITIALIZER;

// The newest ticket of a thread. It is used again when the server gave no newer one: some send none on resumption.
static int remember(SSL *tls, SSL_SESSION *session) {
    SSL_SESSION **newest = SSL_get_app_data(tls);
    SSL_SESSION_free(*newest);
    *newest = session;
    return 1;
}

static bool once(SSL_SESSION **newest) {
    double started = now();
    SSL *tls = tls_start(connect_to(run.connect_port, 0));
    SSL_set_app_data(tls, newest);
    if (run.resume && *newest) SSL_set_session(tls, *newest);
    bool answered = SSL_do_handshake(tls) == 1 && tls_ask(tls);
    if (answered && SSL_session_reused(tls)) resumed++;
    tls_end(tls);
    if (!answered) return false;
    pthread_mutex_lock(&latencies);
    latency_add(now() - started);
    pthread_mutex_unlock(&latencies);
    return true;
}

static void *client(void *newest) {
    while (now() < run.end) {
        if (once(newest)) done++;
        else failed++;
    }
    return NULL;
}

// One full handshake for each client, which leaves it a ticket.
static void warm_up(SSL_SESSION **newest) {
    SSL *tls = tls_start(connect_to(run.connect_port, 0));
    SSL_set_app_data(tls, newest);
    if (!tls_handshake(tls) || !tls_ask(tls)) die("warm-up");
    tls_end(tls);
}

int tls_handshakes(int connect_port, int listen_port, int concurrency, double seconds, bool resume) {
    if (concurrency < 1 || concurrency > MOST_THREADS) return 2;
    run.connect_port = connect_port;
    run.resume = resume;
    start_echo_backend(listen_port);
    if (resume) tls_keep_sessions(remember);
    SSL_SESSION *newest[MOST_THREADS] = {0};
    for (int i = 0; i < concurrency; i++) warm_up(&newest[i]);
    report_ready_and_wait();

    pthread_t threads[MOST_THREADS];
    double started = now();
    run.end = started + seconds;
    for (int i = 0; i < concurrency; i++) pthread_create(&threads[i], NULL, client, &newest[i]);
    for (int i = 0; i < concurrency; i++) pthread_join(threads[i], NULL);
    double elapsed = now() - started;
    printf("result handshakes %lu resumed %lu failed %lu per_s %.0f p50_us %.1f p99_us %.1f\n", (unsigned long)done,
           (unsigned long)resumed, (unsigned long)failed, done / elapsed, latency_us(.5), latency_us(.99));
    hold_until_dismissed();
    return 0;
}
