"""`/metrics` on a port of its own, for workers without HTTP: `caulk_probe.serve(9109)` in the process that starts them.

The same user name and password are asked for. It listens on the loopback interface unless it is told an address.
"""

from __future__ import annotations

from caulk_probe import access, process

_PATIENCE_S = 10


def serve(port, *, host="127.0.0.1", settings=None):
    """Answers from a thread; gives the server, whose `server_port` is the port (0 takes a free one). Raises OSError.

    Processes that are forked from here are workers of the same server.
    """
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
    from threading import Thread

    class Handler(BaseHTTPRequestHandler):
        """One request."""

        timeout = _PATIENCE_S

        def do_GET(self):
            """Metrics, and nothing else."""
            if self.path.partition("?")[0] not in access.PATHS:
                self.send_error(404)
                return
            status, headers, body = access.answer(process.settings(), self.headers.get("Authorization", ""))
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Says nothing."""

    class Server(ThreadingHTTPServer):
        """Whose threads the end of the program does not wait for."""

        daemon_threads = True

    made = Server((host, port), Handler)
    process.join(settings)
    Thread(target=made.serve_forever, name="caulk-probe", daemon=True).start()
    return made
