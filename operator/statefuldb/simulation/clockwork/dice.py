"""Chance out of a seed: SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).

Written out here because the sequences of Python's own generator are promised for `random()` alone.
"""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
_MASK = 2**64 - 1
_GAMMA = 0x9E3779B97F4A7C15


class Dice:
    """A sequence of numbers that the seed decides."""

    def __init__(self, seed: int) -> None:
        self._state = seed & _MASK

    def bits(self) -> int:
        """Return the next 64 bits."""
        self._state = (self._state + _GAMMA) & _MASK
        mixed = self._state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        return mixed ^ (mixed >> 31)

    def share(self) -> float:
        """Return a number from 0 to below 1."""
        return (self.bits() >> 11) / 2**53

    def below(self, limit: int) -> int:
        """Return an integer from 0 to below `limit`."""
        return self.bits() * limit >> 64

    def between(self, low: float, high: float) -> float:
        """Return a number from `low` to below `high`."""
        return low + (high - low) * self.share()

    def happens(self, probability: float) -> bool:
        """Say yes with this probability."""
        return self.share() < probability

    def pick(self, choices: Sequence[T]) -> T:
        """Return one of `choices`."""
        return choices[self.below(len(choices))]

    def fork(self) -> "Dice":
        """Return other dice, so that what one part of the world throws does not change what another one does."""
        return Dice(self.bits())

    def uuid(self) -> str:
        """Return a UUID of version 4."""
        digits = f"{self.bits():016x}{self.bits():016x}"
        variant = "89ab"[int(digits[16], 16) % 4]
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
