"""Wire structs of annulments."""

from uuid import UUID

import msgspec

from kernel.decoding import LongText, Wire
from settlement.annulment.rules import Ground


class AnnulSale(Wire, frozen=True):
    """The court's ruling that annuls the sale, with its ground and its reasons."""

    ground: Ground
    reasons: LongText
    decision_id: UUID


class AnnulmentView(msgspec.Struct, frozen=True):
    """The annulled sale: the money is on its way back, the resale a draft that the court completes."""

    lot_id: UUID
    ground: str
    annulled_at: str
    buyer_barred: bool
    resale_lot_id: UUID
