// Connections that have exchanged one byte each way and now say nothing: what keeping them costs.
#include "loadgen.h"
#include <stdio.h>

// The descriptor is kept open by not closing it: the process ends when the harness is done.
static void open_one(int port, int number) {
    int fd = connect_to(port, 0);
    send_byte(fd);
    if (receive_byte(fd)) return;
    char what[64];
    snprintf(what, sizeof what, "no reply on connection %d", number);
    die(what);
}

// The first connection is opened before "ready": what a relay sets up once is not a cost per connection.
int idle(int connect_port, int listen_port, int count) {
    if (count < 2) return 2;
    start_echo_backend(listen_port);
    open_one(connect_port, 1);
    report_ready_and_wait();
    for (int number = 2; number <= count; number++) open_one(connect_port, number);
    printf("result opened %d\n", count - 1);
    hold_until_dismissed();
    return 0;
}
