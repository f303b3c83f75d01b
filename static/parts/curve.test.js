import assert from "node:assert/strict";
import test from "node:test";
import { steps } from "./curve.js";

const bid = (second, price) => ({ at: new Date(second * 1000).toISOString(), price_fen: price });

test("steps run in time from the first bid to the last", () => {
  assert.deepEqual(steps([bid(30, 300), bid(10, 200), bid(0, 100)]), [{ x: 0, price: 100 }, { x: 1 / 3, price: 200 }, { x: 1, price: 300 }]);
  assert.deepEqual(steps([bid(5, 100)]), [{ x: 0, price: 100 }]);
});

test("many bids are thinned, the last price never", () => {
  const many = Array.from({ length: 1_000 }, (_, index) => bid(1_000 - index, 1_000 - index));
  const points = steps(many, 100);
  assert.ok(points.length <= 101);
  assert.equal(points.at(-1).price, 1_000);
});
