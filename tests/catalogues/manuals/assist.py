from tests.catalogues.manual import Manual

MANUAL = Manual(
    product="assist",
    name="Loome Assist",
    application="""
Administrator, Project Creator, Consumer
Y..  api-keys.manage               Configure remote API access
Y..  api.access                    Access Loome Assist remotely via API
Y..  members.manage                Invite new users and manage user application roles
Y..  connections.manage            Add and edit a connection
Y..  agents.manage                 Add and manage agents
Y..  accounts.manage               Add and manage accounts
Y..  cost-centers.manage           Add and manage cost centers
Y..  affiliations.manage           Add and manage affiliations
Y..  workstation-templates.manage  Manage workstation templates
YY.  projects.create               Manage and create projects
YY.  workstations.manage           Add and manage workstations
YY.  data-repositories.manage      Add and manage data repositories
YY.  workstations.deploy           Deploy a workstation
YYA  projects.view                 View projects
""",
    project="""
Owner, Contributor, Reader
Y..  project.manage            Manage the assigned project
Y..  project.members.manage    Add users to the project
YY.  project.resources.deploy  Deploy resources
YYY  project.resources.use     Use resources
YYY  project.view              View the project
""",
    top_role="administrator",
    default_role="consumer",
    application_kinds={"user", "group", "apiKey"},
    project_kinds={"user", "group", "apiKey"},
    creator_role="owner",
    everything_in_projects={"administrator", "project-creator"},
    keys="those of its roles; with none: administrator",
    manage_project={"owner"},
    requires={
        "manage-members": "members.manage",
        "manage-keys": "api-keys.manage",
        "create-projects": "projects.create",
        "manage-project": "project.manage",
        "manage-project-members": "project.members.manage",
    },
)
