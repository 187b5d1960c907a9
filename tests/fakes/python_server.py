"""Echoes what each client says over TLS. Arguments: certificate, key or "", authorities of clients or ""."""

import socket, ssl, sys
certificate, key, authorities = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key or None)
if authorities:
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authorities)
listener = socket.create_server(('127.0.0.1', 0))
print('listening 127.0.0.1:%d' % listener.getsockname()[1], file=sys.stderr, flush=True)
while True:
    connection = listener.accept()[0]
    connection.settimeout(20)
    try:
        with context.wrap_socket(connection, server_side=True) as tls:
            while data := tls.recv(1 << 16):
                tls.sendall(data)
            tls.unwrap()
    except OSError:
        connection.close()
