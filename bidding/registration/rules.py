"""Who may register, which deposit is due, and what a bidder code looks like (R-BID-05 to 07, 14; R-PRIO-01)."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from hashlib import sha256
from ipaddress import ip_address, ip_network
from uuid import UUID

from bidding.desk.rules import end_has_come
from bidding.registration.errors import (
    AnnouncementChanged,
    BarredFromSale,
    BiddingHasBegun,
    ClaimUnknown,
    EligibilityNotDeclared,
    LeadsNow,
    NotTheApplicant,
    RegistrationClosed,
)
from kernel.actors import Role
from kernel.money import Fen

LETTERS = "ABCDEFGHJKLMNQRSTUVWXYZ"
"""First letters of ordinary codes: no I and O, which read like digits, and no P."""

PRIORITY_LETTER = "P"
"""First letter of a priority code (优先竞买代码), so that everybody sees what a match is."""

CODES = len(LETTERS) * 10_000
PRIORITY_CODES = 100_000


NETWORK_BITS = {4: 24, 6: 64}
"""How much of an address names the network behind it: a household, an office, a part of a mobile operator."""


def network_of(source: str) -> str:
    """The network of an address. What is no address stands for itself."""
    try:
        address = ip_address(source)
    except ValueError:
        return source
    return str(ip_network((address, NETWORK_BITS[address.version]), strict=False))


class BidderKind(StrEnum):
    """In which capacity someone registers; only the applicant of this case is spared the deposit."""

    ORDINARY = "ordinary"
    APPLICANT = "applicant"
    OTHER_CREDITOR = "other_creditor"


class RegistrationState(StrEnum):
    """Where a registration stands; only `admitted` may bid."""

    AWAITING_DEPOSIT = "awaiting_deposit"
    ADMITTED = "admitted"
    RELEASED = "released"
    BARRED = "barred"


@dataclass(frozen=True, slots=True)
class Candidate:
    """Who wants to register, as far as the law asks."""

    kind: BidderKind
    is_applicant: bool
    is_barred: bool
    """Staff of the enforcing court or of the platform, a helper, or the buyer who defaulted."""
    declares_eligible: bool


Office = tuple[Collection[Role], UUID | None]
"""The roles that a person holds, and the court they serve."""


def of_the_house(court_id: UUID, offices: Iterable[Office]) -> bool:
    """Whether one of those who would buy serves the enforcing court or the platform: none of them buys, nor through
    others (R-BID-14).
    """
    return any(served == court_id or Role.OPERATOR in roles for roles, served in offices)


def check_candidate(candidate: Candidate) -> None:
    """Refuse who may not take part (R-BID-14), poses as the applicant (R-BID-05), or declares nothing (R-HOME-01).

    The debtor is not barred (R-BID-15).
    """
    if candidate.is_barred:
        raise BarredFromSale()
    if candidate.kind is BidderKind.APPLICANT and not candidate.is_applicant:
        raise NotTheApplicant()
    if not candidate.declares_eligible:
        raise EligibilityNotDeclared()


def check_open(finished: bool, ends_at: datetime | None, now: datetime) -> None:
    """Refuse once bidding has ended; extensions and halts (`ends_at` None) keep registration open (R-BID-06)."""
    if finished or end_has_come(ends_at, now):
        raise RegistrationClosed()


def check_before_opening(opened: bool, halted: bool, opens_at: datetime, now: datetime) -> None:
    """Refuse to confirm an agent or joint bidders once bidding has begun (R-PUB-04); a lot halted before has not."""
    if opened or (now >= opens_at and not halted):
        raise BiddingHasBegun()


def rank_of_buyers(ranks: Sequence[int | None]) -> int | None:
    """The priority rank of those who buy together; None as soon as one of them has none (R-PRIO-01, 05).

    No text says how joint bidders stand: they cannot lend a right to somebody without it, and are as junior as the
    most junior of them.
    """
    held = [rank for rank in ranks if rank is not None]
    return max(held) if held and len(held) == len(ranks) else None


def shares(parts: Sequence[int]) -> list[str]:
    """What each of the buyers will own, as fractions of the whole in lowest terms."""
    return [str(Fraction(part, sum(parts))) for part in parts]


def deposit_due(deposit_fen: Fen, bidder_kind: BidderKind, claim_fen: Fen | None = None) -> Fen:
    """What the bidder still has to pay, in fen (R-BID-05).

    An enforcement applicant pays only what the deposit exceeds the claim by; creditors of other cases pay
    in full, as the wording names the applicant alone. Raises `ClaimUnknown` for an applicant without claim.
    """
    if bidder_kind is not BidderKind.APPLICANT:
        return deposit_fen
    if claim_fen is None:
        raise ClaimUnknown()
    return Fen(max(0, deposit_fen - claim_fen))


def security_fen(is_sell_off: bool, deposit_fen: Fen, start_price_fen: Fen) -> Fen:
    """What qualifies a bidder: the deposit; in a sell-off the whole price in advance (R-SELL-04)."""
    return start_price_fen if is_sell_off else deposit_fen


def admitted(state: RegistrationState) -> RegistrationState | None:
    """The state after the deposit was confirmed; None if nothing changes, a registration once given up included."""
    return RegistrationState.ADMITTED if state is RegistrationState.AWAITING_DEPOSIT else None


def released(state: RegistrationState, leads: bool) -> RegistrationState | None:
    """The state after the deposit was given back; refused for the leader and the buyer (R-BID-13)."""
    if leads:
        raise LeadsNow()
    return None if state in (RegistrationState.RELEASED, RegistrationState.BARRED) else RegistrationState.RELEASED


def barred(state: RegistrationState) -> RegistrationState | None:
    """The state of somebody who may not bid and yet is registered (R-BID-14); None if nothing changes."""
    return None if state in (RegistrationState.RELEASED, RegistrationState.BARRED) else RegistrationState.BARRED


def check_version(published: str | None, accepted: str) -> None:
    """Refuse who accepts another announcement than the lot's (R-PUB-04); an old lot knows no version of its own."""
    if published is not None and accepted != published:
        raise AnnouncementChanged()


COMMITMENT = b"registration/1"
SALT_BYTES = 32


def commitment(salt: bytes, registration_id: UUID, lot_id: UUID, person_id: UUID, code: str) -> bytes:
    """What the audit trail keeps of who bids under a code: whoever lacks the salt cannot try persons against it."""
    return sha256(COMMITMENT + salt + registration_id.bytes + lot_id.bytes + person_id.bytes + code.encode()).digest()


def code_from(number: int) -> str:
    """The ordinary bidder code of a random `number` below CODES: a letter and four digits."""
    letter, digits = divmod(number, 10_000)
    return f"{LETTERS[letter]}{digits:04d}"


def priority_code_from(number: int) -> str:
    """The priority code of a random `number` below PRIORITY_CODES: P and five digits, like no ordinary one."""
    return f"{PRIORITY_LETTER}{number:05d}"
