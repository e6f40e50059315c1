"""The function app that the host loads: nothing but the blueprints, and no setting is read here."""

import azure.functions as func

from functions import BLUEPRINTS
from shared import warm_up

app = func.FunctionApp()
for blueprint in BLUEPRINTS:
    app.register_functions(blueprint)
warm_up.begin()
