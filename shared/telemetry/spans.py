"""
Spans: steps as OpenTelemetry has them, exported only where the settings say to where.

`OTEL_EXPORTER_OTLP_ENDPOINT` switches it on; other variables of OpenTelemetry's own are read by its library, which is
loaded only then. The provider is not made the global one, so that no library adds spans of its own: exported is what
this app tells, and it tells the same as in its event lines.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Final

from shared.telemetry.defects import kind
from shared.telemetry.traces import Trace

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider

ENDPOINT: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"

type _Begun = tuple[Trace, Callable[[str, Mapping[str, str]], None]]


@contextmanager
def begun(name: str, parent: Trace | None) -> Iterator[_Begun]:
    """Begin a span, and end it at the end; what is given keeps events with it."""
    provider = _provider()
    if provider is None:
        yield parent.child() if parent else Trace.new(), _nothing
        return
    from opentelemetry.trace import StatusCode  # noqa: PLC0415 - only where spans are exported

    span = provider.get_tracer("loome-members").start_span(name, _context(parent), record_exception=False)
    known = span.get_span_context()
    trace = Trace(f"{known.trace_id:032x}", f"{known.span_id:016x}", f"{known.trace_flags:02x}")
    try:
        yield trace, span.add_event
    except BaseException as error:
        span.set_status(StatusCode.ERROR, kind(error))
        raise
    finally:
        span.end()


def flush() -> None:
    """Export now what has not been exported yet."""
    if provider := _provider():
        provider.force_flush()


def _nothing(_event: str, _fields: Mapping[str, str]) -> None:
    """Keep no event: the line is all there is."""


def _context(parent: Trace | None) -> "Context":
    from opentelemetry.context import Context  # noqa: PLC0415 - the same
    from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context  # noqa: PLC0415

    if parent is None:
        return Context()
    flags = TraceFlags(int(parent.flags, 16))
    known = SpanContext(int(parent.id, 16), int(parent.span, 16), is_remote=True, trace_flags=flags)
    return set_span_in_context(NonRecordingSpan(known), Context())


@cache
def _provider() -> "TracerProvider | None":
    if not os.environ.get(ENDPOINT):
        return None
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - slow to load
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource  # noqa: PLC0415 - the same
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - the same
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - the same

    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: "loome-members"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider
