"""The port to the outside check of real name and identity number (实名核验)."""

from typing import Protocol


class IdentityCheck(Protocol):
    """What a provider of identity checks must answer."""

    name: str

    async def confirms(self, real_name: str, id_number: str) -> bool:
        """Whether this number belongs to a person of this name."""


class LocalIdentityCheck:
    """The stand-in where no provider is connected: trusts every well-formed number, and says so in the record."""

    name = "local"

    async def confirms(self, real_name: str, id_number: str) -> bool:
        return bool(real_name and id_number)
