import assert from "node:assert/strict";
import test from "node:test";
import { steps } from "./curve.js";

const bid = (price) => ({ price_fen: price });

test("steps run in the order of the bids", () => {
  assert.deepEqual(steps([bid(300), bid(200), bid(100)]), [{ x: 0, price: 100 }, { x: 0.5, price: 200 }, { x: 1, price: 300 }]);
  assert.deepEqual(steps([bid(100)]), [{ x: 0, price: 100 }]);
});

test("many bids are thinned, the last price never", () => {
  const many = Array.from({ length: 1_000 }, (_, index) => bid(1_000 - index));
  const points = steps(many, 100);
  assert.ok(points.length <= 101);
  assert.equal(points.at(-1).price, 1_000);
});
