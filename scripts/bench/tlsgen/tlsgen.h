// What the modes of the TLS load generator share: one connection, always TLS 1.3 with the same suite and group.
#pragma once
#include "../loadgen/loadgen.h"
#include <openssl/ssl.h>

// ---- TLS over one connection (tls.c)
void tls_prepare(void);
void tls_keep_sessions(int (*keep)(SSL *, SSL_SESSION *));
SSL *tls_start(int fd);                 // a client that has not yet said anything
bool tls_handshake(SSL *tls);           // false: refused, with what was learnt on stderr
bool tls_ask(SSL *tls);                 // a line of one letter out and back
void tls_write_together(SSL *tls);      // from here on what is written waits for a flush or a full buffer
bool tls_flush(SSL *tls);
bool tls_send_all(SSL *tls, const char *bytes, size_t length);
void tls_end(SSL *tls);                 // says close_notify, closes the socket, waits for nothing

// ---- modes: each prints one "result" line and returns the exit status
int tls_throughput(int connect_port, int listen_port, int streams, double mib, bool to_backend);
int tls_handshakes(int connect_port, int listen_port, int concurrency, double seconds, bool resume);
int tls_idle(int connect_port, int listen_port, int count);
