"""The records of a board's generator, as docs/board.md says them."""

from oae.faults.hash import MASK, draw


def record(seed: int, index: int, shortest: int, longest: int) -> bytes:
    """Record of this index."""
    hash = draw(seed, index)
    length = shortest + ((hash >> 16) * (longest - shortest + 1) >> 16)
    return contents(seed, index, length)


def contents(seed: int, index: int, length: int) -> bytes:
    """What a record of this index and length holds."""
    hash = state = draw(seed, index)
    out = index.to_bytes(4, "little") + length.to_bytes(2, "little")
    out += (hash & 0xFFFF).to_bytes(2, "little")
    while len(out) < length:
        state ^= state << 13 & MASK
        state ^= state >> 17
        state ^= state << 5 & MASK
        out += state.to_bytes(4, "little")
    return out[:length]
