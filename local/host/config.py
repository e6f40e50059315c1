"""What `host.json` says about this host."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt
from pydantic.alias_generators import to_camel

from local.json_files import read_json

type Span = Annotated[timedelta, Field(ge=timedelta(0))]


class _Section(BaseModel):
    """A part of host.json; what this host does not know is ignored, and defaults are the real host's."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True)


class HttpOptions(_Section):
    """How many requests run at once, and how many may run or wait before 429 is answered."""

    route_prefix: str = "api"
    max_concurrent_requests: PositiveInt = 100
    max_outstanding_requests: PositiveInt = 200


class QueueOptions(_Section):
    """
    How queues are read.

    A new batch of up to `batch_size` is fetched when no more than `new_batch_threshold` messages are being processed. A
    message that failed is visible again after `visibility_timeout`, `max_dequeue_count` times in all.
    """

    batch_size: int = Field(default=16, ge=1, le=32)
    new_batch_threshold: int = Field(default=8, ge=0)
    max_dequeue_count: PositiveInt = 5
    visibility_timeout: Span = timedelta(0)
    max_polling_interval: Span = timedelta(minutes=1)
    message_encoding: Literal["base64", "none"] = "base64"


class _Extensions(_Section):
    http: HttpOptions = HttpOptions()
    queues: QueueOptions = QueueOptions()


class HostConfig(_Section):
    """The whole file; a function that runs longer than `function_timeout` has failed."""

    function_timeout: Annotated[timedelta, Field(gt=timedelta(0))] = timedelta(minutes=30)
    extensions: _Extensions = _Extensions()


def read_config(app: Path) -> HostConfig:
    """Read the host.json of an app; raise CannotStart when it is missing or broken."""
    return read_json(app / "host.json", HostConfig)
