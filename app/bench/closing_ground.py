"""What `auction bench close` starts from: thousands of lots that end at one instant, with leaders, deposits and money.

Written straight into the tables, as seizure, publication, registration and the bank would have left them, a case and a
debtor for each lot; the credits are booked by the ledger itself. Then a desk, its clock set back, opens the lots and
decides the leading bids: what happens at the end begins from real events and real books.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from app.bench.ground import DEPOSIT_FEN, INCREMENT_FEN, START_FEN, Ticket, add_bidders, lot_row
from app.bench.rows import copy_rows
from appraisal.cases.models import EnforcementCase
from auction.lots.models import Lot as AuctionLot
from auction.lots.rules import AssetKind, Round, ends_rank, searchable
from auction.lots.rules import Status as SaleStatus
from bidding.desk.desk import Desk, DeskOptions
from bidding.desk.models import Lot
from bidding.desk.rules import Kind
from bidding.desk.submissions import Submission
from kernel.actors import platform
from kernel.clock import FrozenClock, SystemClock, real_now, whole_ms
from kernel.database import Database
from kernel.ids import ordered_id, random_id
from kernel.money import Fen
from kernel.signatures import Keyring
from settlement.bank.models import Credit, CreditPayer
from settlement.deposits.models import Deposit, Hold
from settlement.ledger import service as ledger
from settlement.ledger.models import Account
from settlement.ledger.rules import Kind as AccountKind
from settlement.ledger.rules import Posting, Transfer, account_number

OPENED_BEFORE = timedelta(hours=25)
LEADING_BEFORE = timedelta(hours=1)
"""When the leading bids were made: long before the five minutes in which a bid extends."""
LEADING_FEN = Fen(START_FEN + INCREMENT_FEN)
POSTED_AT_ONCE = 1_000
BEFORE_THEIR_LOTS = text("SET LOCAL session_replication_role = replica")
"""Registrations are written before the lots that they refer to."""


@dataclass(frozen=True, slots=True)
class Closing:
    """A lot that ends at the instant: who leads, and a bidder of it with a session who may still bid."""

    lot_id: UUID
    leader: UUID
    rival: Ticket


async def lay_out(
    url: str, keys: Path, lots: int, bidders_per_lot: int, ends_in: timedelta
) -> tuple[list[Closing], datetime]:
    """All of it, `bidders_per_lot` deposits held on each lot, that of its leader among them; and when it all ends.

    The end is fixed last, `ends_in` from then: how long the rest takes nobody knows.
    """
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1), poolclass=NullPool)
    db = await asyncpg.connect(url)
    try:
        ids = [(ordered_id(), random_id()) for _ in range(lots)]
        async with engine.begin() as connection:
            await connection.execute(BEFORE_THEIR_LOTS)
            wanted = [lot_id for lot_id, _ in ids for _ in range(bidders_per_lot)]
            tickets = await add_bidders(connection, wanted, admitted_at=real_now() - 2 * OPENED_BEFORE)
        await _add_deposits(url, db, dict(ids), tickets)
        ends_at = whole_ms(real_now() + ends_in).replace(microsecond=0)
        await _add_lots(db, ids, ends_at)
        found = [
            Closing(
                lot_id=lot_id,
                leader=tickets[number * bidders_per_lot].registration_id,
                rival=tickets[number * bidders_per_lot + min(1, bidders_per_lot - 1)],
            )
            for number, (lot_id, _) in enumerate(ids)
        ]
        await _bid(url, keys, found, ends_at)
        await db.execute("DELETE FROM kernel.outbox")  # the openings: the sales say already that bidding runs
        await db.execute("ANALYZE")  # as autovacuum has, in a database whose rows came day by day
        return found, ends_at
    finally:
        await db.close()
        await engine.dispose()


async def _add_lots(db: Any, ids: Sequence[tuple[UUID, UUID]], ends_at: datetime) -> None:
    """The case, the announced sale, and bidding's lot: `ids` are those of lot and case."""
    court_id, opened_at = random_id(), ends_at - OPENED_BEFORE
    await db.execute("INSERT INTO kernel.court (id, code, name) VALUES ($1, 'bench', '基准人民法院')", court_id)
    cases: list[dict[str, object]] = [
        {"id": case_id, "court_id": court_id, "case_no": f"（2025）基执{number}号", "opened_at": opened_at}
        for number, (_, case_id) in enumerate(ids, start=1)
    ]
    lots = [
        lot_row(number, opened_at, ends_at, lot_id) | {"case_id": case_id, "court_id": court_id}
        for number, (lot_id, case_id) in enumerate(ids)
    ]
    await copy_rows(db, EnforcementCase.__table__, cases)
    await copy_rows(
        db, AuctionLot.__table__, [_sale(lot, case, opened_at) for lot, case in zip(lots, cases, strict=True)]
    )
    await copy_rows(db, Lot.__table__, lots)


def _sale(lot: dict[str, object], case: dict[str, object], opened_at: datetime) -> dict[str, object]:
    ends_at, case_no = lot["ends_at"], case["case_no"]
    assert isinstance(ends_at, datetime)
    return {
        "id": lot["lot_id"],
        "case_id": lot["case_id"],
        "court_id": lot["court_id"],
        "asset_id": lot["asset_id"],
        "item_id": lot["lot_id"],
        "round": Round.ROUND_1,
        "method": lot["method"],
        "title": lot["title"],
        "start_price_fen": START_FEN,
        "increment_fen": INCREMENT_FEN,
        "deposit_fen": DEPOSIT_FEN,
        "opens_at": opened_at,
        "scheduled_end": ends_at,
        "balance_due_days": 15,
        "decision_id": random_id(),
        "asset_kind": AssetKind.MOVABLE,
        "place": "北京市",
        "court_name": "基准人民法院",
        "case_no": case_no,
        "purchase_limited": False,
        "reference_price_fen": START_FEN,
        "status": SaleStatus.LIVE,
        "held": False,
        "drafted_at": opened_at - timedelta(days=20),
        "published_at": opened_at - timedelta(days=16),
        "changed_at": opened_at,
        "opened_at": opened_at,
        "ends_at": ends_at,
        "search_text": searchable(f"{lot['title']}\n北京市\n基准人民法院\n{case_no}"),
        "ends_rank": ends_rank(SaleStatus.LIVE, ends_at),
        "shown_price_fen": START_FEN,
        "discount_bp": 0,
    }


async def _add_deposits(url: str, db: Any, case_of: Mapping[UUID, UUID], tickets: Sequence[Ticket]) -> None:
    """Each deposit paid in by its bidder, booked, and held whole."""
    now = real_now()
    accounts, deposits, holds, credits, payers, postings = [], [], [], [], [], []
    outside = await _outside(url)
    for number, ticket in enumerate(tickets):
        case_id = case_of[ticket.lot_id]
        lot, registration = {"case_id": case_id, "lot_id": ticket.lot_id}, {"registration_id": ticket.registration_id}
        account_id, credit_id = ordered_id(), ordered_id()
        reference = f"IN{credit_id.hex}"
        account_no = account_number(AccountKind.DEPOSIT, [int(digit) for digit in f"{number:015}"])
        natural_key = f"{AccountKind.DEPOSIT}:{ticket.registration_id}"
        account = {"id": account_id, "kind": "deposit", "natural_key": natural_key, "number": account_no}
        accounts.append(account | lot | registration | {"balance_fen": 0, "opened_at": now})
        amounts = {"due_fen": DEPOSIT_FEN, "announced_fen": DEPOSIT_FEN}
        deposits.append(registration | lot | amounts | {"account_id": account_id, "opened_at": now})
        hold = {"id": ordered_id(), "stage": "bid", "part": "deposit", "amount_fen": DEPOSIT_FEN, "held_at": now}
        holds.append(registration | hold)
        credit = {"id": credit_id, "bank_ref": reference, "account_no": account_no, "account_id": account_id}
        credits.append(credit | {"amount_fen": DEPOSIT_FEN, "booked_at": now, "received_at": now})
        payers.append({"credit_id": credit_id, "payer_name": "基准", "payer_account": f"6222{number:012}"})
        way, why = (Transfer(outside, account_id, DEPOSIT_FEN),), ("bank.credit", f"bank:{reference}")
        postings.append(Posting(f"credit:{reference}", *why, way, case_id, ticket.lot_id))
    tables = ((Account, accounts), (Deposit, deposits), (Hold, holds), (Credit, credits), (CreditPayer, payers))
    for model, rows in tables:
        await copy_rows(db, model.__table__, rows)
    await _book(url, postings)


async def _outside(url: str) -> UUID:
    database = Database(url, SystemClock())
    try:
        async with database.transaction(platform("bench")) as tx:
            return (await ledger.bank(tx)).id
    finally:
        await database.close()


async def _book(url: str, postings: Sequence[Posting]) -> None:
    database = Database(url, SystemClock())
    try:
        for start in range(0, len(postings), POSTED_AT_ONCE):
            async with database.transaction(platform("bench")) as tx:
                await ledger.post_all(tx, postings[start : start + POSTED_AT_ONCE])
    finally:
        await database.close()


async def _bid(url: str, keys: Path, lots: Sequence[Closing], ends_at: datetime) -> None:
    """A desk of an hour before the end opens the lots and takes the leading bids, an increment above the start."""
    clock = FrozenClock(ends_at - LEADING_BEFORE)
    desk = Desk(url, clock, Keyring.load_or_make(keys), DeskOptions(exclusive=True))
    await desk.start()
    refused = []
    for lot in lots:
        sent = Submission(
            lot_id=lot.lot_id,
            kind=Kind.BID,
            key=uuid4(),
            ingress_at=clock.now(),
            registration_id=lot.leader,
            price_fen=LEADING_FEN,
        )
        desk.enter(sent, lambda answer: None if answer.accepted else refused.append(answer.refusal))
    await desk.stop()
    if refused:
        raise RuntimeError(f"{len(refused)} leading bids were refused, the first with {refused[0]}")
