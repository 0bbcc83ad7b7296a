"""Routes of settlements. So far: seeing what would settle the group."""

import msgspec

from clearsplit_core.errors import Overloaded
from clearsplit_core.ports import Sealed
from clearsplit_core.questions import Standing, TheStanding
from clearsplit_http.access import members
from clearsplit_http.asked import Asked
from clearsplit_http.operations import operation
from clearsplit_http.refusals import BadQuery
from clearsplit_http.solver import Solver
from clearsplit_http.wire.resources import Nothing
from clearsplit_http.wire.settlements import PlanAnswer, PreviewAnswer, balances_by_currency

STRATEGY = "fewest"


@operation(
    "GET",
    "/groups/{group_id}/settlements/preview",
    takes=Nothing,
    gives=PreviewAnswer,
    door=members,
    query={"strategy": f"{STRATEGY}: as few transfers as can be."},
    refuses=(Overloaded,),
)
async def preview_settlement(asked: Asked[Nothing]) -> Sealed:
    """The fewest transfers that would settle the group, with a proof or a bound."""
    if asked.query.get("strategy", STRATEGY) != STRATEGY:
        raise BadQuery(f"The strategy is {STRATEGY}.")
    standing = await asked.read(TheStanding(asked.group_id))
    plans = await _plans(asked.server.solver, standing)
    return Sealed(200, (), msgspec.json.encode(PreviewAnswer.over(standing, plans)))


ROUTES = (preview_settlement,)


async def _plans(solver: Solver, standing: Standing) -> dict[str, PlanAnswer]:
    return {
        currency: PlanAnswer.of(await solver.solve(balances), currency)
        for currency, balances in balances_by_currency(standing).items()
    }
