"""Servers that begin in plaintext and go on in TLS, one for each of the protocols that have STARTTLS.

Usage: starttls.py MODE CERTIFICATE-AND-KEY

MODE is `good`; `refuse`, which says no where it could say yes; `unoffered`, which does not offer it; `inject`, which
says yes and more in one piece; `close`, which closes the connection in the place of a yes. Under TLS it answers each
line with `got LINE`. On stderr each tells its port, and what comes in plaintext after a no.
"""
import os
import socket
import ssl
import sys
import threading

MODE, CERTIFICATE = sys.argv[1:]
XMPP_TLS = b"urn:ietf:params:xml:ns:xmpp-tls"


class No(Exception):
    """There will be no TLS."""


class Peer:
    def __init__(self, stream):
        self.stream = stream

    def read(self, count):
        data = b""
        while len(data) < count:
            piece = self.stream.recv(count - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def read_to(self, end):
        data = b""
        while not data.endswith(end):
            data += self.read(1)
        return data

    def line(self):
        return self.read_to(b"\n").strip().decode()

    def say(self, *lines):
        self.stream.sendall(b"".join(line.encode() + b"\r\n" for line in lines))

    def decide(self, yes, no):
        """The last word in plaintext."""
        if MODE == "close":
            raise EOFError
        if MODE == "refuse":
            self.stream.sendall(no)
            raise No
        self.stream.sendall(yes + (b"EXTRA" if MODE == "inject" else b""))

    def offer(self, *words):
        return [word for word in words if MODE != "unoffered" or "TLS" not in word]


def lines(words):
    return words.encode() + b"\r\n"


def mail(hello):
    def talk(peer):
        peer.say("220-fake", "220 ready")
        while True:
            word = peer.line().split(" ")[0].upper()
            if word == hello:
                offer = peer.offer("hello", "SIZE 1000", "STARTTLS") + ["HELP"]
                peer.say(*[f"250-{word}" for word in offer[:-1]], f"250 {offer[-1]}")
            elif word == "STARTTLS":
                return peer.decide(lines("220 go"), lines("454 TLS is not available"))
            else:
                peer.say("502 what?")

    return talk


def imap(peer):
    peer.say("* OK ready")
    while True:
        tag, word = peer.line().split(" ")[:2]
        if word.upper() == "CAPABILITY":
            peer.say("* CAPABILITY " + " ".join(peer.offer("IMAP4rev1", "STARTTLS")), f"{tag} OK done")
        elif word.upper() == "STARTTLS":
            return peer.decide(lines(f"{tag} OK go"), lines(f"{tag} NO not now"))
        else:
            peer.say(f"{tag} BAD what?")


def pop3(peer):
    peer.say("+OK ready")
    while True:
        word = peer.line().upper()
        if word == "CAPA":
            peer.say("+OK list", *(word.replace("STARTTLS", "STLS") for word in peer.offer("USER", "STARTTLS")), ".")
        elif word == "STLS":
            return peer.decide(lines("+OK go"), lines("-ERR not now"))
        else:
            peer.say("-ERR what?")


def ftp(peer):
    peer.say("220-fake", "220 ready")
    while True:
        word = peer.line().upper()
        if word == "FEAT":
            peer.say("211-list", " AUTH TLS", "211 end")
        elif word == "AUTH TLS":
            return peer.decide(lines("234 go"), lines("534 policy says no"))
        else:
            peer.say("500 what?")


def nntp(peer):
    peer.say("200 ready")
    while True:
        word = peer.line().upper()
        if word == "CAPABILITIES":
            peer.say("101 list", *peer.offer("VERSION 2", "STARTTLS"), ".")
        elif word == "STARTTLS":
            return peer.decide(lines("382 go"), lines("580 cannot"))
        else:
            peer.say("500 what?")


def sieve(peer):
    peer.say('"IMPLEMENTATION" "fake"', *(f'"{word}"' for word in peer.offer("STARTTLS")), 'OK "ready"')
    while True:
        if peer.line().upper() == "STARTTLS":
            return peer.decide(lines('OK "go"'), lines('NO "not now"'))
        peer.say("NO")


def irc(peer):
    while True:
        if peer.line().upper() == "STARTTLS":
            return peer.decide(lines(":fake 670 * :go"), lines(":fake 691 * :failed"))


def xmpp(peer):
    while b"<stream:stream" not in peer.read_to(b">"):
        pass
    offer = b"<starttls xmlns='%s'><required/></starttls>" % XMPP_TLS if MODE != "unoffered" else b"<bind/>"
    peer.stream.sendall(
        b"<?xml version='1.0'?><stream:stream id='1' version='1.0' xmlns='jabber:client'"
        b" xmlns:stream='http://etherx.jabber.org/streams'><stream:features>" + offer + b"</stream:features>"
    )
    while b"<starttls" not in peer.read_to(b">"):
        pass
    peer.decide(b"<proceed xmlns='%s'/>" % XMPP_TLS, b"<failure xmlns='%s'/></stream:stream>" % XMPP_TLS)


def postgres(peer):
    assert peer.read(8) == b"\0\0\0\x08\x04\xd2\x16\x2f"
    peer.decide(b"S", b"N")


def mysql(peer):
    def packet(number, payload):
        return len(payload).to_bytes(3, "little") + bytes([number]) + payload

    def greeting(capabilities):
        start = b"\x0a8.0.0-fake\0" + b"\x01\0\0\0" + b"challeng" + b"\0"
        rest = b"\x21\x02\0\0\0\x15" + bytes(10) + b"challenge123\0mysql_native_password\0"
        return packet(0, start + capabilities.to_bytes(2, "little") + rest)

    if MODE == "unoffered":
        peer.stream.sendall(greeting(0xF7FF))
        raise No
    peer.decide(greeting(0xFFFF), packet(0, b"\xff\x69\x04#HY000Host is blocked"))
    request = peer.read(36)
    assert request[0] == 32 and request[5] & 0x08, request


def ldap(peer):
    message = peer.read(2)
    message += peer.read(message[1])
    assert b"1.3.6.1.4.1.1466.20037" in message
    good = b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\0\x04\0\x04\0"
    peer.decide(good, b"\x30\x0f\x02\x01\x01\x78\x0a\x0a\x01\x34\x04\0\x04\x03no!")


def telnet(peer):
    peer.stream.sendall(b"\xff\xfd\x2e")
    assert peer.read(3) == b"\xff\xfb\x2e"
    assert peer.read(6) == b"\xff\xfa\x2e\x01\xff\xf0"
    peer.decide(b"\xff\xfa\x2e\x01\xff\xf0", b"\xff\xfe\x2e")


TALKS = {
    "smtp": mail("EHLO"),
    "lmtp": mail("LHLO"),
    "imap": imap,
    "pop3": pop3,
    "ftp": ftp,
    "nntp": nntp,
    "xmpp": xmpp,
    "xmpp-server": xmpp,
    "postgres": postgres,
    "mysql": mysql,
    "ldap": ldap,
    "sieve": sieve,
    "irc": irc,
    "telnet": telnet,
}


def tell(*words):
    # In one write: threads tell at the same time.
    os.write(2, (" ".join(map(str, words)) + "\n").encode())


def serve(protocol, stream):
    with stream:
        try:
            TALKS[protocol](Peer(stream))
        except No:
            return tell(protocol, "then hears", stream.recv(1000) or "nothing")
        except (EOFError, OSError):
            return
        try:
            with context.wrap_socket(stream, server_side=True) as secure:
                tell(protocol, "established", secure.version())
                for line in secure.makefile("rb"):
                    secure.sendall(b"got " + line)
                secure.unwrap()
        except OSError as why:
            tell(protocol, "has no TLS:", why)


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(CERTIFICATE)


def listen(protocol, listener):
    while True:
        threading.Thread(target=serve, args=(protocol, listener.accept()[0]), daemon=True).start()


for name in TALKS:
    server = socket.create_server(("127.0.0.1", 0))
    tell(name, "listens on", server.getsockname()[1])
    threading.Thread(target=listen, args=(name, server)).start()
