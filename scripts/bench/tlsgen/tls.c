// One TLS connection: OpenSSL's client with large buffers, so that the tool under test is what limits a run.
#include "tlsgen.h"
#include <openssl/err.h>
#include <stdio.h>
#include <unistd.h>

#define SUITE "TLS_AES_256_GCM_SHA384"
#define GROUPS "X25519:P-256" // the second only for socat 1.7, which knows no other
#define BUFFER (256 * 1024)

static SSL_CTX *context;

void tls_prepare(void) {
    context = SSL_CTX_new(TLS_client_method());
    if (!context || !SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) ||
        !SSL_CTX_set_ciphersuites(context, SUITE) || !SSL_CTX_set1_groups_list(context, GROUPS)) {
        ERR_print_errors_fp(stderr);
        die("OpenSSL");
    }
    // The certificate is thrown away: checking it would cost the client alone.
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
    // Many records per read.
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_default_read_buffer_len(context, BUFFER);
}

void tls_keep_sessions(int (*keep)(SSL *, SSL_SESSION *)) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keep);
}

SSL *tls_start(int fd) {
    SSL *tls = SSL_new(context);
    if (!tls || !SSL_set_fd(tls, fd)) die("SSL_new");
    SSL_set_connect_state(tls);
    return tls;
}

bool tls_handshake(SSL *tls) {
    if (SSL_do_handshake(tls) == 1) return true;
    ERR_print_errors_fp(stderr);
    return false;
}

bool tls_ask(SSL *tls) {
    char bytes[2];
    if (SSL_write(tls, "q\n", 2) != 2) return false;
    for (int received = 0; received < 2;) {
        int n = SSL_read(tls, bytes, sizeof bytes - received);
        if (n <= 0) return false;
        received += n;
    }
    return true;
}

// Many records per write: they pass through a buffer on their way to the socket.
void tls_write_together(SSL *tls) {
    BIO *buffer = BIO_new(BIO_f_buffer()), *socket = SSL_get_rbio(tls);
    if (!buffer || !BIO_set_write_buffer_size(buffer, BUFFER) || !BIO_up_ref(socket)) die("BIO_f_buffer");
    SSL_set0_wbio(tls, BIO_push(buffer, socket));
}

bool tls_flush(SSL *tls) { return BIO_flush(SSL_get_wbio(tls)) == 1; }

bool tls_send_all(SSL *tls, const char *bytes, size_t length) {
    while (length > 0) {
        int n = SSL_write(tls, bytes, length);
        if (n <= 0) return false;
        bytes += n;
        length -= n;
    }
    return true;
}

void tls_end(SSL *tls) {
    int fd = SSL_get_fd(tls);
    SSL_shutdown(tls);
    tls_flush(tls);
    SSL_free(tls);
    ERR_clear_error();
    close(fd);
}
