"""A product that nobody sells, in the words of a catalogue file."""

LAB = """
name = "Loome Lab"
roles-per-member = "several"
top-role = "director"
default-role = "visitor"

[keys]
without-roles-act-as = "director"

[requires]
manage-members = "people.manage"
manage-keys = "keys.manage"
create-projects = "studies.open"
manage-project = "project.close"
manage-project-members = "project.people.manage"

[application]
kinds = ["user", "group", "apiKey"]

[application.roles.director]
name = "Director"
description = "Runs the laboratory."
everything-in-projects = true
demote-first = true

[application.roles.visitor]
name = "Visitor"
description = "Looks around."
carries-department = true

[application.permissions]
"people.manage" = { granted = ["director"], label = "Manage people" }
"keys.manage"   = { granted = ["director"], label = "Manage keys" }
"studies.open"  = { granted = ["director"], label = "Open studies" }
"studies.see"   = { granted = ["director"], assigned = ["visitor"], label = "See studies" }

[project]
kinds = ["user", "group"]

[project.roles.lead]
name = "Lead"
description = "Leads the study."

[project.roles.helper]
name = "Helper"
description = "Helps in the study."

[project.permissions]
"project.close"         = { granted = ["lead"],           label = "Close the study" }
"project.people.manage" = { granted = ["lead"],           label = "Choose helpers" }
"project.see"           = { granted = ["lead", "helper"], label = "See the study" }
"""

LIBRARY = """
name = "Loome Library"
roles-per-member = "one"
top-role = "librarian"

[requires]
manage-members = "readers.manage"

[application]
kinds = ["user"]

[application.roles.librarian]
name = "Librarian"
description = "Keeps the books."

[application.roles.reader]
name = "Reader"
description = "Reads the books."

[application.permissions]
"readers.manage" = { granted = ["librarian"],           label = "Manage readers" }
"books.read"     = { granted = ["librarian", "reader"], label = "Read books" }
"""
