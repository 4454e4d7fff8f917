"""CRC-32C (Castagnoli, RFC 3720 appendix B.4): values, and its linear maps for the RTL.

The register is reflected: bit 0 is the coefficient of x^31. A step over data is linear over
GF(2), so every shortcut of the RTL (64 bits a cycle, "advance by 16 bytes") is a 0/1 matrix,
and the generator prints each as one exclusive-or equation an output bit.
"""

from functools import lru_cache

import google_crc32c

INITIAL = 0xFFFFFFFF


def step(register: int, data: bytes) -> int:
    """CRC register after `data`, starting from `register`; no initial or final inversion."""
    return int(google_crc32c.extend(register ^ INITIAL, data)) ^ INITIAL


def crc32c(data: bytes) -> int:
    """CRC-32C of `data`; crc32c(b"123456789") == 0xE3069283."""
    return int(google_crc32c.value(data))


@lru_cache
def state_map(zero_bytes: int) -> tuple[int, ...]:
    """Columns of the map "advance the register over `zero_bytes` zero bytes".

    Column i is the image of register bit i.
    """
    return tuple(step(1 << bit, bytes(zero_bytes)) for bit in range(32))


@lru_cache
def data_map(zero_bytes: int) -> tuple[int, ...]:
    """Columns of the map "64 data bits, least significant byte first, then zero bytes".

    Column i is the image of data bit i, from register zero.
    """
    return tuple(step(0, (1 << bit).to_bytes(8, "little") + bytes(zero_bytes)) for bit in range(64))
