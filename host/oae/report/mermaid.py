"""The sequence chart of one transaction as text for Mermaid (mermaid.js.org)."""

import re
from collections.abc import Iterator

from oae.check.findings import Transaction
from oae.report.moments import Handshake, Sent, Step, Story, begin
from oae.report.times import readable

# What means something to Mermaid in a text, as the entity codes that it has for that.
_SPECIAL = re.compile(r"[^\w ,.()+:∞µ-]")


def chart(row: Transaction, story: Story, name: str) -> str:
    """A chart of the ends, their hosts, and what went between them."""
    lines = [
        "sequenceDiagram",
        "    accTitle: " + f"Transaction {name}",
        *(f"    participant {who}" for who in _participants(row)),
        *(f"    {line}" for line in _lines(story, begin(row))),
    ]
    return "\n".join(lines) + "\n"


def _participants(row: Transaction) -> Iterator[str]:
    """From left to right, those of the initiator first."""
    first, second = "ab"[row.end], "ba"[row.end]
    yield f"host_{first} as host of {first}"
    yield f"{first} as {first}, initiator"
    yield f"{second} as {second}, responder"
    yield f"host_{second} as host of {second}"


def _lines(story: Story, start: int) -> Iterator[str]:
    for moment in story:
        end, peer = "ab"[moment.end], "ba"[moment.end]
        after = f"+{readable(moment.time - start)}"
        if isinstance(moment, Sent):
            text = _text(", ".join(filter(None, [moment.operation, moment.fate])))
            if not moment.heard:
                yield f"{end}-x{peer}: {text} {after}"
            for number, (time, told) in enumerate(moment.heard):
                arrow = "-->>" if number or told else "->>"
                words = [moment.operation if number else text, told and _text(told)]
                heard = f"+{readable(time - start)}"
                yield f"{end}{arrow}{peer}: {', '.join(filter(None, words))} {after}, heard {heard}"
        elif isinstance(moment, Handshake):
            ends = (f"host_{end}", end) if moment.inward else (end, f"host_{end}")
            yield f"{'->>'.join(ends)}: {_text(moment.text)} {after}"
        elif isinstance(moment, Step):
            state = f" ({moment.state})" if moment.state else ""
            yield f"Note over {end}: {_text(moment.text + state)} {after}"


def _text(text: str) -> str:
    return _SPECIAL.sub(lambda found: f"#{ord(found[0])};", text)
