"""What tests use to say which requirement they check.

    @cocotb.test()
    @requirement("OAE-TXN-003")
    async def commits_once(dut): ...

pytest functions may say the same with `@pytest.mark.requirement("OAE-TXN-003")`. The matrix in
docs/requirements.md is made from the source text of both (`oae.spec.matrix`); ids stand there
literally, so that a search for an id finds its tests.
"""

from collections.abc import Callable
from typing import Any, TypeVar

Test = TypeVar("Test", bound=Callable[..., Any])


def requirement(*ids: str) -> Callable[[Test], Test]:
    """Say that a test checks these requirements; they end up in its attribute `requirements`."""
    if not ids or not all(isinstance(name, str) for name in ids):
        raise TypeError("requirement() takes one or more ids, such as 'OAE-TXN-003'")

    def attach(test: Test) -> Test:
        test.requirements = (*ids, *getattr(test, "requirements", ()))  # type: ignore[attr-defined]
        return test

    return attach
