// What the modes of the load generator share: sockets, time, latencies, and the talk with the harness.
#pragma once
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#define CHUNK (128 * 1024)

// ---- time and failure
double now(void); // monotonic seconds
_Noreturn void die(const char *what);

// ---- sockets (net.c)
int listen_on(int port);
int connect_to(int port, int flags); // flags: 0 or SOCK_NONBLOCK
int accept_from(int listener, int flags);
int accept_nonblocking(int listener); // two calls a connection: as little as an echo server can do
void send_byte(int fd);
bool receive_byte(int fd);

// ---- echo server (backend.c)
void start_echo_backend(int port); // in a thread of its own, the relay's far end; port 0: none

// ---- latencies (latency.c)
void latency_add(double seconds);
double latency_us(double quantile);

// ---- the talk with the harness: "ready" out, a line in, "result ..." out, end of input in (harness.c)
void report_ready_and_wait(void);
void hold_until_dismissed(void);

// ---- modes: each prints one "result" line and returns the exit status
int throughput(int connect_port, int listen_port, int streams, double mib, bool check);
int pingpong(int connect_port, int listen_port, int connections, int size, double seconds);
int connections(int connect_port, int listen_port, int concurrency, double seconds);
int idle(int connect_port, int listen_port, int count);
int sink(int listen_port);
int produce(double mib);
int echo_server(int listen_port);
