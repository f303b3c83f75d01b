"""Use cases of bank files: take what the bank sends and book it, hand out payment orders, each in one file alone.

A file is taken whole, in one transaction; its movements are booked after it, some at a time, by due work, each once per
bank reference, so that a crash between any two steps loses nothing and books nothing twice. A payment file is kept
byte for byte and handed out again until the bank has answered all its orders: the bank takes a message id once.
"""

import asyncio
import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from kernel.actors import Actor, Role
from kernel.audit import record
from kernel.clock import beijing, day_begins
from kernel.database import Call, Database, Tx
from kernel.decoding import convert
from kernel.errors import Busy, Refusal
from kernel.ids import ordered_id
from kernel.outbox import tell
from settlement.bank import answers as bank_answers
from settlement.bank import service as bank
from settlement.bank.errors import AnswerDiffers
from settlement.bank.rules import Instruction
from settlement.bank.schemas import NO_ACCOUNT, Confirmation, CreditNotice
from settlement.bank_files import rules, store
from settlement.bank_files.errors import MessageReused, NoBankFiles
from settlement.bank_files.models import BankFile, PaymentFile
from settlement.bank_files.rules import RETURNED, Message, Movement, OurAccount, Outcome
from settlement.bank_files.schemas import (
    BankFileView,
    Exported,
    FileBooked,
    FileTaken,
    PaymentFiles,
    PaymentFileView,
    RefusedMovement,
)

CREDITS_AT_ONCE = 50
ANSWERS_AT_ONCE = 250
"""Movements booked in one transaction, so that a statement of thousands holds no account's lock for long."""

MOST_ORDERS = 1_000
"""Orders in one file; what waits beyond them goes into the next."""


# -- what the bank sends


async def read(content: bytes, ours: OurAccount | None) -> Message:
    """The message in a file of our bank, read in a thread; refuses `unusable-file`, and `no-bank-files` without one."""
    if ours is None:
        raise NoBankFiles()
    message = await asyncio.to_thread(_read, content)
    rules.check(message, ours)
    return message


async def take_file(database: Database, call: Call, content: bytes, ours: OurAccount | None) -> BankFileView:
    """The bank's machine delivers a file."""
    call.actor.must_be(Role.MACHINE)
    message = await read(content, ours)
    async with database.command(call) as tx:
        return tx.answer(await take(tx, message, content))


async def take(tx: Tx, message: Message, content: bytes) -> BankFileView:
    """Keep a file, once per message id, and order its movements to be booked.

    The same file again changes nothing; another content under its message id is refused `message-reused`.
    """
    balances, digest = message.balances, hashlib.sha256(content).digest()
    file: dict[str, object] = {
        "id": ordered_id(),
        "kind": str(message.kind),
        "message_id": message.message_id,
        "sha256": digest,
        "content": content,
        "waiting": message.waiting,
        "day": balances.day if balances else None,
        "opening_fen": balances.opening_fen if balances else None,
        "closing_fen": balances.closing_fen if balances else None,
        "taken_at": tx.now(),
    }
    if not await store.add_file(tx, file):
        known = await store.get_file_by_message(tx, message.kind, message.message_id)
        if known.sha256 != digest:
            raise MessageReused(message_id=message.message_id)
        return await _view(tx, known)
    taken = await store.get_file_by_message(tx, message.kind, message.message_id)
    await store.add_movements(tx, taken.id, message.movements)
    facts = {"message_id": message.message_id, "sha256": digest.hex(), "movements": len(message.movements)}
    await record(tx, "bank-files.take", f"bank-file:{taken.id}", facts, chain="ledger")
    await tell(tx, FileTaken(file_id=taken.id))
    return await _view(tx, taken)


async def book_next(tx: Tx, work: FileTaken) -> None:
    """Book the next movements of a file and order the rest as further work; tell when nothing is left."""
    if await book_some(tx, work.file_id):
        await tell(tx, work)
        return
    file = await store.get_file(tx, work.file_id)
    booked = FileBooked(file_id=file.id, day=file.day.isoformat() if file.day else None)
    await tell(tx, booked, once=str(file.id))


async def book_some(tx: Tx, file_id: UUID) -> bool:
    """Book the next movements of a file; False when nothing was left. What one of them is refused stops no other.

    Answers to our orders are booked together, credits one after the other.
    """
    movements = await store.open_movements(tx, file_id, ANSWERS_AT_ONCE)
    debits = [each for each in movements if not each[1].credit]
    credits_ = [each for each in movements if each[1].credit][:CREDITS_AT_ONCE]
    await bank.lock_for(
        tx,
        numbers=[movement.account_no for _, movement in credits_],
        order_ids=[movement.order_id for _, movement in debits if movement.order_id],
    )
    outcomes = await _confirm_all(tx, debits)
    for position, movement in [*credits_, *(each for each in debits if each[0] not in outcomes)]:
        outcomes[position] = await _book(tx, movement)
    rows: list[dict[str, object]] = [
        {"file_id": file_id, "position": position, "outcome": str(outcome), "code": code, "at": tx.now()}
        for position, (outcome, code) in outcomes.items()
    ]
    await store.add_outcomes(tx, rows)
    return bool(movements)


Booked = tuple[Outcome, str | None]


async def _confirm_all(tx: Tx, debits: Sequence[tuple[int, Movement]]) -> dict[int, Booked]:
    """Book together what plainly answers our orders; nothing where one is refused: then each is asked alone."""
    orders = await bank.orders_by_id(tx, [each.order_id for _, each in debits if each.order_id and not each.returned])
    plain = {
        position: Confirmation(order_id=movement.order_id, outcome="executed", bank_ref=movement.reference)
        for position, movement in debits
        if movement.order_id in orders
        and not movement.returned
        and orders[movement.order_id].amount_fen == movement.amount_fen
    }
    if len({each.order_id for each in plain.values()}) < len(plain):
        return {}
    try:
        async with tx.session.begin_nested():
            await bank_answers.receive_confirmations(tx, list(plain.values()))
    except Busy:
        raise
    except Refusal:
        return {}
    return dict.fromkeys(plain, (Outcome.PAID, None))


async def _book(tx: Tx, movement: Movement) -> Booked:
    """What becomes of one movement; a refusal takes back what was written for it and is kept as its outcome."""
    try:
        async with tx.session.begin_nested():
            return await (_receive(tx, movement) if movement.credit else _confirm(tx, movement)), None
    except Busy:
        raise
    except Refusal as refusal:
        return Outcome.REFUSED, refusal.code


async def _receive(tx: Tx, movement: Movement) -> Outcome:
    """A credit, on its number or in the queue; a payment that came back waits there with the order's id.

    Files tell the day alone, so the same credit in a notice and in the day's statement is one.
    """
    account_no = movement.account_no or NO_ACCOUNT
    if movement.returned:
        account_no = f"{RETURNED}{movement.end_to_end_id}"[:40]
    told = {
        "bank_ref": movement.reference,
        "account_no": "".join(sign for sign in account_no if sign.isalnum()),
        "amount_fen": movement.amount_fen,
        "payer_name": movement.party_name,
        "payer_account": movement.party_account or NO_ACCOUNT,
        "booked_at": day_begins(movement.booked_on).isoformat(),
    }
    view = await bank.receive_credit(tx, convert(told, CreditNotice))
    return Outcome.BOOKED if view.identified else Outcome.UNIDENTIFIED


async def _confirm(tx: Tx, movement: Movement) -> Outcome:
    """A debit: one of our orders was executed, or the bank took money that none of them asked for."""
    order = await bank.find_order(tx, movement.order_id) if movement.order_id else None
    if order is None or movement.returned:
        return Outcome.UNMATCHED
    if order.amount_fen != movement.amount_fen:
        raise AnswerDiffers(order_fen=order.amount_fen, answered_fen=movement.amount_fen)
    confirmation = Confirmation(order_id=order.order_id, outcome="executed", bank_ref=movement.reference)
    await bank_answers.receive_confirmation(tx, confirmation)
    return Outcome.PAID


async def count_open(tx: Tx, file_id: UUID) -> int:
    """Movements of the file that are not booked yet."""
    return await store.count_movements(tx, file_id) - sum((await store.outcomes_of(tx, file_id)).values())


async def show_file(database: Database, actor: Actor, file_id: UUID) -> BankFileView:
    """A file that was taken, and how far it is booked; never its bytes, which name payers."""
    async with database.reading(actor) as tx:
        return await _view(tx, await store.get_file(tx, file_id))


async def _view(tx: Tx, file: BankFile) -> BankFileView:
    outcomes = await store.outcomes_of(tx, file.id)
    movements = await store.count_movements(tx, file.id)
    refused = [
        RefusedMovement(movement.reference, movement.credit, movement.amount_fen, code)
        for movement, code in await store.refused_of(tx, file.id)
    ]
    return BankFileView(
        id=file.id,
        kind=file.kind,
        message_id=file.message_id,
        sha256=file.sha256.hex(),
        day=file.day.isoformat() if file.day else None,
        closing_fen=file.closing_fen,
        movements=movements,
        waiting=file.waiting,
        open=movements - sum(outcomes.values()),
        outcomes=outcomes,
        refused=tuple(refused),
    )


# -- what the bank is sent


async def export_orders(database: Database, call: Call, ours: OurAccount | None) -> Exported:
    """The bank's machine asks for a file of the payment orders that wait and stand in no file yet."""
    call.actor.must_be(Role.MACHINE)
    if ours is None:
        raise NoBankFiles()
    await asyncio.to_thread(load)
    async with database.command(call) as tx:
        return tx.answer(await export(tx, ours))


async def export(tx: Tx, ours: OurAccount) -> Exported:
    """Put the orders that wait into a file, in this one transaction: an order stands in one file or in none."""
    await store.allow_pause(tx)
    waiting = await bank.instructions_of(tx, await store.waiting_orders(tx, MOST_ORDERS))
    left_out = tuple(each.order_id for each in waiting if not rules.fits(each))
    file_id, now = ordered_id(), tx.now()
    mine = await store.claim_orders(tx, file_id, [each.order_id for each in waiting if rules.fits(each)])
    instructions = [each for each in waiting if each.order_id in mine]
    if not instructions:
        return Exported(None, left_out)
    content = await asyncio.to_thread(_write, ours, file_id, now, instructions)
    file = PaymentFile(
        id=file_id,
        account_number=ours.number,
        account_holder=ours.holder,
        account_bank=ours.bank,
        orders=len(instructions),
        total_fen=rules.total_fen(instructions),
        sha256=hashlib.sha256(content).digest(),
        content=content,
        made_at=now,
    )
    tx.session.add(file)
    await tx.session.flush()
    facts = {"sha256": file.sha256.hex(), "orders": file.orders, "total_fen": file.total_fen}
    await record(tx, "bank-files.export", f"payment-file:{file_id}", facts, chain="ledger")
    return Exported(_payment_file_view(file, file.orders), left_out)


async def show_payment_files(database: Database, actor: Actor) -> PaymentFiles:
    """The files that still have orders without an answer: what the bank may be handed again."""
    async with database.reading(actor) as tx:
        files = await store.unanswered_files(tx)
        return PaymentFiles(tuple([await _payment_view(tx, file) for file in files]))


async def read_payment_file(database: Database, actor: Actor, file_id: UUID) -> PaymentFile:
    """A payment file with its bytes: for the bank's machine alone, since it names payees."""
    async with database.reading(actor) as tx:
        tx.actor.must_be(Role.MACHINE)
        return await store.get_payment_file(tx, file_id)


async def unanswered_files(tx: Tx) -> Sequence[PaymentFile]:
    """The files that still have orders without an answer, with their bytes: for the command line."""
    return await store.unanswered_files(tx)


async def rewritten(file: PaymentFile, instructions: Iterable[Instruction]) -> bytes:
    """The bytes that the file's orders make now: `verify` compares them with those that were kept."""
    ours = OurAccount(file.account_number, file.account_holder, file.account_bank)
    return await asyncio.to_thread(_write, ours, file.id, file.made_at, list(instructions))


async def _payment_view(tx: Tx, file: PaymentFile) -> PaymentFileView:
    return _payment_file_view(file, await store.count_unanswered(tx, file.id))


def _payment_file_view(file: PaymentFile, unanswered: int) -> PaymentFileView:
    return PaymentFileView(
        id=file.id,
        message_id=file.id.hex,
        orders=file.orders,
        unanswered=unanswered,
        total_fen=file.total_fen,
        sha256=file.sha256.hex(),
        made_at=beijing(file.made_at),
    )


# -- in a thread, where the library is loaded too: it takes a second, and only who exchanges files pays it


def load() -> None:
    """Load the library, before a transaction that will need it."""
    from settlement.bank_files import iso20022  # noqa: F401


def _read(content: bytes) -> Message:
    from settlement.bank_files import iso20022

    return iso20022.read(content)


def _write(ours: OurAccount, file_id: UUID, made_at: datetime, instructions: Sequence[Instruction]) -> bytes:
    from settlement.bank_files import iso20022

    return iso20022.write(ours, file_id.hex, made_at, instructions)
