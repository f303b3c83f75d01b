"""What a person is shown of the lots they follow."""

from uuid import UUID

import msgspec

from auction.catalogue.schemas import LotCard


class Following(msgspec.Struct, frozen=True):
    """Whether the person follows this lot now."""

    lot_id: UUID
    following: bool


class Followed(msgspec.Struct, frozen=True):
    """The followed lots as the catalogue shows them, the latest first; `now` is platform time."""

    now: str
    rate: int
    lots: tuple[LotCard, ...]
