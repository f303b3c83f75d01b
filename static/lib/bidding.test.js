import assert from "node:assert/strict";
import test from "node:test";
import { increments, lowest, mayMatch, mustConfirm, neighbours, stance } from "./bidding.js";

const lot = (more = {}) => ({ start_price_fen: 1_000, increment_fen: 100, price_fen: null, leader: null, leader_rank: null, ...more });
const led = lot({ price_fen: 2_000, leader: "A1" });

test("the first bid may equal the start price, later ones rise by an increment", () => {
  assert.equal(lowest(lot(), null), 1_000);
  assert.equal(lowest(led, { code: "B2", priority_rank: null }), 2_100);
});

test("a priority purchaser matches whom he outranks, and never himself", () => {
  assert.equal(lowest(led, { code: "P1", priority_rank: 2 }), 2_000);
  assert.equal(mayMatch({ ...led, leader_rank: 2 }, { code: "P1", priority_rank: 2 }), false);
  assert.equal(mayMatch({ ...led, leader_rank: 2 }, { code: "P1", priority_rank: 1 }), true);
  assert.equal(mayMatch({ ...led, leader: "P1" }, { code: "P1", priority_rank: 1 }), false);
});

test("increments are counted from the price, and the grid from the start price", () => {
  assert.equal(increments(led, 2_300), 3);
  assert.equal(increments(lot(), 1_000), 0);
  assert.equal(increments(led, 2_350), null);
  assert.deepEqual(neighbours(led, null, 2_350), [2_300, 2_400]);
  assert.deepEqual(neighbours(led, null, 2_050), [2_100]);
});

test("a jump or a raise of one's own lead is confirmed", () => {
  assert.equal(mustConfirm(led, { code: "A1" }, 2_100), "own-lead");
  assert.equal(mustConfirm(led, { code: "B2" }, 3_000), null, "exactly one and a half times");
  assert.equal(mustConfirm(led, { code: "B2" }, 3_100), "jump");
  const fine = lot({ price_fen: 1_000_000, leader: "A1" });
  assert.equal(mustConfirm(fine, { code: "B2" }, 1_005_000), null, "exactly fifty increments");
  assert.equal(mustConfirm(fine, { code: "B2" }, 1_005_100), "jump");
});

test("own standing", () => {
  assert.equal(stance(led, { code: "A1" }, []), "leading");
  assert.equal(stance(led, { code: "B2" }, [{ kind: "bid", code: "B2" }]), "outbid");
  assert.equal(stance(led, { code: "C3" }, []), "none");
  assert.equal(stance({ ...led, leader: null }, null, []), "none");
});
