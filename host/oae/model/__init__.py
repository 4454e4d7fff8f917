"""The reference end: a pure transition function over hashable state, one function a step.

What an implementation may choose in time (which owed frame goes next, when a beat or a timer is
due, which completion is offered) is an input of a step; the step says whether the choice was
allowed. The same functions are explored exhaustively (`oae.explore`), run in lockstep beside the
RTL, and driven live. Steps: docs/design.md; promises: docs/protocol.md, section 8.
"""

from oae.model.end import End, Host
from oae.model.events import Event
from oae.model.parameters import INGREDIENTS, Parameters
from oae.model.steps import NotAllowedError

__all__ = ["INGREDIENTS", "End", "Event", "Host", "NotAllowedError", "Parameters"]
