"""The desk numbers its commits and signs each once, inside the transaction; what was signed is found again by number.

Numbers of a share are gapless: the next one follows the last that is stored, which the lease guards like everything a
desk writes. Leaves are the links of the batch's events in order of decision, one behind the other.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from bidding.desk.lease import Connection
from bidding.desk.receipts import Batch, Proof
from kernel.signatures import Keyring

LAST_NUMBER = "SELECT coalesce(max(number), 0) FROM bidding.batch WHERE share = $1"
KEEP_KEY = """
    INSERT INTO bidding.signing_key (key_id, public_key, first_used_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
"""
FIND_PROOFS = """
    SELECT s.lot_id, s.seq, s.event, s.link, coalesce(p.link, l.genesis) AS previous,
           b.share, b.number, b.leaves, b.at, b.key_id, b.signature
    FROM unnest($1::uuid[], $2::int8[]) a (lot_id, seq)
    JOIN bidding.submission s ON s.lot_id = a.lot_id AND s.seq = a.seq
    JOIN bidding.lot l ON l.lot_id = a.lot_id
    JOIN bidding.batch b ON b.share = s.share AND b.number = s.batch
    LEFT JOIN bidding.submission p ON p.lot_id = a.lot_id AND p.seq = a.seq - 1
"""


class Signer:
    """Numbers and signs the batches of one share. `forget` after a transaction that failed or may have."""

    def __init__(self, keyring: Keyring, share: int) -> None:
        self._keyring = keyring
        self._share = share
        self._last: int | None = None

    async def publish_key(self, db: Connection, now: datetime) -> None:
        """Leave the public key where everybody finds it, before anything is signed with it."""
        key = self._keyring.current
        await db.execute(KEEP_KEY, key.key_id, bytes.fromhex(key.public_key), now)

    async def open(self, db: Connection) -> Batch:
        """The next batch, inside its transaction."""
        if self._last is None:
            self._last = await db.fetchval(LAST_NUMBER, self._share)
        assert self._last is not None
        return Batch(self._share, self._last + 1)

    def sign(self, batch: Batch, now: datetime) -> None:
        """Sign a batch that is complete, to be written in the same transaction; one without events is no batch."""
        if batch.links:
            batch.close(now, self._keyring.key_id, self._keyring.sign(batch.statement(now)))
            self._last = batch.number

    def forget(self) -> None:
        """Ask the database for the last number again."""
        self._last = None


async def find_proofs(db: Connection, events: Iterable[tuple[UUID, int]]) -> dict[tuple[int, int], Proof]:
    """The proofs of events given as (lot, seq), by the numbers of both."""
    rows = await db.fetch(FIND_PROOFS, *zip(*events, strict=True))
    batches: dict[tuple[int, int], Batch] = {}
    found = {}
    for row in rows:
        name = row["share"], row["number"]
        if name not in batches:
            batches[name] = Batch.stored(
                *name, row["leaves"], at=row["at"], key_id=row["key_id"], signature=row["signature"]
            )
        found[row["lot_id"].int, row["seq"]] = batches[name].proof(row["event"], row["previous"], row["link"])
    return found
