"""The ingredients of the protocol and the searches that show what each is for."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from oae.explore.configuration import Configuration

SOURCE = Path(__file__).parents[1] / "spec" / "ingredients.toml"


@dataclass(frozen=True)
class Ingredient:
    """One row of spec/ingredients.toml. `search` is None where only RTL can show it."""

    id: str
    text: str
    removed: str
    happens: str
    rtl: bool
    broken: str = ""
    steps: int = 0
    search: dict[str, Any] | None = None
    intact: dict[str, Any] | None = None

    def ablated(self) -> Configuration | None:
        """The search that shows what breaks without the ingredient."""
        if self.search is None:
            return None
        return Configuration(**self.search, without=frozenset({self.id}))

    def complete(self) -> Configuration | None:
        """The same search with the ingredient in place."""
        if self.search is None:
            return None
        return Configuration(**(self.intact or self.search))


@cache
def ingredients() -> dict[str, Ingredient]:
    """All ingredients by id, in file order."""
    rows = tomllib.loads(SOURCE.read_text())["ingredient"]
    return {row["id"]: Ingredient(**row) for row in rows}
