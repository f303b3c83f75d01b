import assert from "node:assert/strict";
import test from "node:test";
import { addressOf, changed, narrowing, questionOf, without } from "./question.js";

test("an address and its question are one, and what nobody may ask is left out", () => {
  const asked = questionOf("?q=%E6%88%BF&kind=movable&price_min=100&ends=2026-11-29T10:00:00.000%2B08:00&evil=1&status=");
  assert.deepEqual(asked, { q: "房", kind: "movable", price_min: "100", ends: "2026-11-29T10:00:00.000+08:00" });
  assert.deepEqual(questionOf(addressOf(asked).slice(1)), asked);
  assert.equal(addressOf({}), "/");
});

test("a choice is made, changed and taken back", () => {
  const asked = changed({ q: "房" }, { loan: "yes", sort: "" });
  assert.deepEqual(asked, { q: "房", loan: "yes" });
  assert.deepEqual(changed(asked, { loan: "" }), { q: "房" });
});

test("each thing that narrows is known, so that it can be let go", () => {
  const asked = { q: "房", price_max: "500", discount_min: "2000", sort: "price" };
  assert.deepEqual(narrowing(asked), ["q", "price", "discount"]);
  assert.deepEqual(without(asked, "price"), { q: "房", discount_min: "2000", sort: "price" });
  assert.deepEqual(narrowing({ sort: "price" }), []);
});
