import assert from "node:assert/strict";
import test from "node:test";
import { waitBefore } from "./live.js";

test("the wait grows, is spread by chance and has an end", () => {
  assert.deepEqual([0, 1, 2, 3, 4, 50].map((failures) => waitBefore(failures, 1)), [1000, 2000, 4000, 8000, 15000, 15000]);
  assert.equal(waitBefore(0, 0), 300);
  assert.equal(waitBefore(50, 0), 4500);
});
