import assert from "node:assert/strict";
import test from "node:test";
import { chronicle, firstHole, fromSnapshot, ladder, withCrowd, withEvents, withHistory } from "./events.js";

const AT = "2025-06-03T09:59:00.000+08:00";
const bid = (seq, price, more = {}) => ({ seq, kind: "bid", at: AT, code: `A${seq}`, price_fen: price, ends_at: AT, extended: false, ...more });
const frame = (events, from = events[0].seq) => ({ from, to: events.at(-1).seq, events });
const start = (seq = 0, more = {}) => fromSnapshot({
  seq,
  lot: { status: "open", opens_at: "2025-06-02T10:00:00.000+08:00", ends_at: AT, price_fen: null, leader: null, bids: 0, extensions: 0, ...more },
});

test("bids move price, leader, counts and end", () => {
  const picture = withEvents(start(), frame([bid(1, 100), bid(2, 200, { rank: 1, extended: true, ends_at: "later" })]));
  assert.equal(picture.seq, 2);
  assert.deepEqual(
    [picture.lot.price_fen, picture.lot.leader, picture.lot.leader_rank, picture.lot.bids, picture.lot.extensions, picture.lot.ends_at],
    [200, "A2", 1, 2, 1, "later"],
  );
});

test("a tick brings the coarse numbers, and only a change of them a new picture", () => {
  const picture = withCrowd(start(3), { watchers: 20, bidders: 10 });
  assert.deepEqual([picture.watchers, picture.lot.bidders, picture.seq], [20, 10, 3]);
  assert.equal(withCrowd(picture, { watchers: 20, bidders: 10 }), picture);
  assert.equal(withEvents(picture, frame([bid(4, 400)])).lot.bidders, 10);
});

test("events in any frames, some of them twice, give one picture", () => {
  const all = [1, 2, 3, 4, 5, 6].map((seq) => bid(seq, seq * 100));
  const whole = withEvents(start(), frame(all));
  for (const cuts of [[1, 2, 3, 4, 5, 6], [2, 2, 5, 6], [6, 6], [3, 1, 6]]) {
    let picture = start();
    for (const end of cuts) picture = withEvents(picture, frame(all.slice(0, end)));
    assert.deepEqual(picture, whole);
  }
});

test("what cannot follow on is a gap and changes nothing", () => {
  const picture = withEvents(start(), frame([bid(1, 100)]));
  assert.equal(withEvents(picture, frame([bid(3, 300)])), null);
  assert.equal(picture.seq, 1);
});

test("a conflated frame counts what it leaves out, and the hole is found and filled", () => {
  const first = withEvents(start(), frame([bid(1, 100)]));
  const picture = withEvents(first, { from: 2, to: 10, events: [bid(9, 900), bid(10, 1000)] });
  assert.equal(picture.lot.bids, 10);
  assert.equal(firstHole(picture), 1);
  const filled = withHistory(picture, [2, 3, 4, 5, 6, 7, 8].map((seq) => bid(seq, seq * 100)));
  assert.equal(firstHole(filled), null);
  assert.deepEqual(ladder(filled.events).map(({ seq }) => seq), [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
  assert.deepEqual(filled.lot, picture.lot);
});

test("history from the future of the picture is not taken", () => {
  const picture = withHistory(start(3), [bid(2, 200), bid(3, 300), bid(4, 400)]);
  assert.deepEqual(picture.events.map(({ seq }) => seq), [2, 3]);
});

test("a new snapshot keeps what is known and does not run ahead", () => {
  const picture = withEvents(start(), frame([bid(1, 100), bid(2, 200)]));
  const again = fromSnapshot({ seq: 9, lot: { ...picture.lot, bids: 9 } }, picture);
  assert.deepEqual(again.events.map(({ seq }) => seq), [1, 2]);
  assert.equal(firstHole(again), 2);
});

test("halts, resumption and the close are told with their reason", () => {
  let picture = withEvents(start(), frame([{ seq: 1, kind: "suspended", at: AT, remaining_ms: 5, reason: "案外人异议" }]));
  assert.deepEqual([picture.lot.status, picture.lot.ends_at, picture.reason], ["suspended", null, "案外人异议"]);
  picture = withEvents(picture, frame([{ seq: 2, kind: "resumed", at: AT, ends_at: "then" }]));
  assert.deepEqual([picture.lot.status, picture.lot.ends_at], ["open", "then"]);
  picture = withEvents(picture, frame([{ seq: 3, kind: "hidden" }, { seq: 4, kind: "closed", at: AT, status: "failed", code: null, price_fen: null }]));
  assert.deepEqual([picture.lot.status, picture.lot.outcome], ["closed", "failed"]);
  assert.deepEqual(chronicle(picture.events).map(({ kind }) => kind), ["closed", "resumed", "suspended"]);
});
