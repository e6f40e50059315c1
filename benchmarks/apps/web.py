"""
The app without its queue and timer functions, as an instance for HTTP is in Azure.

Flex Consumption runs every function that is not called over HTTP on instances of its own.
"""

import azure.functions as func

from functions import BLUEPRINTS, mail_reports, outbox

_OTHERS = (mail_reports.functions, outbox.functions)

app = func.FunctionApp()
for blueprint in BLUEPRINTS:
    if blueprint not in _OTHERS:
        app.register_functions(blueprint)
