"""Tables of the daily closing, append-only: a closing made again is a new one beside the first."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.database import Base, append_only
from kernel.money import Fen
from settlement.closing.rules import Cause

CAUSES = ", ".join(f"'{cause}'" for cause in Cause)


class DailyClosing(Base):
    """The bank's balance and ours at the end of a day; `made_by` null: made by itself when the statement was booked."""

    __tablename__ = "daily_closing"
    __table_args__ = ({"schema": "settlement"},)

    day: Mapped[date] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    file_id: Mapped[UUID] = mapped_column(ForeignKey("settlement.bank_file.id"))
    bank_fen: Mapped[Fen]
    books_fen: Mapped[Fen]
    made_by: Mapped[UUID | None]
    made_at: Mapped[datetime]


class ClosingDifference(Base):
    """One named difference of a closing, bank less books."""

    __tablename__ = "closing_difference"
    __table_args__ = (
        ForeignKeyConstraint(["day", "number"], ["settlement.daily_closing.day", "settlement.daily_closing.number"]),
        CheckConstraint(f"cause IN ({CAUSES})", "cause"),
        CheckConstraint("amount_fen <> 0", "amount"),
        {"schema": "settlement"},
    )

    day: Mapped[date] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    cause: Mapped[str]
    reference: Mapped[str]
    amount_fen: Mapped[Fen]


for _table in (DailyClosing, ClosingDifference):
    append_only(_table.__table__)
