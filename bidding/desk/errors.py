"""Refusals of the bid desk, in the words of the wire (docs/live.md) and of `auction calc bidding`.

One class each. Which of them comes first when several apply is the business of `rules.py`.
"""

from datetime import datetime, timedelta

from kernel.clock import beijing
from kernel.errors import Refusal


class NotOpen(Refusal):
    """The bid entered before the opening."""

    code = "not-open"
    rule = "R-BID-09"
    zh = "竞价尚未开始"
    en = "Bidding has not opened yet"


class AfterEnd(Refusal):
    """The lot had ended when the submission entered; the instant of the end is already too late."""

    code = "after-end"
    rule = "R-BID-10"
    zh = "竞价已经结束"
    en = "Bidding has ended"


class ArrivedLate(AfterEnd):
    """A bid at or after the end, told with the platform's own times; the client's clock is nobody's evidence.

    Facts: `arrived_ms_late` in whole milliseconds (0: the very instant of the end), `received_at`, `ended_at`.
    """

    zh = "竞价已于 {ended_at} 结束，您的出价于 {received_at} 到达平台，晚于结束时间 {arrived_ms_late} 毫秒"
    en = "Bidding ended at {ended_at}; your bid arrived at {received_at}, {arrived_ms_late} ms after the end"

    @classmethod
    def by(cls, received_at: datetime, ended_at: datetime) -> "ArrivedLate":
        """The refusal of what entered at `received_at`, after a lot that ended at `ended_at`."""
        late_ms = (received_at - ended_at) // timedelta(milliseconds=1)
        return cls(arrived_ms_late=late_ms, received_at=beijing(received_at), ended_at=beijing(ended_at))


class Suspended(Refusal):
    """The lot stands still, by order of the court or after an outage."""

    code = "suspended"
    rule = "R-HALT-01"
    zh = "竞价已暂停，恢复时间以法院公告为准"
    en = "Bidding is suspended; the court announces when it resumes"


class NotSuspended(Refusal):
    """Only a lot that stands still can be resumed."""

    code = "not-suspended"
    rule = "R-HALT-03"
    zh = "该标的并未暂停"
    en = "The lot is not suspended"


class AssetHeld(Refusal):
    """A hold on the asset stands, so the lot may not run on."""

    code = "asset-held"
    rule = "R-CASE-09"
    zh = "该财产已停止处分，解除前不能恢复竞价"
    en = "The asset may not be disposed of now, so bidding is not resumed"


class UnknownCode(Refusal):
    """Nobody holds this bidder code. The desk itself answers `not-eligible` in its place."""

    code = "unknown-code"
    rule = "R-BID-07"
    zh = "竞买代码不存在"
    en = "No bidder holds this code"


class NotEligible(Refusal):
    """The registration was not admitted to this lot when the bid entered, or no longer takes part."""

    code = "not-eligible"
    rule = "R-BID-06"
    zh = "您尚未取得本标的的竞买资格"
    en = "You are not admitted to bid on this lot"


class BelowStartPrice(Refusal):
    """A bid below the start price is void; `minimum_fen` is the lowest that this bidder could have bid."""

    code = "below-start-price"
    rule = "R-BID-08"
    zh = "出价低于起拍价，当前最低应价为 {minimum_fen} 元"
    en = "The bid is below the start price; the lowest price now possible is {minimum_fen} yuan"


class AlreadyLeading(Refusal):
    """The leader has offered this very price already."""

    code = "already-leading"
    rule = "R-BID-08"
    zh = "您已以此价格领先"
    en = "You already lead at this price"


class CannotLead(Refusal):
    """A match by a priority purchaser whose rank is not ahead of the leader's."""

    code = "cannot-lead"
    rule = "R-PRIO-03"
    zh = "领先者的优先顺位不后于您，同价不能取代"
    en = "The leader's rank is not behind yours, so an equal price does not lead"


class BelowMinimum(Refusal):
    """Less than the leading price allows; `minimum_fen` is the lowest that this bidder could have bid."""

    code = "below-minimum"
    rule = "R-BID-08"
    zh = "出价低于当前最低应价 {minimum_fen} 元"
    en = "The bid is below the lowest price now possible, {minimum_fen} yuan"


class OffIncrement(Refusal):
    """Not the start price plus whole increments."""

    # It names no amount: a stored answer is made again from its hashed bytes, and of amounts they hold `minimum_fen`
    # alone, which the wire gives with the two refusals above and no other.
    code = "off-increment"
    rule = "R-BID-08"
    zh = "出价须为起拍价加整数倍的增价幅度"
    en = "A bid is the start price plus whole increments"


class ConfirmJump(Refusal):
    """An unusual jump, or a raise of one's own lead, without the price typed a second time.

    A bid cannot be withdrawn, so the platform asks once before it takes one that looks like a slip.
    """

    code = "confirm-jump"
    rule = "R-BID-13"
    zh = "出价远高于当前价或正在抬高自己的领先价，出价不可撤回，请再次确认金额"
    en = "The bid is far above the price or raises your own lead; bids are final, so confirm the amount"


class NotProcessable(Refusal):
    """The submission alone could not be stored as decided; it is recorded and counts for nothing."""

    code = "not-processable"
    rule = "R-GEN-07"
    zh = "该出价无法处理，已记录，请联系平台"
    en = "The bid could not be processed; it is on record, please contact the platform"


BY_CODE: dict[str, type[Refusal]] = {
    refusal.code: refusal
    for refusal in (
        NotOpen,
        AfterEnd,
        Suspended,
        NotSuspended,
        AssetHeld,
        NotEligible,
        BelowStartPrice,
        AlreadyLeading,
        CannotLead,
        BelowMinimum,
        OffIncrement,
        ConfirmJump,
        NotProcessable,
    )
}
"""Refusals that are stored, by their code: a stored answer is given again as it was."""


class DeskElsewhere(Exception):
    """Another process holds the lease and is alive; this one takes no bids."""


class OutageNoticed(Exception):
    """Before a batch was decided it came out that nobody had decided for too long: freeze first (R-HALT-02)."""


class DeskEnded(Exception):
    """A foreign epoch was seen: this desk decides nothing more."""
