"""
The app without its queue and timer functions, as an instance for HTTP is in Azure.

Flex Consumption runs every function that is not called over HTTP on instances of its own.
"""

from azure.functions import FunctionApp
from azure.functions.decorators.function_app import Function

from functions import BLUEPRINTS


class Web(FunctionApp):
    """An app that has functions for HTTP only, whatever is registered."""

    def get_functions(self) -> list[Function]:
        """Keep the others from the worker."""
        return [function for function in super().get_functions() if function.is_http_function()]


app = Web()
for blueprint in BLUEPRINTS:
    app.register_functions(blueprint)
