import assert from "node:assert/strict";
import test from "node:test";
import { duties, reminders, stations } from "./needs.js";

const lot = (more = {}) => ({ status: "open", opens_at: "2025-06-01T10:00:00.000+08:00", ends_at: "2025-06-03T10:00:00.000+08:00", start_price_fen: 100, price_fen: 300, ...more });
const own = (more = {}) => ({ lot: lot(), state: "admitted", has_password: true, bids: { accepted: 1, leads: false }, deposit: null, sale: null, ...more });

test("what is due first stands first, and nothing is asked of who leads or lost", () => {
  const bought = own({ lot: lot({ status: "closed" }), sale: { state: "awaiting_balance", balance_due_at: "2025-06-02T10:00:00.000+08:00", missing_fen: 70 } });
  const leading = own({ bids: { accepted: 2, leads: true } });
  const lost = own({ lot: lot({ status: "closed" }), state: "released" });
  const found = duties([own(), bought, leading, lost]);
  assert.deepEqual(found.map(({ kind }) => kind), ["balance", "outbid"]);
  assert.equal(found[0].fen, 70);
});

test("before a bid: deposit, then password, then the bid itself", () => {
  const none = { accepted: 0, leads: false };
  const waiting = own({ state: "awaiting_deposit", bids: none, deposit: { missing_fen: 50 } });
  assert.deepEqual(duties([waiting]).map(({ kind, fen }) => [kind, fen]), [["deposit", 50]]);
  assert.equal(duties([own({ bids: none, has_password: false })])[0].kind, "password");
  assert.equal(duties([own({ bids: none })])[0].kind, "bid");
  assert.deepEqual(duties([own({ bids: none, lot: lot({ status: "upcoming" }) })]), []);
  assert.equal(duties([own({ bids: none, has_password: false, lot: lot({ status: "upcoming" }) })])[0].until, lot().opens_at);
});

test("followed lots are recalled within a day", () => {
  const now = "2025-06-01T09:00:00.000+08:00";
  const lots = [lot({ status: "published" }), lot({ status: "live" }), lot({ status: "live", ends_at: "2025-06-01T20:00:00.000+08:00" })];
  assert.deepEqual(reminders(lots, now).map(({ kind }) => kind), ["opens", "ends"]);
  assert.deepEqual(reminders(lots, "2025-06-02T20:00:00.000+08:00").map(({ kind }) => kind), ["ends"]);
});

test("a sale goes from the hammer to the handover", () => {
  const sale = { state: "paid", ended_at: "a", paid_at: "b", ruling_due_on: "2025-06-12" };
  assert.deepEqual(stations(sale).map(({ done }) => done), [true, true, false, false, false]);
  assert.equal(stations(sale)[2].on, "2025-06-12");
  assert.equal(stations({ ...sale, state: "defaulted" }).filter(({ done }) => done).length, 1);
});
