// What a bidder must do, or will want to know, and until when. Pure: it reads what the platform told and decides nothing.

const DAY_MS = 86_400_000;
const RUNNING = ["upcoming", "open", "suspended", "frozen"];
const FIRST = ["balance", "deposit", "outbid", "password", "bid"];

/** Duties of one's own auctions, the most urgent first: `{ kind, lot, until, fen }`; `until` may be null. */
export function duties(auctions) {
  return auctions.map(dutyOf).filter(Boolean).sort(byTime);
}

function dutyOf({ lot, state, has_password: hasPassword, bids, deposit, sale }) {
  const until = lot.ends_at ?? lot.scheduled_end;
  if (sale?.state === "awaiting_balance") return { kind: "balance", lot, until: sale.balance_due_at, fen: sale.missing_fen, overdue: sale.overdue };
  if (!RUNNING.includes(lot.status)) return null;
  if (state === "awaiting_deposit") return { kind: "deposit", lot, until, fen: deposit?.missing_fen ?? null };
  if (state !== "admitted") return null;
  if (lot.status === "open" && bids.accepted > 0) return bids.leads ? null : { kind: "outbid", lot, until, fen: lot.price_fen };
  if (!hasPassword) return { kind: "password", lot, until: lot.status === "open" ? until : lot.opens_at, fen: null };
  return lot.status === "open" ? { kind: "bid", lot, until, fen: lot.price_fen ?? lot.start_price_fen } : null;
}

/** Followed lots that open or end within a day of `now`, the next first: `{ kind, lot, until }`. */
export function reminders(lots, now) {
  const soon = (moment) => Date.parse(moment) - Date.parse(now) < DAY_MS && Date.parse(moment) > Date.parse(now);
  return lots.map((lot) => {
    if (lot.status === "published" && soon(lot.opens_at)) return { kind: "opens", lot, until: lot.opens_at };
    return lot.status === "live" && soon(lot.ends_at) ? { kind: "ends", lot, until: lot.ends_at } : null;
  }).filter(Boolean).sort(byTime);
}

function byTime(one, other) {
  const at = (need) => (need.until ? Date.parse(need.until) : Infinity);
  return at(one) - at(other) || FIRST.indexOf(one.kind) - FIRST.indexOf(other.kind);
}

/** The road of a sale to its buyer: `{ key, on, done }` in order, with the day or moment each was or is due. */
export function stations(sale) {
  const done = { awaiting_balance: 1, paid: 2, ruled: 3, served: 4, handed_over: 5 }[sale.state] ?? 1;
  const days = [sale.ended_at, sale.paid_at ?? sale.balance_due_at, sale.ruling_due_on, sale.served_on, sale.handed_over_on ?? sale.handover_due_on];
  return ["sold", "paid", "ruled", "served", "handed-over"].map((key, index) => ({ key, on: days[index] ?? null, done: index < done }));
}
