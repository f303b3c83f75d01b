"""argon2id, off the event loop and at most two at once, so that a storm of sign-ins cannot stop the bids."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

AT_ONCE = 2


class Passwords:
    """Hashes and checks passwords. `memory_kib` 65536 with three passes takes about 0.12 s on one core."""

    def __init__(self, memory_kib: int) -> None:
        self._hasher = PasswordHasher(time_cost=3 if memory_kib >= 65_536 else 2, memory_cost=memory_kib, parallelism=1)
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._decoy = self._hasher.hash("nobody has this password")

    async def hash(self, password: str) -> str:
        async with self._slots:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def matches(self, password: str, stored: str | None) -> bool:
        """Whether `password` is the stored one; for an unknown user (None) as much work is done."""
        async with self._slots:
            verified = await asyncio.to_thread(self._verify, password, stored or self._decoy)
        return verified and stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Whether the hash was made with other parameters and should be made anew at this sign-in."""
        return self._hasher.check_needs_rehash(stored)

    def _verify(self, password: str, stored: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False
