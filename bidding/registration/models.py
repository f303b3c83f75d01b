"""Tables of registration. The link between a person and a code stands in `registration_identity` alone.

Two functions of the store read that table: the door, from a person to their own registrations, and the reveal, from a
registration to those behind it, which leaves an access row (R-BID-07). `verify` has digests made of its rows, and ranks
looked up by them, which name nobody (decision 0016). No other table of bidding holds a person beside a registration, a
code or a deposit. Rows of registration carry no time of their making, so that an order of arrival cannot be read off
them (invariant 17).
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.database import Base, append_only
from kernel.money import Fen


class Registration(Base):
    """One bidder on one lot, known by a random code. The id is random too and tells no order."""

    __tablename__ = "registration"
    __table_args__ = (
        UniqueConstraint("lot_id", "code"),
        CheckConstraint("kind IN ('ordinary', 'applicant', 'other_creditor')", "kind"),
        CheckConstraint("state IN ('awaiting_deposit', 'admitted', 'released', 'barred')", "state"),
        CheckConstraint("priority_rank >= 1", "rank"),
        CheckConstraint("deposit_due_fen >= 0", "deposit"),
        CheckConstraint("octet_length(bid_password_hash) = 32", "password_hash_length"),
        CheckConstraint("(state = 'awaiting_deposit') <= (admitted_at IS NULL)", "awaiting_not_admitted"),
        CheckConstraint("(state = 'admitted') <= (admitted_at IS NOT NULL)", "admitted_has_time"),
        CheckConstraint("(state = 'barred') = (barred_reason IS NOT NULL)", "barred_has_reason"),
        # Room on the page for the next state, so that it changes in place.
        {"schema": "bidding", "postgresql_with": {"fillfactor": 70}},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    lot_id: Mapped[UUID] = mapped_column(ForeignKey("bidding.lot.lot_id"))
    code: Mapped[str]
    bid_password_hash: Mapped[bytes | None]
    """SHA-256 of the random bid password (参拍密码), null until one is issued: argon2 would jam the opening, and
    what is random needs no stretching."""
    kind: Mapped[str]
    priority_rank: Mapped[int | None]
    """The rank that the court confirmed (R-PRIO-01); null for an ordinary bidder."""
    deposit_due_fen: Mapped[Fen]
    """R-BID-05; in a sell-off the whole price is paid in advance (R-SELL-04). May be 0."""
    state: Mapped[str]
    admitted_at: Mapped[datetime | None]
    """Platform time of the admission; bids that entered before it are not eligible (R-BID-06)."""
    released_at: Mapped[datetime | None]
    barred_reason: Mapped[str | None]

    @property
    def subject(self) -> str:
        """What audit entries call it: they name no person."""
        return f"registration:{self.id}"


class RegistrationIdentity(Base):
    """Who stands behind a registration."""

    __tablename__ = "registration_identity"
    __table_args__ = (
        UniqueConstraint("lot_id", "person_id"),
        Index("ix_registration_identity_person_id", "person_id"),
        CheckConstraint("octet_length(salt) = 32", "salt_length"),
        {"schema": "bidding"},
    )

    registration_id: Mapped[UUID] = mapped_column(ForeignKey(Registration.id), primary_key=True)
    lot_id: Mapped[UUID]
    person_id: Mapped[UUID]
    salt: Mapped[bytes | None]
    """Random, so that the digest in the audit trail (`rules.commitment`) tells nobody; null in rows of before it."""


class BarredPerson(Base):
    """Persons whom the published terms bar: buyers of the asset who defaulted (R-BID-14, R-CLOSE-10)."""

    __tablename__ = "barred_person"
    __table_args__ = (Index("ix_barred_person_person_id", "person_id"), {"schema": "bidding"})

    lot_id: Mapped[UUID] = mapped_column(ForeignKey("bidding.lot.lot_id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)


class Mandate(Base):
    """For whom somebody bids, if not for themselves alone; confirmed by the court before bidding begins (R-PUB-04).

    An agent (代理竞买) bids and the one principal buys; of joint bidders (联合竞买) the first bids and all buy, each
    with a share. Written before the bidder can register, and final: who stands behind a registration never changes.
    """

    __tablename__ = "mandate"
    __table_args__ = (
        UniqueConstraint("lot_id", "bidder_id", "place"),
        CheckConstraint("place >= 1 AND parts >= 1", "counted"),
        {"schema": "bidding"},
    )

    lot_id: Mapped[UUID] = mapped_column(ForeignKey("bidding.lot.lot_id"), primary_key=True)
    buyer_id: Mapped[UUID] = mapped_column(primary_key=True)
    bidder_id: Mapped[UUID]
    place: Mapped[int]
    """The order in which the court named them."""
    parts: Mapped[int]
    """The buyer's share: this many of the sum of all `parts`."""
    proof: Mapped[str]
    confirmed_at: Mapped[datetime]


class PriorityGrant(Base):
    """A priority purchaser whom the court confirmed on this lot, registered or not yet (R-PRIO-01)."""

    __tablename__ = "priority_grant"
    __table_args__ = (CheckConstraint("rank BETWEEN 1 AND 1000", "rank"), {"schema": "bidding"})

    lot_id: Mapped[UUID] = mapped_column(ForeignKey("bidding.lot.lot_id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    rank: Mapped[int]
    decision_id: Mapped[UUID]
    granted_at: Mapped[datetime]


class Unlock(Base):
    """The bid password was entered in this login session: a digest of lot and session, which alone tells nobody."""

    __tablename__ = "unlock"
    __table_args__ = (CheckConstraint("octet_length(digest) = 32", "digest_length"), {"schema": "bidding"})

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    at: Mapped[datetime]


class IdentityAccess(Base):
    """Each opening of the link between a registration and a person: who, when, for what (invariant 18)."""

    __tablename__ = "identity_access"
    __table_args__ = (Index("ix_identity_access_registration_id", "registration_id"), {"schema": "bidding"})

    id: Mapped[UUID] = mapped_column(primary_key=True)
    registration_id: Mapped[UUID] = mapped_column(ForeignKey(Registration.id))
    actor_id: Mapped[UUID | None]
    actor_name: Mapped[str]
    purpose: Mapped[str]
    at: Mapped[datetime]


for _table in (IdentityAccess, Mandate):
    append_only(_table.__table__)
