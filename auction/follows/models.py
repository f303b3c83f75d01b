"""The table of follows."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from kernel.database import Base


class Follow(Base):
    """Somebody follows a lot: a wish to be reminded, and no sign of taking part."""

    __tablename__ = "follow"
    __table_args__ = ({"schema": "auction"},)

    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    lot_id: Mapped[UUID] = mapped_column(ForeignKey("auction.lot.id"), primary_key=True)
    since: Mapped[datetime]
