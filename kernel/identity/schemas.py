"""Wire structs of identity."""

from typing import Annotated
from uuid import UUID

import msgspec

from kernel.decoding import Label, ShortText, Wire

Secret = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]


class Register(Wire, frozen=True):
    """A bidder opens an account with real name and identity number."""

    username: Label
    password: Secret
    real_name: ShortText
    id_number: Label


class Login(Wire, frozen=True):
    """Sign in."""

    username: Label
    password: Secret


class ChangePassword(Wire, frozen=True):
    """Set a new password; every session of the person ends, this one too."""

    old_password: Secret
    new_password: Secret


class PersonView(msgspec.Struct, frozen=True):
    """What a person may see of themselves."""

    id: UUID
    username: str
    real_name: str
    roles: tuple[str, ...]
    court: str | None
