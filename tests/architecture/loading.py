"""
Load the app with Microsoft's own worker and say what it found, as JSON: `python -m tests.architecture.loading`.

A process of its own: the worker keeps what it has loaded for as long as it lives.
"""

import asyncio
import json
from pathlib import Path

from local.host.worker import Function, Worker


def main() -> None:
    """Print every function with its trigger, and where the local host leads a request for each of its routes."""
    worker = asyncio.run(Worker.load(Path(__file__).parents[2]))
    print(json.dumps({function.name: _told(function) for function in worker.functions}))  # noqa: T201 - the answer
    worker.close()


def _told(function: Function) -> dict[str, object]:
    return {"trigger": dict(function.trigger), "outputs": [dict(each) for each in function.outputs.values()]}


if __name__ == "__main__":
    main()
