import assert from "node:assert/strict";
import test from "node:test";
import { startOf, stateOfCard, stateOfLot } from "./badges.js";

test("a sell-off is called one while it runs, by card and room alike, and starts from its own price", () => {
  const running = { status: "open", method: "sell_off", extensions: 0 };
  assert.equal(stateOfLot(running), "selling");
  assert.equal(stateOfCard({ status: "live", method: "sell_off" }), "selling");
  assert.equal(startOf(running), "price.sell-off");
  assert.equal(stateOfLot({ ...running, extensions: 2 }), "extended");
  assert.equal(stateOfLot({ ...running, status: "suspended" }), "suspended");
  assert.equal(stateOfLot({ ...running, status: "closed", outcome: "sold" }), "sold");
});

test("an auction is live, and starts from the start price", () => {
  const running = { status: "open", method: "auction", extensions: 0 };
  assert.equal(stateOfLot(running), "live");
  assert.equal(stateOfCard({ status: "live", method: "auction" }), "live");
  assert.equal(stateOfCard({ status: "live" }), "live", "a facet knows no method");
  assert.equal(startOf(running), "price.start");
});
