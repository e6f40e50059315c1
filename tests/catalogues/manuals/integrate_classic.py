from tests.catalogues.manual import Manual

MANUAL = Manual(
    product="integrate-classic",
    name="Loome Integrate Classic",
    application="""
BI User, BI Manager, BI Developer, Group Admin
YYYY  jobs.view                   View the jobs and tasks in a tenant
.YYY  jobs.history                View execution logs and history for jobs
.YYY  schedules.manage            Manage schedules for jobs
.YYY  jobs.run                    Run jobs on demand
..YY  jobs.manage                 Manage jobs
..YY  tasks.manage                Manage tasks
..YY  connections.manage          Manage connections
..YY  file-definitions.manage     Manage file definitions
..YY  cluster-definitions.manage  Manage cluster definitions
...Y  members.manage              Manage tenant users and settings
YYYY  reports.view                View reports and data currency
..YY  jobs.deploy                 Deploy jobs
...Y  projects.manage             Manage projects
""",
    top_role="group-admin",
    default_role=None,
    single_role=True,
    application_kinds={"user"},
    keys="none",
    demote_first={"group-admin"},
    carries_department={"bi-developer"},
    requires={"manage-members": "members.manage"},
)
