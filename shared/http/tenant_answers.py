"""How tenants look in answers about them alone."""

from collections.abc import Callable, Sequence

from shared.domain.adding import Result
from shared.domain.change import Facts
from shared.domain.tenants import Tenant
from shared.http import answers
from shared.http.endpoint import Answer
from shared.http.schemas import TenantOut
from shared.http.tenant_shapes import DeletedTenantOut, InvitedOut


def tenant(it: Tenant) -> Answer[TenantOut]:
    """Show a tenant, with its version."""
    return answers.tagged(answers.tenant(it), it.version)


def invited(facts: Facts) -> Callable[[Sequence[Result]], InvitedOut]:
    """Show what became of administrators who were invited."""
    shown = answers.tenant(facts.tenant)
    return lambda results: InvitedOut(
        **shown.model_dump(by_alias=False), results=[answers.result(it, facts.at) for it in results]
    )


def deleted(it: Tenant, operation: str) -> DeletedTenantOut:
    """Tell where to see how the rest of a deleted tenant is cleared away."""
    return DeletedTenantOut(operation=answers.operation_ref(it.id, operation))
