from tests.catalogues.manual import Manual

MANUAL = Manual(
    product="portal",
    name="Loome Portal",
    application="""
Administrator, Curator, Consumer
Y..  members.manage            Invite new users and manage user application roles
Y..  api-keys.manage           Configure remote API access
Y..  api.access                Access the Portal remotely via API
Y..  source-systems.manage     Add and manage source systems
Y..  agents.manage             Add and manage agents
YY.  catalogue.manage          Manage the catalogue
YY.  activities.manage         Manage activities
YY.  metadata.manage           Manage metadata
YY.  shared-dashboards.manage  Manage shared dashboards
YYY  catalogue.view            View catalogue
YYY  activities.view           View activities
YYY  shared-dashboards.view    View shared dashboards
YYY  personal-dashboards.view  View personal dashboards
YYY  dashboards.create         Create and share dashboards
YYY  views.view                View shared catalogue and activity views
YYY  views.create              Create catalogue and activity views
YY.  views.share               Share catalogue and activity views
""",
    top_role="administrator",
    default_role=None,
    application_kinds={"user", "group"},
    keys="always administrator",
    requires={"manage-members": "members.manage", "manage-keys": "api-keys.manage"},
)
