"""A proxy on the loopback that stands between a client and a PostgreSQL server, and fails when told to.

It passes bytes, later where `delay` says so, and counts how often a client waits for an answer (`trips`). It swallows
bytes (`drop`), breaks every connection (`cut`), takes no new one (`refuse`). With `certificates` it speaks TLS, as
poolers and hosts do: the server of the wheel is built without.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import subprocess
import threading
import time
from pathlib import Path

CHUNK_BYTES = 65_536
TLS_ASKED_FOR = struct.pack("!ii", 8, 80_877_103)  # SSLRequest of the protocol, its length before it
ENCRYPTED_KEYS_ASKED_FOR = struct.pack("!ii", 8, 80_877_104)  # GSSENCRequest
HOST = "team.example.test"  # the name in the certificate; nothing ever looks it up


class LoopbackProxy:
    """Listens on a port of its own and passes on to `target`; use it as a context manager."""

    def __init__(self, target: int, certificates: Path | None = None) -> None:
        self.delay = 0.0  # seconds that each piece waits before it goes on
        self._target = target
        self._tls = _context(certificates) if certificates else None
        self._dropping = self._refusing = False
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.connections = 0
        self.trips = 0  # without those of TLS, which nobody here can read
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self) -> LoopbackProxy:
        return self

    def __exit__(self, *_: object) -> None:
        self._refusing = True
        self._listener.close()
        self.cut()

    def drop(self) -> None:
        """Swallow every byte from now on, in both directions, and close nothing: a cable that is pulled."""
        self._dropping = True

    def refuse(self) -> None:
        """Break every connection and take no new one, as where no server is."""
        self._refusing = True
        self.cut()

    def cut(self) -> None:
        """Break every connection that is open, without a farewell."""
        with self._guard:
            broken, self._open = self._open, set()
        for each in broken:
            with contextlib.suppress(OSError):
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # RST, not FIN
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def mend(self) -> None:
        """Pass bytes and take connections again; where some were swallowed, those connections go."""
        if self._dropping:
            self.cut()
        self._dropping = self._refusing = False

    def _listen(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._refusing:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.close()
                continue
            threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        self.connections += 1
        try:
            if self._tls is not None:
                client = _encrypted(client, self._tls)
            server = socket.create_connection(("127.0.0.1", self._target))
        except OSError:
            client.close()
            return
        for each in (client, server):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._guard:
            self._open |= {client, server}
        counted = bytearray() if self._tls is None else None
        for pair in ((client, server, counted), (server, client, None)):
            threading.Thread(target=self._pass, args=pair, daemon=True).start()

    def _count(self, sent: bytearray) -> None:
        """Count the messages after which a client waits for all answers: a query, and the end of a pipeline (Sync).

        What is read of `sent` goes from it. The first message of a connection has no letter before its length.
        """
        while len(sent) >= 5:
            begins = sent[0] == 0
            size = int.from_bytes(sent[:4] if begins else sent[1:5], "big") + (not begins)
            if len(sent) < size:
                return
            self.trips += sent[:1] in (b"Q", b"S")
            del sent[:size]

    def _pass(self, source: socket.socket, sink: socket.socket, counted: bytearray | None) -> None:
        with contextlib.suppress(OSError, ValueError):
            while piece := source.recv(CHUNK_BYTES):
                if counted is not None:
                    counted += piece
                    self._count(counted)
                if self.delay:
                    time.sleep(self.delay)
                if not self._dropping:
                    sink.sendall(piece)
        if self._dropping:
            return  # the other end learns nothing
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        with self._guard:
            self._open -= {source, sink}
        sink.close()


def certificates(folder: Path, name: str = HOST) -> Path:
    """Write an authority's and a server's certificate into a folder (ca.crt, server.crt, server.key); return it."""
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    _openssl(folder, "req", *key, "-x509", "-days", "30", "-subj", "/CN=Tests", "-keyout", "ca.key", "-out", "ca.crt")
    _openssl(folder, "req", *key, "-subj", f"/CN={name}", "-keyout", "server.key", "-out", "server.csr")
    (folder / "names").write_text(f"subjectAltName=DNS:{name}\n")
    signed = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30", "-extfile", "names")
    _openssl(folder, "x509", "-req", "-in", "server.csr", "-out", "server.crt", *signed)
    return folder


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, stdin=subprocess.DEVNULL)


def _context(folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.crt", folder / "server.key")
    context.set_alpn_protocols(["postgresql"])
    return context


def _encrypted(client: socket.socket, context: ssl.SSLContext) -> socket.socket:
    """Return the connection behind its TLS handshake; one that does not ask for TLS is broken off."""
    while (asked := client.recv(8, socket.MSG_WAITALL)) == ENCRYPTED_KEYS_ASKED_FOR:
        client.sendall(b"N")
    if asked != TLS_ASKED_FOR:
        raise ConnectionAbortedError
    client.sendall(b"S")
    return context.wrap_socket(client, server_side=True)
