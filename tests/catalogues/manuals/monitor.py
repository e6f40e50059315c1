from tests.catalogues.manual import Manual

MANUAL = Manual(
    product="monitor",
    name="Loome Monitor",
    application="""
Administrator, Project Creator, Consumer
Y..  api-keys.manage     Configure remote API access
Y..  api.access          Access Loome Monitor remotely via API
Y..  members.manage      Manage users and API keys in application roles
Y..  projects.create     Manage and create projects
Y..  connections.manage  Add and edit a connection at the application level
YY.  connections.own     Add and edit a connection in their own projects
Y..  agents.manage       Add an agent
YY.  rules.create        Create a rule
YY.  rules.edit          Edit a rule
YY.  rules.run           Run a rule
YYA  results.edit        View and edit results
""",
    project="""
Owner, Limited Member
Y.  project.members.manage  Manage user access to the project
YY  project.view            View the project
""",
    top_role="administrator",
    default_role="consumer",
    application_kinds={"user", "group", "apiKey"},
    project_kinds={"user", "group", "apiKey"},
    creator_role="owner",
    everything_in_projects={"administrator"},
    keys="those of its roles",
    requires={
        "manage-members": "members.manage",
        "manage-keys": "api-keys.manage",
        "create-projects": "projects.create",
        "manage-project-members": "project.members.manage",
    },
)
