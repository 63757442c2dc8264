"""The paths that are served."""

import inspect

from kangbot.sandbox import rest_account, rest_market, rest_query, rest_trade
from kangbot.sandbox.routes import ROUTES


def test_every_answer_has_its_path() -> None:
    """One that nobody can ask for would be missed by no client that is tested."""
    written = [
        function
        for module in (rest_account, rest_market, rest_query, rest_trade)
        for name, function in vars(module).items()
        if inspect.isfunction(function)
        and function.__module__ == module.__name__
        and not name.startswith("_")
        and len(inspect.signature(function).parameters) == 2
    ]
    served = [route.answer for route in ROUTES.values()]
    assert {function.__name__ for function in written} == {answer.__name__ for answer in served}


def test_the_market_is_everybodys_and_the_account_is_signed_for() -> None:
    """By the path alone; what is public has no budget but its address's."""
    for (method, path), route in ROUTES.items():
        public = path.startswith("/v5/market/")
        assert (route.signed, route.limit > 0) == (not public, not public)
        assert method == "GET" or not public
        assert inspect.getdoc(route.answer) is not None
        assert f"{method} {path}" in str(inspect.getdoc(route.answer)) or "price-kline" in path


def test_spot_has_a_budget_of_its_own_for_orders_alone() -> None:
    """Twenty a second, where contracts have ten."""
    own = {path: (route.limit, route.spot_limit) for (_, path), route in ROUTES.items() if route.spot_limit}
    assert own == dict.fromkeys(
        ("/v5/order/create", "/v5/order/amend", "/v5/order/cancel", "/v5/order/cancel-all"), (10, 20)
    )
