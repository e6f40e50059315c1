"""Interleaved rounds: everybody does the same in turn, and whoever begins changes from round to round."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from statistics import median

from benchmarks.crowd import crowd
from benchmarks.subjects import Operation, Progress, Subject
from benchmarks.usage import cpu_seconds

_FEWER = {Operation.LIST_ALL: 8, Operation.LIST_100: 2}
"""What takes longer is done less often."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One subject's share of a round: its median latency, its CPU and its storage's for an operation, in seconds."""

    subject: str
    operation: Operation
    latency: float
    cpu: float
    storage_cpu: float


@dataclass(frozen=True, slots=True)
class Course:
    """How much is done: so many rounds after one that does not count, so many requests at a time, so many at once."""

    rounds: int
    requests: int
    concurrency: int = 1


_indexes = count()


async def compare(
    subjects: Sequence[Subject], operations: Sequence[Operation], course: Course, progress: Progress
) -> list[list[Sample]]:
    """Let everybody carry out all operations, round by round; no two calls are about the same people."""
    rounds = []
    for number in range(course.rounds + 1):
        indexes = [next(_indexes) for _ in range(course.requests)]
        samples = []
        for operation in operations:
            progress(f"round {number} of {course.rounds}, {course.concurrency} at once: {operation}")
            few = indexes[: max(course.concurrency, course.requests // _FEWER.get(operation, 1))]
            for subject in _turned(subjects, number):
                await subject.prepare(operation, few)
                samples.append(await _sample(subject, operation, few, course.concurrency))
        rounds.append(samples)
    return rounds[1:]


def of(rounds: Sequence[Sequence[Sample]], subject: Subject, operation: Operation) -> list[Sample]:
    """Pick one subject's samples of an operation, one a round."""
    return [
        sample
        for samples in rounds
        for sample in samples
        if (sample.subject, sample.operation) == (subject.name, operation)
    ]


async def _sample(subject: Subject, operation: Operation, indexes: Sequence[int], concurrency: int) -> Sample:
    latencies: list[float] = []

    async def timed(index: int) -> None:
        started = time.perf_counter()
        await subject.run(operation, index)
        latencies.append(time.perf_counter() - started)

    before, stored = cpu_seconds(subject.pid), cpu_seconds(subject.storage_pid)
    await crowd(concurrency, indexes, timed)
    used, stored = cpu_seconds(subject.pid) - before, cpu_seconds(subject.storage_pid) - stored
    return Sample(subject.name, operation, median(latencies), used / len(indexes), stored / len(indexes))


def _turned(subjects: Sequence[Subject], by: int) -> Sequence[Subject]:
    start = by % len(subjects)
    return [*subjects[start:], *subjects[:start]]
