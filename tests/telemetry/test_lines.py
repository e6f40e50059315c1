import io
import logging
from collections.abc import Iterator

import pytest

from shared.telemetry.defects import Defect
from shared.telemetry.invocations import invocation
from shared.telemetry.lines import Lines
from shared.telemetry.scope import current, step
from shared.telemetry.traces import Trace

AFTER = Trace("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")


@pytest.fixture
def output() -> Iterator[io.StringIO]:
    """Listen as the Functions worker does: with a handler of the root logger that takes the text of records."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    root, before = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield stream
    root.removeHandler(handler)
    root.setLevel(before)


def test_an_event_has_its_fields_and_those_of_its_step(output: io.StringIO) -> None:
    """The worker drops fields, so they are in the text; what was around the text stays there."""
    with invocation("work_off", after=AFTER, request="r-1") as scope:
        logging.getLogger("shared.posting").info("mail.sent", extra={"tenant": "acme"})

    assert output.getvalue() == (
        f"INFO mail.sent tenant=acme function=work_off request=r-1 trace={AFTER.id} span={scope.trace.span}\n"
    )
    assert scope.trace.span != AFTER.span


def test_a_step_within_a_function_is_of_the_same_chain(output: io.StringIO) -> None:
    """Unless it follows another one: then it belongs to that."""
    other = Trace.new()
    with invocation("work_off", after=AFTER, request="r-1"):
        with step("mail") as mail:
            pass
        with step("work", after=other, request="r-2") as work:
            logging.getLogger("shared.background").info("work.claimed")

    assert (mail.trace.id, mail.request, mail.function) == (AFTER.id, "r-1", "work_off")
    assert (work.trace.id, work.request) == (other.id, "r-2")
    assert f"request=r-2 trace={other.id}" in output.getvalue()
    assert current() is None


def test_a_record_is_left_as_it_is_for_other_handlers(output: io.StringIO, caplog: pytest.LogCaptureFixture) -> None:
    """Formatting is for one handler; the next one gets name and fields apart."""
    with invocation("work_off"):
        logging.getLogger("shared.posting").warning("mail.sent", extra={"tenant": "acme"})

    (record,) = caplog.records
    assert (record.message, vars(record)["tenant"]) == ("mail.sent", "acme")


def _greet(name: str) -> str:
    try:
        return {"nobody": ""}[name]
    except KeyError as error:
        raise RuntimeError(f"{name} said eyJhbGciOiJub25lIn0") from error


def test_whatever_nobody_expected_ends_as_a_defect_without_its_text(output: io.StringIO) -> None:
    """The host writes down what it gets; so does whoever formats the exception itself."""
    with pytest.raises(Defect) as failure, invocation("get_me", after=AFTER):
        _greet("Ada Byron ada@contoso.test")

    formatter = logging.Formatter()
    shown = formatter.formatException((type(failure.value), failure.value, failure.value.__traceback__))
    for told in (output.getvalue(), str(failure.value), shown):
        assert "Ada" not in told
        assert "eyJ" not in told
    assert "function.failed error=RuntimeError<KeyError at=" in output.getvalue()
    assert "tests/telemetry/test_lines.py:" in str(failure.value)


def test_libraries_are_heard_without_the_texts_of_exceptions(output: io.StringIO) -> None:
    """They put them into arguments, into tracebacks, and on further lines."""
    error = ValueError("Ada Byron")
    with invocation("get_me"):
        library = logging.getLogger("some.library")
        library.warning("Request to %s failed: %s", "https://x.test/ada@contoso.test", error)
        library.error("Task exception was never retrieved\nfuture: <Task exception=ValueError('Ada Byron')>")
        try:
            raise error
        except ValueError:
            library.exception("It failed")

    first, second, third = output.getvalue().splitlines()
    assert first == "WARNING Request to https://x.test/<address> failed: ValueError"
    assert second == "ERROR Task exception was never retrieved"
    assert third.startswith("ERROR It failed error=ValueError at=tests/telemetry/test_lines.py:")


def test_a_formatter_is_put_around_once(output: io.StringIO) -> None:
    """Every run looks; lines stay as short as they were."""
    for _ in range(3):
        with invocation("get_me"):
            pass

    (handler,) = [each for each in logging.getLogger().handlers if getattr(each, "stream", None) is output]
    assert isinstance(handler.formatter, Lines)
    assert handler.format(logging.makeLogRecord({"msg": "x", "levelname": "INFO", "name": "y"})) == "INFO x"
