"""One case as its court drives it, step by step: filed, priced, announced, sold, distributed, paid out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

from app.demo.papers import checklist
from app.demo.people import bank_account
from app.demo.users import User, until
from kernel.clock import BEIJING
from tests.byhand.town import PASSWORD, Town

SERVED = {"method": "direct", "proof": "送达回证"}
PANEL = ("周法官", "吴法官", "郑法官")
ROLES = {"debtor": "debtor", "applicant": "enforcement_applicant"}
NAMES = {"debtor": "张三", "applicant": "某商业银行", "mortgagee": "抵押银行", "creditor": "李四"}
YUAN = 100


@dataclass
class Docket:
    """The case; ids are those that the platform gave, amounts yuan here and fen on the wire."""

    town: Town
    case_no: str
    id: str = ""
    asset: str = ""
    parties: dict[str, str] = field(default_factory=dict)
    reference: int = 0

    async def file(self, *refs: str, debtor_kind: str = "person") -> None:
        """Parties, one car, its seizure for the applicant."""
        parties = [
            {
                "ref": ref,
                "role": ROLES.get(ref, "creditor"),
                "name": NAMES[ref],
                "kind": debtor_kind if ref == "debtor" else "enterprise",
                "account": bank_account(NAMES[ref], number),
            }
            for number, ref in enumerate(("debtor", *refs), 1)
        ]
        opened = await self.town.clerk.post("/api/cases", {"case_no": self.case_no, "parties": parties})
        self.id, self.parties = opened["id"], {party["ref"]: party["id"] for party in opened["parties"]}
        car = {"kind": "movable", "title": "小型轿车一辆", "description": "里程约4万公里。", "place": "上海市"}
        details = {"occupation": "法院扣押停放", "defects": "左前门划痕"}
        self.asset = (await self.town.clerk.post(f"/api/cases/{self.id}/assets", car | {"details": details}))["id"]
        today = self.town.today
        seized = {"measure": "seize", "party_id": self.parties["applicant"], "rank": 1, "waiting": False}
        span = {"from_on": today.isoformat(), "to_on": (today + timedelta(days=700)).isoformat()}
        await self.town.clerk.post(f"/api/assets/{self.asset}/seizures", seized | span)

    async def claim(self, ref: str, principal: int, **more: Any) -> None:
        amounts = {"costs_fen": 0, "interest_fen": 0, "principal_fen": principal * YUAN, "doubled_fen": 0}
        title = {"party_id": self.parties[ref], "kind": "ordinary", "title_no": f"{ref}（2025）民初1号"}
        await self.town.clerk.post(f"/api/cases/{self.id}/claims", title | amounts | more)

    async def price(self, reference: int) -> None:
        """A network enquiry, and the price fixed a week later (R-REF-07, 12)."""
        self.reference = reference
        for platform, off in (("甲", -1), ("乙", 0), ("丙", 1)):
            report = {"platform": platform, "delivered": True, "price_fen": (reference + off) * YUAN}
            reported = report | {"report_on": self.town.today.isoformat()}
            await self.town.clerk.post(f"/api/assets/{self.asset}/reports", reported)
        await self.town.days(7)
        fixed = {"method": "network_enquiry", "fixed_on": self.town.today.isoformat()}
        await self.town.judge.post(f"/api/assets/{self.asset}/reference-price", fixed)

    async def decide(self, subject: str, facts: Mapping[str, Any] | None = None) -> str:
        """A decision that the panel makes today; returns its id."""
        made = {
            "subject": subject,
            "made_on": self.town.today.isoformat(),
            "members": PANEL,
            "text": "合议庭评议决定。",
        }
        decided = await self.town.judge.post(f"/api/cases/{self.id}/decisions", made | {"facts": facts or {}})
        return str(decided["id"])

    async def terms(self, start: int, deposit: int, **more: Any) -> dict[str, Any]:
        """What the panel decides for a sale whose 24 hours begin in 21 days."""
        opens_at = datetime.combine(self.town.today + timedelta(days=21), time(10), BEIJING)
        terms = {
            "start_price_fen": start * YUAN,
            "increment_fen": 500 * YUAN,
            "deposit_fen": deposit * YUAN,
            "balance_due_days": 10,
        }
        return {
            "asset_id": self.asset,
            "round": "round_1",
            "method": "auction",
            "title": "小型轿车一辆",
            "opens_at": opens_at.isoformat(),
            "scheduled_end": (opens_at + timedelta(days=1)).isoformat(),
            "decision_id": await self.decide("lot_terms", terms),
            **terms,
            **more,
        }

    async def publish(self, terms: dict[str, Any], lot: str | None = None) -> str:
        """The draft, or a resale that was ordered, filled in, told to the parties and published; returns its id."""
        clerk, today = self.town.clerk, self.town.today
        if lot is None:
            lot = str((await clerk.post("/api/lots", terms))["id"])
        else:
            await clerk.post(f"/api/lots/{lot}/terms", terms)
        shown = {"court": "浦东法院", "title": "小型轿车一辆", "details": {}, "case_no": self.case_no}
        items = checklist(**shown, reference_fen=self.reference * YUAN, basis="网络询价", days=10)  # type: ignore[arg-type]
        await clerk.post(f"/api/lots/{lot}/checklist", {"items": items})
        await clerk.attach(f"/api/lots/{lot}/documents?kind=announcement", "公告.txt", "拍卖公告\n".encode())
        for party in self.parties.values():
            told = {"party_id": party, "outcome": "notified", "on": today.isoformat(), "proof": "送达回证"}
            await clerk.post(f"/api/lots/{lot}/notices", told)
        await self.town.days(4)
        published = await self.town.judge.post(f"/api/lots/{lot}/publish")
        assert published["announcement_version"], published
        return lot

    async def opened(self, lot: str, *bidders: tuple[User, int]) -> None:
        """Bidders join with their deposits, the lot opens, they bid in order, and it ends."""
        shown = await self.town.clerk.get(f"/api/lots/{lot}")
        for bidder in {bidder.person.username: bidder for bidder, _ in bidders}.values():
            await self._join(bidder, lot, shown["announcement_version"])
        opens_on = datetime.fromisoformat(shown["opens_at"]).date()
        await self.town.forward(opens_on, 11)
        for bidder, price in bidders:
            fen = price * YUAN
            bid = {"key": str(uuid4()), "price_fen": fen, "confirm": fen}
            answer = await bidder.post(f"/api/lots/{lot}/bids", bid)
            assert answer["t"] == "ack", answer
        await self.town.forward(opens_on + timedelta(days=1), 11)

    async def _join(self, bidder: User, lot: str, version: str) -> None:
        if not bidder.cookie:
            await bidder.sign_up(PASSWORD)
        wanted = {"kind": "ordinary", "accepts": version, "declares_eligible": True}
        due = (await bidder.post(f"/api/lots/{lot}/registrations", wanted))["deposit_due_fen"]
        account = (await until(lambda: bidder.get(f"/api/lots/{lot}/deposit"), bool))["account_no"]
        paid = {"from_account": bidder.person.account_no, "payer_name": bidder.person.real_name}
        await bidder.post("/api/simulated-bank/transfers", paid | {"to_account_no": account, "amount_fen": due})
        path = f"/api/lots/{lot}/registration"
        await until(lambda: bidder.get(path), lambda shown: shown["state"] == "admitted")
        password = (await bidder.post(f"/api/lots/{lot}/bid-password"))["password"]
        assert (await bidder.post(f"/api/lots/{lot}/unlock", {"password": password}))["unlocked"]

    async def credit(self, account_no: str, fen: int, payer: str, number: str) -> None:
        """The bank's machine reports money that has arrived."""
        notice = {"bank_ref": f"B-{uuid4()}", "account_no": account_no, "amount_fen": fen, "payer_name": payer}
        booked_at = self.town.now.isoformat(timespec="seconds")
        await self.town.machine.post("/api/bank/credits", notice | {"payer_account": number, "booked_at": booked_at})

    async def pay_balance(self, lot: str, buyer: User) -> None:
        """The buyer pays what is missing of the price."""
        sale = await until(lambda: buyer.get(f"/api/lots/{lot}/sale"), bool)
        who = buyer.person
        await self.credit(sale["account_no"], sale["missing_fen"], who.real_name, who.account_no)
        await until(lambda: buyer.get(f"/api/lots/{lot}/sale"), lambda shown: shown["state"] == "paid")

    async def rule_and_serve(self, lot: str) -> None:
        """The sale ruling, and its service: title passes (R-CLOSE-05)."""
        ruling = {"decision_id": await self.decide("sale_ruling")}
        assert (await self.town.judge.post(f"/api/lots/{lot}/ruling", ruling))["state"] == "ruled"
        served = {"served_on": self.town.today.isoformat()} | SERVED
        assert (await self.town.clerk.post(f"/api/lots/{lot}/ruling-service", served))["state"] == "served"

    async def cost(self, amount: int, lot: str) -> None:
        cost = {
            "kind": "sale_cost",
            "name": "停车保管费",
            "amount_fen": amount * YUAN,
            "lot_id": lot,
            "document": "发票",
        }
        await self.town.maker.post(f"/api/cases/{self.id}/costs", cost | {"payee": bank_account("某停车场", 77)})

    async def fee(self, set_yuan: int) -> dict[str, Any]:
        """The enforcement fee as the court sets it, beside the computed one (R-COST-01)."""
        wanted = {"set_fen": set_yuan * YUAN, "reason": "依法确定", "decision_id": await self.decide("enforcement_fee")}
        fee: dict[str, Any] = await self.town.judge.post(f"/api/cases/{self.id}/enforcement-fee", wanted)
        return fee

    async def confirmed(self) -> dict[str, Any]:
        """A plan drafted, decided, served on everybody, and confirmed after their fifteen days."""
        plan = await self.town.maker.post(f"/api/cases/{self.id}/plans")
        path = f"/api/plans/{plan['id']}"
        await self.town.judge.post(f"{path}/decide", {"decision_id": await self.decide("distribution_plan")})
        for recipient in plan["recipients"]:
            served = {"party_id": recipient["party_id"], "served_on": self.town.today.isoformat()}
            await self.town.clerk.post(f"{path}/services", served | SERVED)
        assert await self.town.refused(self.town.judge, f"{path}/confirm") == "objection-period-running"
        clocks = (await self.town.judge.get(path))["recipients"]
        last = max(date.fromisoformat(each["objection_until"]) for each in clocks)
        await self.town.forward(last + timedelta(days=1))
        confirmed: dict[str, Any] = await self.town.judge.post(f"{path}/confirm")
        return confirmed

    async def pay_out(self, plan: dict[str, Any]) -> dict[str, Any]:
        """Maker, checker and payer sign the same hash, and the bank executes every line (R-ACCT-06)."""
        batch = await self.town.maker.post(f"/api/plans/{plan['id']}/payouts")
        path, signed = f"/api/payouts/{batch['id']}", {"hash": batch["hash"]}
        await self.town.checker.post(f"{path}/check", signed)
        await self.town.payer.post(f"{path}/pay", signed)
        paid: dict[str, Any] = await until(
            lambda: self.town.payer.get(path),
            lambda shown: all(line["state"] == "executed" for line in shown["lines"]),
        )
        return paid

    async def account(self) -> dict[str, Any]:
        shown: dict[str, Any] = await self.town.auditor.get(f"/api/cases/{self.id}/account")
        return shown


def lines_of(plan: dict[str, Any]) -> list[tuple[str, str, int]]:
    """Kind, name and yuan of a plan's lines."""
    return [(line["payee"]["kind"], line["payee"]["name"], line["amount_fen"] // YUAN) for line in plan["lines"]]
