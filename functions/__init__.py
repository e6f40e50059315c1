"""The triggers: one file a resource, every function a thin shell around a decision."""

from functions import (
    api_keys,
    audit,
    checks,
    directory,
    invitations,
    me,
    members,
    meta,
    outbox,
    products,
    roles,
    sign_in,
    tenants,
)

BLUEPRINTS = (
    api_keys.functions,
    tenants.functions,
    products.functions,
    members.functions,
    roles.functions,
    invitations.functions,
    me.functions,
    checks.functions,
    directory.functions,
    audit.functions,
    sign_in.functions,
    outbox.functions,
    meta.functions,
)
