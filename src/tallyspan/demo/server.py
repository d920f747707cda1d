"""How do requests and replies travel? The only module with sockets."""

import select
import socket
import socketserver
import struct
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler
from typing import Final, cast

from tallyspan.demo.callers import Request, request_of
from tallyspan.demo.controls import Page
from tallyspan.demo.delivery import Book, Cut, Send, Wait
from tallyspan.demo.desk import Desk, Exchange
from tallyspan.demo.office import Office
from tallyspan.demo.worlds import Outcome

_RESET: Final = struct.pack("ii", 1, 0)  # linger on, zero seconds: close() sends RST
_LINE_LIMIT: Final = 65_537  # as http.server reads request lines


class Server(socketserver.ThreadingTCPServer):
    """A threaded HTTP/1.1 server on 127.0.0.1 for one desk and one office."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, desk: Desk, office: Office, port: int) -> None:
        self.desk = desk
        self.office = office
        self.requests_seen: list[Request] = []
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", port), Handler)

    def connected(self, connection: socket.socket) -> None:
        """Remember an open connection, so that closing the server ends it."""
        with self._lock:
            self._connections.add(connection)

    def disconnected(self, connection: socket.socket) -> None:
        """Forget a connection."""
        with self._lock:
            self._connections.discard(connection)

    def server_close(self) -> None:
        """Stop listening and end every open connection."""
        super().server_close()
        with self._lock:
            open_now = list(self._connections)
        for connection in open_now:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # the other side was faster

    def handle_error(self, request: object, client_address: object) -> None:
        """Let a connection end in silence that broke; report everything else on stderr."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(cast("socket.socket", request), client_address)


class Handler(BaseHTTPRequestHandler):
    """Serves one connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server  # pyright: ignore[reportIncompatibleVariableOverride] - made by this server alone
    connection: socket.socket

    def setup(self) -> None:
        """Open the connection's files."""
        super().setup()
        self.server.connected(self.connection)

    def finish(self) -> None:
        """Close them, whatever state the other side left them in."""
        self.server.disconnected(self.connection)
        try:
            super().finish()
        except OSError:
            self.close_connection = True

    def handle_one_request(self) -> None:
        """Read one request and carry out the steps of its answer."""
        self.close_connection = True
        self.raw_requestline = self.rfile.readline(_LINE_LIMIT)
        if not self.raw_requestline or not self.parse_request():
            return
        body = self._body()
        if body is None:
            self.close_connection = True
            return
        request = request_of(self.command, self.path, tuple(self.headers.items()), body)
        page = self.server.office.page(request)
        if page is not None:
            self._show(page)
            return
        self.server.requests_seen.append(request)
        self._carry_out(self.server.desk.receive(request))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Stay silent: the ledger is the log."""

    def _body(self) -> bytes | None:
        """Read the body; None if the client left in the middle of it."""
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            return self._chunked_body()
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length)
        return body if len(body) == length else None

    def _chunked_body(self) -> bytes | None:
        parts: list[bytes] = []
        while line := self.rfile.readline(_LINE_LIMIT):
            size = int(line.split(b";")[0], 16)
            part = self.rfile.read(size)
            self.rfile.readline(_LINE_LIMIT)
            if size == 0:
                return b"".join(parts)
            parts.append(part)
        return None

    def _show(self, page: Page) -> None:
        head = f"HTTP/1.1 {page.status} -\r\ncontent-type: {page.kind}\r\ncontent-length: {len(page.body)}\r\n\r\n"
        self.connection.sendall(head.encode() + page.body)

    def _carry_out(self, exchange: Exchange) -> None:
        """Do the steps; if the client leaves before the ledger is written, book that."""
        sent = -1  # output tokens that left; -1 before the first byte
        booked = False
        for step in exchange.steps:
            match step:
                case Send(data, tokens):
                    stays = self._send(data)
                    sent = max(sent, 0) + tokens if stays else sent
                case Wait(milliseconds):
                    stays = self._wait(milliseconds)
                case Book(outcome):
                    self.server.desk.book(exchange, outcome, max(sent, 0))
                    stays = booked = True
                case Cut(reset):
                    self._cut(reset=reset)
                    return
            if not stays:
                self.close_connection = True
                break
        if not booked:
            self.server.desk.book(exchange, _left(exchange, sent), max(sent, 0))

    def _send(self, data: bytes) -> bool:
        try:
            self.connection.sendall(data)
        except OSError:
            return False
        return True

    def _wait(self, milliseconds: int) -> bool:
        """Wait; false as soon as the client has left."""
        until = time.monotonic_ns() + milliseconds * 1_000_000
        while (left := until - time.monotonic_ns()) > 0:
            readable, _, _ = select.select([self.connection], [], [], left / 1e9)
            if not readable:
                return True
            try:
                if not self.connection.recv(1, socket.MSG_PEEK):
                    return False
            except OSError:
                return False
            time.sleep(0.005)  # a pipelined request: it stays readable, so do not spin
        return True

    def _cut(self, *, reset: bool) -> None:
        self.close_connection = True
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self.connection.close()
            return
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # the client was faster


def _left(exchange: Exchange, sent: int) -> Outcome:
    """Say how an attempt ended whose client left before it was booked."""
    meant = exchange.entry.row.outcome
    if meant is not Outcome.COMPLETE:
        return meant
    if sent < 0:
        return Outcome.UNANSWERED
    return Outcome.COMPLETE if sent == exchange.tokens else Outcome.ABORTED
