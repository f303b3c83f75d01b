"""Proof of bank files: what came says what was taken from it, what went out are the orders in it, each in one file."""

import asyncio
import hashlib
from collections.abc import Mapping

from kernel.database import Tx
from settlement.bank import service as bank
from settlement.bank.schemas import NO_ACCOUNT
from settlement.bank_files import service, store
from settlement.bank_files.errors import UnusableFile
from settlement.bank_files.models import BankFile, PaymentFile


async def faults(tx: Tx) -> list[str]:
    """Everything in bank files that does not verify, one sentence each; empty when all is well."""
    found = []
    await store.allow_pause(tx)
    audited = await store.audited_hashes(tx)
    payers = await bank.payers_by_ref(tx)
    for file_id in await store.all_files(tx):
        file = await store.get_file(tx, file_id)
        found += await _foreign_payers(tx, file, payers)
        found += [f"bank file {file.message_id} {fault}" for fault in await _broken_file(tx, file)]
        if audited.get(f"bank-file:{file.id}") != file.sha256.hex():
            found.append(f"bank file {file.message_id} is not what the audit trail says")
        tx.session.expunge(file)  # its bytes: one file at a time is enough to hold
    for payment in await store.all_payment_files(tx):
        found += [f"payment file {payment.id} {fault}" for fault in await _broken_payment_file(tx, payment)]
        if audited.get(f"payment-file:{payment.id}") != payment.sha256.hex():
            found.append(f"payment file {payment.id} is not what the audit trail says")
    return found


async def _foreign_payers(tx: Tx, file: BankFile, payers: Mapping[str, tuple[str, str]]) -> list[str]:
    """Who paid is whom the bank named: a refund goes back there (invariant 23)."""
    refused = {movement.reference for movement, _ in await store.refused_of(tx, file.id)}
    return [
        f"credit {movement.reference} names another payer than bank file {file.message_id}"
        for movement in await store.movements_of(tx, file.id)
        if movement.credit and movement.reference in payers and movement.reference not in refused
        if payers[movement.reference] != (movement.party_name, movement.party_account or NO_ACCOUNT)
    ]


async def _broken_file(tx: Tx, file: BankFile) -> list[str]:
    if hashlib.sha256(file.content).digest() != file.sha256:
        return ["is not the file that was taken"]
    try:
        message = await asyncio.to_thread(service._read, file.content)
    except UnusableFile as refusal:
        return [f"cannot be read: {refusal.detail_en}"]
    if await store.movements_of(tx, file.id) != list(message.movements) or await store.misfiled(tx, file.id):
        return ["says other movements than were taken from it"]
    balances = message.balances
    said = (balances.day, balances.opening_fen, balances.closing_fen) if balances else (None, None, None)
    return [] if said == (file.day, file.opening_fen, file.closing_fen) else ["says another balance"]


async def _broken_payment_file(tx: Tx, file: PaymentFile) -> list[str]:
    if hashlib.sha256(file.content).digest() != file.sha256:
        return ["is not the file that was made"]
    instructions = await bank.instructions_of(tx, await store.orders_of(tx, file.id))
    if not instructions or await service.rewritten(file, instructions) != file.content:
        return ["pays other than the orders in it"]
    return []
