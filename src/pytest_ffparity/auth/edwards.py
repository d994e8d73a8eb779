"""Points of Ed25519 that are no keys: cryptography takes any 32 bytes for one.

Under a point of small order a signature that anybody can write down fits every message.
"""

from __future__ import annotations

from typing import Final

_P: Final = 2**255 - 19
_D: Final = -121665 * pow(121666, -1, _P) % _P
_BYTES: Final = 32


def is_sound_point(raw: bytes) -> bool:
    """Tell whether the bytes are a point of the curve in its one spelling, of no small order."""
    if len(raw) != _BYTES:
        return False
    y = int.from_bytes(raw, "little") & (2**255 - 1)
    if y >= _P:
        return False
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    # Euler's criterion: without a root there is no x to this y.
    if square != 0 and pow(square, (_P - 1) // 2, _P) != 1:
        return False
    return not _doubles_to_identity(square, y)


def _doubles_to_identity(x_squared: int, y: int) -> bool:
    """Tell whether eight times the point is the neutral one; x counts by its square alone."""
    for _ in range(3):
        product = _D * x_squared * y * y % _P
        x_squared, y = (
            4 * x_squared * y * y * pow(1 + product, -2, _P) % _P,
            (y * y + x_squared) * pow(1 - product, -1, _P) % _P,
        )
    return x_squared == 0 and y == 1
