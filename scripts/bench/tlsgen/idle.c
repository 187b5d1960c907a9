// TLS connections that have exchanged one byte each way and now say nothing: what keeping them costs.
#include "tlsgen.h"
#include <stdio.h>

// The descriptor is kept open by not closing it; the client's own TLS state is dropped, it is needed no more.
static void open_one(int port, int number) {
    SSL *tls = tls_start(connect_to(port, 0));
    bool answered = tls_handshake(tls) && tls_ask(tls);
    SSL_set_quiet_shutdown(tls, 1);
    SSL_free(tls);
    if (answered) return;
    char what[64];
    snprintf(what, sizeof what, "no reply on connection %d", number);
    die(what);
}

// The first connection is opened before "ready": what a relay sets up once is not a cost per connection.
int tls_idle(int connect_port, int listen_port, int count) {
    if (count < 2) return 2;
    start_echo_backend(listen_port);
    open_one(connect_port, 1);
    report_ready_and_wait();
    for (int number = 2; number <= count; number++) open_one(connect_port, number);
    printf("result opened %d\n", count - 1);
    hold_until_dismissed();
    return 0;
}
