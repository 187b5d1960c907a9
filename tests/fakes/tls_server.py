"""A TLS server that does one odd thing to every client.

Usage: tls_server.py MODE CERTIFICATE-AND-KEY

MODE is `reads`, which tells on stderr what came and whether it ended by close_notify; `mute`, which gives no ticket and
says nothing; `cuts`, which closes the connection after the handshake without close_notify; `huge`, which claims that
its first message is as long as the protocol can say, and sends that; `noise`, which sends bytes of no meaning; `half`,
which sends half of a ServerHello and nothing more; `closes`, which closes at once. On stderr it tells its port first.
"""
import os
import socket
import ssl
import sys
import threading

MODE, CERTIFICATE = sys.argv[1:]


def tell(text):
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def plain(stream):
    if MODE == "closes":
        return
    stream.recv(65536)
    if MODE == "noise":
        stream.sendall(os.urandom(4096))
    elif MODE == "half":
        stream.sendall(bytes.fromhex("160303007a020000760303") + bytes(20))
    elif MODE == "huge":
        stream.sendall(b"\x16\x03\x03\x40\x00\x02\xff\xff\xff" + bytes(16380))
        while True:
            stream.sendall(b"\x16\x03\x03\x40\x00" + bytes(16384))
    while stream.recv(65536):
        pass


def secured(stream):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    if MODE != "reads":
        context.num_tickets = 0
    with context.wrap_socket(stream, server_side=True, suppress_ragged_eofs=False) as tls:
        if MODE == "cuts":
            return
        data = b""
        try:
            while piece := tls.recv(65536):
                data += piece
            end = "close_notify"
        except ssl.SSLEOFError:
            end = "a cut"
        tell(f"came {data!r} and {end}")


def serve(stream):
    try:
        with stream:
            if MODE in ("reads", "mute", "cuts"):
                secured(stream)
            else:
                plain(stream)
    except OSError as why:
        tell(f"failed {why}")


listener = socket.create_server(("127.0.0.1", 0))
tell(f"listening on 127.0.0.1:{listener.getsockname()[1]}")
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
