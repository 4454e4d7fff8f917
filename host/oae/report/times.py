"""Times as people read them; templates/draw.js writes them alike."""

_UNITS = (("s", 10**9), ("ms", 10**6), ("µs", 10**3))


def readable(nanoseconds: float | None) -> str:
    """Four digits and a unit; nothing for what was not seen."""
    if nanoseconds is None:
        return ""
    for unit, scale in _UNITS:
        if abs(nanoseconds) >= scale:
            value = nanoseconds / scale
            digits = 3 - (len(str(int(abs(value)))) - 1)
            return f"{value:.{max(0, digits)}f} {unit}"
    return f"{nanoseconds:.0f} ns"


def exact(nanoseconds: int) -> str:
    """Every nanosecond, in the largest unit that fits."""
    for unit, scale in _UNITS:
        if abs(nanoseconds) >= scale:
            sign = "-" if nanoseconds < 0 else ""
            whole, rest = divmod(abs(nanoseconds), scale)
            digits = f".{rest:0{len(str(scale)) - 1}d}".rstrip("0").rstrip(".")
            return f"{sign}{whole}{digits} {unit}"
    return f"{nanoseconds} ns"
