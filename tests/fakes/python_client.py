"""Says a word to a server of TLS and prints what it makes of it.
Arguments: port, authorities, name, revocation list or "", own certificate or ""."""

import socket, ssl, sys
port, authorities, name, revoked, own = sys.argv[1:]
context = ssl.create_default_context(cafile=authorities)
if revoked:
    context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    context.load_verify_locations(revoked)
if own:
    context.load_cert_chain(own)
try:
    with context.wrap_socket(socket.create_connection(('127.0.0.1', int(port)), 20), server_hostname=name) as tls:
        tls.sendall(b'hello')
        print('accepted' if tls.recv(5) == b'hello' else 'refused: cut off')
except (ssl.SSLError, ConnectionError, UnicodeError) as why:
    print('refused:', why)
