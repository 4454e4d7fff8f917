"""A module under test whose clock the bench drives itself.

What is sampled after `settle` is what the next edge sees; what is sampled after `edge` is what the
registers hold from then on. Inputs stay as they are until they are driven again.
"""

from typing import Any

from cocotb.triggers import Timer

HALF_PERIOD = 5  # nanoseconds


class Clocked:
    """Handles of the module's ports, and its clock."""

    def __init__(self, dut: Any) -> None:
        self.dut = dut
        self.cycle = 0
        self._handles: dict[str, Any] = {}
        self._driven: dict[str, int] = {}
        self.drive(clk=0)

    def _handle(self, name: str) -> Any:
        if name not in self._handles:
            self._handles[name] = getattr(self.dut, name)
        return self._handles[name]

    def drive(self, **values: int) -> None:
        """Set inputs."""
        for name, value in values.items():
            if self._driven.get(name) != value:
                self._driven[name] = int(value)
                self._handle(name).value = int(value)

    def read(self, name: str) -> int:
        """Value of a signal; one that is not known is an error."""
        return int(self._handle(name).value)

    def read_if_known(self, name: str) -> int | None:
        """Value of a signal, or None while it was never set."""
        value = self._handle(name).value
        return int(value) if value.is_resolvable else None

    def expect(self, **values: int) -> None:
        """Signals have these values."""
        for name, value in values.items():
            found = self.read(name)
            assert found == int(value), (
                f"cycle {self.cycle}: {name} is {found:#x}, expected {int(value):#x}"
            )

    async def settle(self) -> None:
        """Let the inputs take effect."""
        await Timer(HALF_PERIOD, "ns")

    async def edge(self) -> None:
        """The rising edge, and what follows from it."""
        self._handle("clk").value = 1
        await Timer(HALF_PERIOD, "ns")
        self._handle("clk").value = 0
        self.cycle += 1

    async def reset(self) -> None:
        """One cycle of `rst`."""
        self.drive(rst=1)
        await self.settle()
        await self.edge()
        self.drive(rst=0)
