"""A server of archives on this machine, which behaves as badly as one likes."""

import http.server
import random
import socket
import struct
import threading
import time

IMAGES = 37  # the value of the pixels of the first hundred images


def idx_file(header):
    """A file in MNIST's format: digits in a row, or images that no archive makes small."""
    start = b"".join(n.to_bytes(4, "big") for n in header)
    if len(header) == 2:
        return start + bytes(i % 10 for i in range(header[1]))
    return start + bytes([IMAGES]) * 78_400 + random.Random(0).randbytes((header[1] - 100) * 784)


class Server(http.server.ThreadingHTTPServer):
    """Serves archives; `manner` (a function of handler and body) says how, `served` what."""

    daemon_threads = True

    def __init__(self, archives):
        super().__init__(("127.0.0.1", 0), Handler)
        self.archives, self.manner, self.served = archives, whole, []
        self.address = f"http://127.0.0.1:{self.server_port}/"
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def handle_error(self, *_):
        """A client that hangs up is what some tests are about."""


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.served.append(self.path)
        self.server.manner(self, self.server.archives[self.path.strip("/")])

    def head(self, length):
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *_):
        pass


def whole(handler, body):
    handler.head(len(body))
    handler.wfile.write(body)


def cut(*names):
    """Break off these archives in the middle."""

    def manner(handler, body):
        handler.head(len(body))
        broken = handler.path.strip("/") in names
        handler.wfile.write(body[: len(body) // 2] if broken else body)

    return manner


def damaged(handler, body):
    whole(handler, bytes([body[0] ^ 1]) + body[1:])


def refused(handler, _body):
    handler.send_error(503, "Service\nUnavailable")


def stalling(handler, body):
    handler.head(len(body))
    handler.wfile.write(body[:1000])
    time.sleep(60)


def silent(_handler, _body):
    time.sleep(60)


def resetting(handler, body):
    handler.head(len(body))
    handler.wfile.write(body[:1000])
    handler.wfile.flush()
    now = struct.pack("ii", 1, 0)  # close without a goodbye
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, now)
    handler.connection.close()


def dripping(handler, body):
    handler.head(len(body))
    for i in range(len(body)):
        handler.wfile.write(body[i : i + 1])
        time.sleep(0.2)


def dripping_head(handler, _body):
    for byte in b"HTTP/1.1 200 OK\r\n" + b"X-Slow: 1\r\n" * 1000:
        handler.wfile.write(bytes([byte]))
        time.sleep(0.2)


def slow(rate):
    """Send so many bytes a second."""

    def manner(handler, body):
        handler.head(len(body))
        for i in range(0, len(body), rate // 20):
            handler.wfile.write(body[i : i + rate // 20])
            time.sleep(1 / 20)

    return manner
