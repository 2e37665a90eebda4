"""`mien visitors`: who is known again in a later run of `mien watch --visitors`."""

from __future__ import annotations

from typing import Annotated

import typer

from mien.cli.output import Json, print_json, print_table

app = typer.Typer(help="Visitors who are known again in later runs.", no_args_is_help=True)

PlaceName = Annotated[str, typer.Argument(metavar="PLACE", help="As `mien watch --visitors PLACE` named it.")]


@app.command(name="list")
def places(json: Json = False) -> None:
    """Show the places, how many visitors are remembered in each, and for how long."""
    from mien.scene.visits.visitor_store import VisitorStore

    with VisitorStore.open() as store:
        rows = [place._asdict() for place in store.places()]
    if json:
        print_json({"places": rows})
    else:
        print_table("places", ["place", "visitors", "keep days"], [list(row.values()) for row in rows])


@app.command()
def forget(place: PlaceName, json: Json = False) -> None:
    """Erase a place with all its visitors."""
    from mien.scene.visits.visitor_store import VisitorStore

    with VisitorStore.open() as store:
        _print_erased(store.forget(place), json)


@app.command()
def retain(
    place: PlaceName,
    keep_days: Annotated[int, typer.Option("--keep-days", metavar="N", help="From when they were last seen.")],
    json: Json = False,
) -> None:
    """Set for how many days visitors of a place are kept, and erase those who were kept for longer."""
    from mien.scene.visits.visitor_store import VisitorStore

    with VisitorStore.open() as store:
        _print_erased(store.retain(place, keep_days), json)


def _print_erased(erased: int, json: bool) -> None:
    if json:
        print_json({"erased": erased})
    else:
        print(f"erased: {erased} visitor(s)")
