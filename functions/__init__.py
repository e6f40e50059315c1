"""The triggers: one file a resource, every function a thin shell around a decision."""

from functions import api_keys, audit, invitations, me, members, meta, outbox, roles, sign_in, tenants

BLUEPRINTS = (
    api_keys.functions,
    tenants.functions,
    members.functions,
    roles.functions,
    invitations.functions,
    me.functions,
    audit.functions,
    sign_in.functions,
    outbox.functions,
    meta.functions,
)
