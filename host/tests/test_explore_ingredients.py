"""Each ingredient of docs/protocol.md, section 9, is needed: without it a promise breaks."""

import pytest
from oae.explore.ingredients import Ingredient, ingredients
from oae.model import INGREDIENTS
from oae.testing import requirement

SHOWN = [row for row in ingredients().values() if row.search is not None]


def test_the_table_names_every_ingredient() -> None:
    assert set(ingredients()) == INGREDIENTS
    assert [row.id for row in ingredients().values() if row.search is None] == ["F25"]
    assert ingredients()["F25"].rtl


@requirement("OAE-PRM-012")
@pytest.mark.parametrize("row", SHOWN, ids=lambda row: row.id)
def test_without_it_the_recorded_failure_is_found(row: Ingredient) -> None:
    ablated = row.ablated()
    assert ablated is not None
    result = ablated.search().run()
    assert result.broken == row.broken
    assert len(result.steps) == row.steps
    assert result.steps[-1].text


@requirement("OAE-PRM-012")
@pytest.mark.parametrize("row", SHOWN, ids=lambda row: row.id)
def test_with_it_the_same_search_is_complete_and_clean(row: Ingredient) -> None:
    complete = row.complete()
    assert complete is not None
    assert not complete.without
    result = complete.search().run()
    assert result.broken is None, result.steps
    assert result.complete
