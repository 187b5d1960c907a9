"""A SOCKS 4a and 5 proxy for tests: every name is this host, and what it was asked goes to stderr.

Usage: socks.py [--user USER:PASSWORD] [--reply N]
"""
import argparse
import socket
import sys
import threading

parser = argparse.ArgumentParser()
parser.add_argument("--user")
parser.add_argument("--reply", type=int, default=0)
options = parser.parse_args()


def read(stream, count):
    data = b""
    while len(data) < count:
        piece = stream.recv(count - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def read_to_nul(stream):
    data = b""
    while not data.endswith(b"\0"):
        data += read(stream, 1)
    return data[:-1].decode()


def tell(*words):
    print(*words, file=sys.stderr, flush=True)


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def tunnel(stream, kind, host, port, granted, refused):
    tell("asked", kind, host, port)
    if options.reply:
        stream.sendall(refused)
        return
    target = socket.create_connection(("127.0.0.1", port))
    # The answer and what a server says first come in one piece.
    target.settimeout(0.2)
    try:
        first = target.recv(65536)
    except TimeoutError:
        first = b""
    target.settimeout(None)
    stream.sendall(granted + first)
    back = threading.Thread(target=pump, args=(target, stream), daemon=True)
    back.start()
    pump(stream, target)
    back.join()


def socks5(stream):
    methods = read(stream, read(stream, 1)[0])
    wanted = 2 if options.user else 0
    if wanted not in methods:
        stream.sendall(b"\x05\xff")
        return
    stream.sendall(bytes([5, wanted]))
    if options.user:
        read(stream, 1)
        user = read(stream, read(stream, 1)[0])
        password = read(stream, read(stream, 1)[0])
        good = user + b":" + password == options.user.encode()
        stream.sendall(bytes([1, 0 if good else 1]))
        if not good:
            return
    _, _, _, kind = read(stream, 4)
    if kind == 3:
        host = read(stream, read(stream, 1)[0]).decode()
    else:
        family, length = (socket.AF_INET, 4) if kind == 1 else (socket.AF_INET6, 16)
        host = socket.inet_ntop(family, read(stream, length))
    port = int.from_bytes(read(stream, 2), "big")
    word = {1: "ipv4", 3: "name", 4: "ipv6"}[kind]
    # Its own end as a name, so that the length of the answer matters.
    granted = b"\x05\x00\x00\x03\x05proxy\x00\x01"
    tunnel(stream, word, host, port, granted, bytes([5, options.reply, 0, 1, 0, 0, 0, 0, 0, 0]))


def socks4(stream):
    read(stream, 1)
    port = int.from_bytes(read(stream, 2), "big")
    address = read(stream, 4)
    user = read_to_nul(stream)
    named = address[:3] == b"\0\0\0"
    host = read_to_nul(stream) if named else socket.inet_ntop(socket.AF_INET, address)
    if options.user and user != options.user.split(":")[0]:
        stream.sendall(b"\0\x5d" + bytes(6))
        return
    word = "name" if named else "ipv4"
    tunnel(stream, word, host, port, b"\0\x5a" + bytes(6), bytes([0, options.reply]) + bytes(6))


def serve(stream):
    with stream:
        try:
            version = read(stream, 1)
            (socks5 if version == b"\x05" else socks4)(stream)
        except (EOFError, OSError):
            pass


listener = socket.create_server(("127.0.0.1", 0))
tell(f"listening tcp 127.0.0.1:{listener.getsockname()[1]}")
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
