"""Products: which there are, and what their roles allow."""

from shared.domain.principals import ProductId
from shared.http import product_answers
from shared.http.admission import Caller
from shared.http.endpoint import Answer, Functions
from shared.http.product_shapes import ProductOut, ProductsOut
from shared.http.requests import Request
from shared.http.schemas import Nothing

functions = Functions()


@functions.endpoint("GET", "products", requires=Caller.ANYONE)
async def list_products(_: Request[Nothing, None]) -> Answer[ProductsOut]:
    """List the products with their roles and permissions."""
    return product_answers.all_products()


@functions.endpoint("GET", "products/{product}", requires=Caller.ANYONE)
async def get_product(request: Request[Nothing, None]) -> Answer[ProductOut]:
    """Show one product with its roles and permissions."""
    return product_answers.product(ProductId(request.path["product"]))
