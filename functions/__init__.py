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
    operations,
    outbox,
    products,
    project_members,
    projects,
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
    projects.functions,
    project_members.functions,
    operations.functions,
    audit.functions,
    sign_in.functions,
    outbox.functions,
    meta.functions,
)
