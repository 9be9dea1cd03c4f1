"""Model files that are nearly right: bytes with a thing or two in them wrong, to try readers with."""

import random
import struct

ODD = (0, 1, 2, 7, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1)
MOST_BYTES = 1 << 20


def mutate(content: bytes, seed: int, other: bytes = b"") -> bytes:
    """The content with up to 16 changes; some of them are pieces of an `other` file. The same for a seed."""
    source = random.Random(seed)
    found = bytearray(content)
    for _ in range(source.choice((1, 1, 2, 4, 16))):
        _change(found, source, other or content)
    return bytes(found[:MOST_BYTES])


def _change(found: bytearray, source: random.Random, other: bytes) -> None:
    place = source.randrange(len(found) + 1)
    size = source.choice((1, 2, 4, 8, 64, 1_000))
    start = source.randrange(len(other))
    match source.randrange(8):
        case 0 | 1:
            if place < len(found):
                found[place] ^= 1 << source.randrange(8)
        case 2:
            found[place : place + 4] = struct.pack("<I", source.choice(ODD))
        case 3:
            found[place : place + 1] = bytes([source.choice(ODD) & 0xFF])
        case 4:
            found[place : place + size] = other[start : start + size]
        case 5:
            found[place:place] = other[start : start + size] * source.choice((1, 1, 3, 50))
        case 6:
            del found[place : place + size]
        case _:
            if source.random() < 0.2:
                del found[place:]
