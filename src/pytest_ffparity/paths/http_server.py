"""A small HTTP server in a thread of its own, quick to start and to stop."""

from __future__ import annotations

import json
import selectors
import socket
from abc import ABC, abstractmethod
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer
from threading import Lock, Thread
from typing import Any, ClassVar, Final

LOOPBACK: Final = "127.0.0.1"
_MAX_BODY: Final = 64 * 1024


class JSONServer(ABC, TCPServer):
    """Serves JSON on a port of its own on 127.0.0.1, each connection in a thread.

    A subclass says what is answered. `close()` ends the threads and the connections, also those
    that a client keeps alive.
    """

    request_queue_size = 128
    content_type: ClassVar[str] = "application/json"

    def __init__(self) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        # A client that is gone before it is accepted must not block the thread that accepts.
        self.socket.setblocking(False)
        self._lock = Lock()
        self._open: dict[socket.socket, Thread] = {}
        self._requests = 0
        self._wake, self._woken = socket.socketpair()
        self._thread = Thread(target=self._accept, name="ffparity-http", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it listens, without a trailing slash."""
        return f"http://{LOOPBACK}:{self.server_address[1]}"

    @property
    def requests(self) -> int:
        """How many requests have come in so far."""
        with self._lock:
            return self._requests

    @abstractmethod
    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        """Give the status and the JSON document to answer with; called from many threads."""

    def answered(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        """Count a request and give its answer as bytes."""
        with self._lock:
            self._requests += 1
        status, document = self.answer(method, path, body)
        return status, json.dumps(document).encode()

    def close(self) -> None:
        """Stop listening, cut every connection, and wait for the threads; idempotent."""
        self._wake.close()
        self._thread.join()
        self._woken.close()
        self.server_close()
        with self._lock:
            threads = list(self._open.values())
            for connection in self._open:
                _shut(connection)
        for thread in threads:
            thread.join()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread of its own."""
        thread = Thread(
            target=self._serve, args=(request, client_address), name="ffparity-http", daemon=True
        )
        with self._lock:
            self._open[request] = thread
        thread.start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep quiet: a client that went away in the middle is no event here."""

    def _accept(self) -> None:
        # serve_forever looks for its end twice a second; a socket of its own is seen at once.
        with selectors.DefaultSelector() as selector:
            selector.register(self, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while all(key.fileobj is self for key, _ in selector.select()):
                self.handle_request()

    def _serve(self, request: socket.socket, client_address: Any) -> None:
        try:
            self.finish_request(request, client_address)
        except OSError:
            self.handle_error(request, client_address)
        finally:
            with self._lock:
                del self._open[request]
            self.shutdown_request(request)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body leave in one packet, at once: else each answer waits for a delayed ACK.
    disable_nagle_algorithm = True
    wbufsize = -1

    server: JSONServer

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, *_: Any) -> None:
        """Keep quiet: standard error belongs to the test run."""

    def _answer(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isascii() or not length.isdigit() or int(length[:9]) > _MAX_BODY:
            self.send_error(413)
            self.close_connection = True
            return
        status, body = self.server.answered(self.command, self.path, self.rfile.read(int(length)))
        self.send_response(status)
        self.send_header("Content-Type", self.server.content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        # The client was first.
        return
