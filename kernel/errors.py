"""Refusals: the one kind of error that a person outside is meant to read.

Every slice lists its own in `errors.py`, one class each. A refusal has a stable code, an HTTP status,
the rule that decided it, and one sentence in Chinese and one in English. `kernel.web` turns it into
problem details (RFC 9457) and the live feed into a `refused` message, so rules raise it and nobody else
needs to know.
"""

from enum import StrEnum
from typing import ClassVar

from kernel.law import citation
from kernel.money import yuan


class Refusal(Exception):
    """Base of all refusals. `zh` and `en` are templates over the facts given to the constructor.

    Facts are also sent beside the sentence (`minimum_fen` and the like), so name them as the wire does.
    """

    code: ClassVar[str]
    status: ClassVar[int] = 409
    rule: ClassVar[str | None] = None
    zh: ClassVar[str]
    en: ClassVar[str]

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        super().__init__(self.detail_en)

    @property
    def detail(self) -> str:
        """The sentence shown first, in Chinese."""
        return self.zh.format_map(self._spoken())

    @property
    def detail_en(self) -> str:
        """The same sentence in English."""
        return self.en.format_map(self._spoken())

    def _spoken(self) -> dict[str, object]:
        return {name: _said(name, value) for name, value in self.facts.items()}

    @property
    def law(self) -> str | None:
        """The article behind the rule, e.g. `法释〔2016〕18号 第二十条`."""
        return citation(self.rule) if self.rule else None


def _said(name: str, value: object) -> object:
    """A fact as sentences say it: an amount in yuan, where the wire says fen; a code word as an English one.

    Chinese sentences say a code word by a fact of its own, `kind_zh` beside `kind`, from the table beside its enum.
    """
    if name.endswith("_fen") and isinstance(value, int):
        return yuan(value)
    return str(value).replace("_", " ") if isinstance(value, StrEnum) else value


class Malformed(Refusal):
    """Input that cannot be read: wrong type, unknown field, out of bounds. `path` is a JSON path.

    `expected` goes on from that very word. Without Chinese words of its own the Chinese sentence shows the English.
    """

    code = "malformed"
    status = 400
    zh = "请求内容无法识别：{path}，要求：{expected_zh}"
    en = "The request cannot be read: {path}: expected {expected}"

    def __init__(self, path: str, expected: str, expected_zh: str | None = None) -> None:
        super().__init__(path=path, expected=expected, expected_zh=expected_zh or expected)


THINGS = {
    "account": "账户",
    "asset": "财产",
    "batch": "发放批次",
    "bid": "出价",
    "case": "案件",
    "claim": "债权",
    "court": "法院",
    "credit": "到账款项",
    "decision": "合议庭决定",
    "deposit": "保证金",
    "document": "文件",
    "enquiry": "咨询",
    "file": "银行文件",
    "hold": "停止处分事项",
    "lot": "标的",
    "match": "认领意见",
    "objection": "方案异议",
    "page": "页面",
    "paper": "文书",
    "party": "当事人",
    "payment order": "付款指令",
    "person": "人员",
    "plan": "分配方案",
    "reference price": "参考价",
    "registration": "报名",
    "report": "询价报告",
    "sale": "成交",
    "sale group": "标的组",
    "seizure": "查封、扣押、冻结登记",
    "taking": "以物抵债",
    "withholding": "延缓发放或提存事项",
}
"""Chinese names of the things that may not be found."""


class NotFound(Refusal):
    """The thing does not exist, or the caller may not know that it does."""

    code = "not-found"
    status = 404
    zh = "未找到该{what_zh}"
    en = "No such {what}"

    def __init__(self, what: str) -> None:
        super().__init__(what=what, what_zh=THINGS[what])


class Forbidden(Refusal):
    """The caller is known but has no right to do this."""

    code = "forbidden"
    status = 403
    zh = "您无权进行此操作"
    en = "You may not do this"


class SignInRequired(Refusal):
    """Nobody is signed in, or the session has ended."""

    code = "sign-in-required"
    status = 401
    zh = "请先登录"
    en = "Please sign in first"


class KeyReused(Refusal):
    """An idempotency key came back with another payload (law of the house 5)."""

    code = "key-reused"
    status = 422
    zh = "该请求编号已用于另一内容，请使用新的编号"
    en = "This idempotency key was used with other content; use a new key"


class RateLimited(Refusal):
    """Too many requests for one purpose from one person or address."""

    code = "rate-limited"
    status = 429
    zh = "操作过于频繁，请在 {retry_after_s} 秒后再试"
    en = "Too many requests; try again in {retry_after_s} s"


class Busy(Refusal):
    """The platform cannot take this now; nothing was recorded and the same key may be sent again."""

    code = "busy"
    status = 503
    zh = "系统繁忙，请稍后用同一编号重试"
    en = "The platform is busy; send again with the same key"
