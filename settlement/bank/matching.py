"""Use cases of money on no number of ours: two people match it by hand to an account, or send it back (R-ACCT-02).

Locking: the unidentified queue first, so that no proposal slips in beside a check, then the account it moves to.
"""

from datetime import date
from uuid import UUID

from kernel.actors import Actor, Role
from kernel.audit import record
from kernel.calendar import working_days_after
from kernel.clock import beijing, beijing_day
from kernel.database import Call, Database, Tx
from kernel.ids import ordered_id
from settlement.bank import rules, service, store
from settlement.bank.errors import CreditSettled, PayerUnknown, UnknownAccountNumber
from settlement.bank.models import Credit, CreditAside, CreditMatch
from settlement.bank.rules import Match
from settlement.bank.schemas import (
    NO_ACCOUNT,
    CheckMatch,
    ClaimCredit,
    MatchView,
    ReturnCredit,
    UnidentifiedCredit,
    UnidentifiedCredits,
)
from settlement.ledger import service as ledger
from settlement.ledger.models import Account
from settlement.ledger.rules import Transfer

CLAIM_DAYS = 3
"""Working days in which unidentified money should be claimed, by a local court's rule; a setting (R-ACCT-02)."""


async def propose_claim(database: Database, call: Call, credit_id: UUID, wanted: ClaimCredit) -> MatchView:
    """A maker proposes that an unidentified credit belongs to one of our accounts (认领, R-ACCT-02)."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.MAKER)
        await store.get_credit(tx, credit_id)
        account = await ledger.find_by_number(tx, wanted.account_no)
        if account is None:
            raise UnknownAccountNumber(account_no=wanted.account_no)
        return tx.answer(await _propose(tx, credit_id, account, wanted.reason))


async def propose_return(database: Database, call: Call, credit_id: UUID, wanted: ReturnCredit) -> MatchView:
    """A maker proposes to send an unidentified credit back to the account that paid it (退回)."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.MAKER)
        return tx.answer(await _propose(tx, credit_id, None, wanted.reason))


async def _propose(tx: Tx, credit_id: UUID, account: Account | None, reason: str) -> MatchView:
    await ledger.lock(tx, [(await ledger.unidentified(tx)).id])  # no proposal slips in beside a check
    credit = await store.get_credit(tx, credit_id)
    payer = await store.get_payer(tx, credit_id)
    await _require_unsettled(tx, credit)
    if account is None and payer.payer_account == NO_ACCOUNT:
        raise PayerUnknown()
    row = CreditMatch(
        id=ordered_id(),
        credit_id=credit_id,
        account_id=account.id if account else None,
        reason=reason,
        made_by=tx.actor.person,
        made_at=tx.now(),
    )
    row.hash = rules.match_hash(await match_of(tx, row))
    tx.session.add(row)
    await tx.session.flush()
    await record(tx, "bank.propose", f"credit:{credit_id}", {"hash": row.hash.hex()}, chain="ledger", reason=reason)
    return await _match_view(tx, row)


async def check_match(database: Database, call: Call, match_id: UUID, signed: CheckMatch) -> MatchView:
    """The checker, another person, signs the proposal by its hash, and the credit moves, once (R-ACCT-02)."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.CHECKER)
        row = await store.get_match(tx, match_id)
        credit, queue = await store.get_credit(tx, row.credit_id), await ledger.unidentified(tx)
        await ledger.lock(tx, [queue.id, *([row.account_id] if row.account_id else [])])
        latest = await store.latest_match(tx, row.credit_id)
        match = await match_of(tx, row)
        rules.check_match(
            row.made_by,
            tx.actor.person,
            signed.hash,
            row.hash,
            match,
            latest=latest is not None and latest.id == row.id,
        )
        await _settle_credit(tx, credit, row)
        why = f"bank:{credit.bank_ref}"
        if row.account_id is None:
            await service.refund(tx, queue, credit.id, credit.amount_fen, ("bank.return", why))
        else:
            account = await ledger.get_account(tx, row.account_id)
            transfer = Transfer(queue.id, account.id, credit.amount_fen)
            await service.post(tx, f"claim:{credit.id}", ("bank.claim", why), transfer, account)
            await service.tell_arrival(tx, account, credit.id)
        return tx.answer(await _match_view(tx, row))


async def _require_unsettled(tx: Tx, credit: Credit) -> None:
    waits = credit.account_id == (await ledger.unidentified(tx)).id or await store.find_aside(tx, credit.id)
    if not waits or await store.find_claim(tx, credit.id) is not None:
        raise CreditSettled()


async def _settle_credit(tx: Tx, credit: Credit, match: CreditMatch) -> None:
    await _require_unsettled(tx, credit)
    claim: dict[str, object] = {
        "credit_id": credit.id,
        "account_id": match.account_id,
        "reason": match.reason,
        "match_id": match.id,
        "made_by": match.made_by,
        "checked_by": tx.actor.person,
        "claimed_at": tx.now(),
    }
    if not await store.add_claim(tx, claim):
        raise CreditSettled()
    facts = {"account": str(match.account_id) if match.account_id else None, "hash": match.hash.hex()}
    await record(tx, "bank.settle-credit", f"credit:{credit.id}", facts, chain="ledger", reason=match.reason)


async def match_of(tx: Tx, row: CreditMatch) -> Match:
    """What the proposal says, read back from the rows it speaks of."""
    credit, payer = await store.get_credit(tx, row.credit_id), await store.get_payer(tx, row.credit_id)
    return Match(
        id=row.id,
        credit_id=credit.id,
        bank_ref=credit.bank_ref,
        amount_fen=credit.amount_fen,
        payer_name=payer.payer_name,
        payer_account=payer.payer_account,
        account_id=row.account_id,
        account_no=(await ledger.get_account(tx, row.account_id)).number if row.account_id else None,
        reason=row.reason,
    )


async def _match_view(tx: Tx, row: CreditMatch) -> MatchView:
    match, claim = await match_of(tx, row), await store.find_claim(tx, row.credit_id)
    latest = await store.latest_match(tx, row.credit_id)
    checked = claim is not None and claim.match_id == row.id
    current = latest is not None and latest.id == row.id
    refunds = await store.refunds_of(tx, row.credit_id) if checked and row.account_id is None else []
    return MatchView(
        id=row.id,
        credit_id=row.credit_id,
        amount_fen=match.amount_fen,
        payer_name=match.payer_name,
        payer_account=match.payer_account,
        account_no=match.account_no,
        reason=row.reason,
        hash=row.hash.hex(),
        made_by=row.made_by,
        made_at=beijing(row.made_at),
        state="checked" if checked else "proposed" if current and claim is None else "replaced",
        checked_by=claim.checked_by if claim is not None and checked else None,
        order_id=refunds[0] if refunds else None,
    )


def _claim_by(credit: Credit, aside: CreditAside | None, claim_days: int) -> date:
    """The last day to match or return a credit, counted from the day it came to wait."""
    since = aside.at if aside else credit.received_at
    return working_days_after(beijing_day(since), claim_days)


async def count_overdue(tx: Tx, claim_days: int) -> int:
    """How many credits wait longer than they should, for the alarm of who runs the platform (R-ACCT-02)."""
    today = beijing_day(tx.now())
    return sum(today > _claim_by(credit, aside, claim_days) for credit, _, aside in await store.unidentified(tx))


async def show_unidentified(database: Database, actor: Actor, claim_days: int = CLAIM_DAYS) -> UnidentifiedCredits:
    """The unidentified queue, oldest first, with an alarm on age: `claim_days` working days (R-ACCT-02)."""
    async with database.reading(actor) as tx:
        today = beijing_day(tx.now())
        found = []
        for credit, payer, aside in await store.unidentified(tx):
            claim_by = _claim_by(credit, aside, claim_days)
            row = await store.latest_match(tx, credit.id)
            waiting = UnidentifiedCredit(
                credit_id=credit.id,
                bank_ref=credit.bank_ref,
                account_no=credit.account_no,
                amount_fen=credit.amount_fen,
                payer_name=payer.payer_name,
                payer_account=payer.payer_account,
                received_at=beijing(credit.received_at),
                reason=aside.reason if aside else None,
                claim_by=claim_by.isoformat(),
                overdue=today > claim_by,
                proposed=await _match_view(tx, row) if row else None,
            )
            found.append(waiting)
        overdue = sum(each.overdue for each in found)
        return UnidentifiedCredits(tuple(found), overdue, sum(each.amount_fen for each in found))
