"""Sale groups on the wire; amounts in fen."""

from uuid import UUID

import msgspec

from kernel.decoding import PositiveFen, Wire


class MakeGroup(Wire, frozen=True):
    """Debt and costs that several lots serve, by a decision of the panel on the terms of the sale."""

    target_fen: PositiveFen
    decision_id: UUID


class GroupMade(msgspec.Struct, frozen=True):
    """A sale group; lots name it in their terms. How far it is covered, bidding tells once a lot is published."""

    id: UUID
    case_id: UUID
    target_fen: int
    decision_id: UUID
    made_at: str


class GroupsOfCase(msgspec.Struct, frozen=True):
    """The sale groups of a case, oldest first."""

    sale_groups: tuple[GroupMade, ...]
