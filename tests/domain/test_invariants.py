"""Whatever is done to a tenant in memory, in whatever order and two things at a time: what must hold, holds."""

from collections.abc import Callable
from datetime import datetime

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from shared.storage.tenant_store import Tenants
from tests.domain.machine import TenantMachine
from tests.memory import MemoryTenants
from tests.people import product


class MemoryMachine(TenantMachine):
    """The machine on tenants in memory, where nothing is left to do in the background."""

    async def world(self, now: Callable[[], datetime]) -> Tenants:
        """Open tenants that nobody else has."""
        return MemoryTenants(catalogue=product, now=now)


def test_whatever_is_done_to_a_tenant_what_must_hold_holds() -> None:
    """R3, R6, R10-R13, R15-R22, R26, R31 and R32, as the model has them, after each step."""
    run_state_machine_as_test(MemoryMachine, settings=settings(max_examples=250, stateful_step_count=40, deadline=None))
