"""A collector of OpenTelemetry's: it takes spans over HTTP, as any other does, and keeps them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True, slots=True)
class Exported:
    """A span as it was exported, ids in hex; `events` are name and attributes."""

    name: str
    trace: str
    span: str
    parent: str
    status: str
    events: tuple[tuple[str, dict[str, str]], ...]


@dataclass(frozen=True, slots=True)
class Collector:
    """Listens on loopback; `bodies` is everything that it was sent."""

    url: str
    bodies: list[bytes] = field(default_factory=list)

    @classmethod
    @contextmanager
    def listening(cls) -> Iterator[Self]:
        """Listen until the end."""

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                """Take spans."""
                bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        bodies: list[bytes] = []
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield cls(f"http://127.0.0.1:{server.server_port}", bodies)
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    @property
    def environment(self) -> dict[str, str]:
        """What makes a functions host export to here, soon."""
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": self.url, "OTEL_BSP_SCHEDULE_DELAY": "200"}

    @property
    def spans(self) -> list[Exported]:
        """Every span so far."""
        return [
            Exported(
                name=span.name,
                trace=span.trace_id.hex(),
                span=span.span_id.hex(),
                parent=span.parent_span_id.hex(),
                status=span.status.message,
                events=tuple(
                    (event.name, {each.key: each.value.string_value for each in event.attributes})
                    for event in span.events
                ),
            )
            for body in list(self.bodies)
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]
