from tests.catalogues.manual import Manual

MANUAL = Manual(
    product="integrate",
    name="Loome Integrate",
    application="""
Consumer, Project Creator, Administrator
YYY  jobs.view                   View jobs and tasks in a tenant
.YY  jobs.history                View execution logs and history of jobs
.YY  schedules.manage            Manage schedules for jobs
.YY  jobs.run                    Run jobs on demand
.YY  jobs.manage                 Manage jobs
.YY  tasks.manage                Manage tasks
..Y  connections.manage          Manage connections
..Y  file-definitions.manage     Manage file definitions
..Y  cluster-definitions.manage  Manage cluster definitions
..Y  members.manage              Manage tenant users and settings
..Y  agents.manage               Manage agents
YYY  agents.view                 View agent statuses
.YY  projects.create             Create projects
YYY  notifications.view          View notifications
..Y  connections.share           Share or limit connections and definitions across projects
""",
    project="""
Owner, Contributor, Manager, Member
Y...  project.members.manage      Manage user access to the project
YY..  project.jobs.manage         Create and manage jobs in the project
YY..  project.tasks.manage        View and edit the tasks of all jobs in the project
YYY.  project.jobs.run            Run all jobs, manage schedules and view execution history of jobs within the project
YYYY  project.jobs.view           View jobs within the project
YY..  project.definitions.create  Create connections, cluster definitions and file definitions of the project
""",
    top_role="administrator",
    default_role="consumer",
    application_kinds={"user", "group", "apiKey"},
    project_kinds={"user", "group", "apiKey"},
    creator_role="owner",
    everything_in_projects={"administrator"},
    keys="those of its roles",
    manage_project={"owner"},
    requires={
        "manage-members": "members.manage",
        "manage-keys": "members.manage",
        "create-projects": "projects.create",
        "manage-project": "project.members.manage",
        "manage-project-members": "project.members.manage",
    },
)
