import assert from "node:assert/strict";
import test from "node:test";
import { afterEvents, clock, dated, digits, follow, left, moment, short, split, until } from "./time.js";

test("moments are shown as Beijing time, wherever the visitor is", () => {
  const text = "2025-06-03T10:00:07.042+08:00";
  assert.equal(moment(text, "zh"), "2025年6月3日 10:00:07");
  assert.equal(moment(text, "en"), "3 Jun 2025, 10:00:07");
  assert.equal(short(text, "zh"), "6月3日 10:00");
  assert.equal(clock(text, true), "10:00:07.042");
  assert.equal(dated(text, "zh", false), "6月3日 10:00:07");
  assert.equal(dated(text, "en", true), "3 Jun, 10:00:07.042");
  assert.throws(() => moment("2025-06-03T02:00:00Z", "zh"), TypeError);
});

test("a span is over only when nothing is left of it", () => {
  assert.deepEqual(split(90_061_001), { days: 1, hours: 1, minutes: 1, seconds: 2 });
  assert.equal(digits(1), "00:01");
  assert.equal(digits(0), "00:00");
  assert.equal(digits(-5), "00:00");
  assert.equal(digits(3_600_000), "01:00:00");
  assert.equal(digits(86_400_000), "00:00:00");
});

const told = (remaining, rate = 1) => ({ remaining_ms: remaining, opens_in_ms: 0, rate });

test("time is carried on from what the server told, at its rate", () => {
  const known = follow(null, told(60_000, 60), 1_000);
  assert.equal(left(known, 1_500, true).remaining, 30_000);
  assert.equal(left(known, 9_000, true).remaining, 0);
  assert.equal(left(known, 9_000, false).remaining, 60_000, "a halted lot keeps its time");
});

test("a delayed tick does not give time back, an earlier end and a real change are taken", () => {
  const known = follow(null, told(60_000), 0);
  assert.equal(follow(known, told(59_000), 1_400), known, "held up by 400 ms");
  assert.equal(left(follow(known, told(58_500), 1_000), 1_000, true).remaining, 58_500);
  assert.equal(left(follow(known, told(300_000), 1_000), 1_000, true).remaining, 300_000, "extended");
  assert.equal(follow(known, told(60_000, 60), 1_000).rate, 60);
});

const END = "2025-06-03T10:00:00.000+08:00";

test("an extension moves the end without a new tick", () => {
  const known = follow(null, told(60_000), 0);
  const bids = [
    { kind: "bid", ends_at: "2025-06-03T10:04:00.000+08:00" },
    { kind: "bid", ends_at: "2025-06-03T10:04:30.500+08:00" },
  ];
  assert.equal(left(afterEvents(known, END, bids, 1_000), 1_000, true).remaining, 59_000 + 270_500);
  assert.equal(afterEvents(known, END, [{ kind: "bid", ends_at: END }], 1_000).remaining, 60_000);
});

test("a halt keeps the time it names, and a resumed lot goes on from it", () => {
  const halted = afterEvents(follow(null, told(60_000), 0), END, [{ kind: "suspended", remaining_ms: 42_000 }], 5_000);
  assert.equal(left(halted, 99_000, false).remaining, 42_000);
  const resumed = afterEvents(halted, null, [{ kind: "resumed", ends_at: END }], 100_000);
  assert.equal(left(resumed, 101_000, true).remaining, 41_000);
});

test("a deadline at midnight is the end of the day before", () => {
  assert.equal(until("2025-12-03T00:00:00.000+08:00", "zh"), "12月2日 24:00");
  assert.equal(until("2026-01-01T00:00:00.000+08:00", "en"), "31 Dec, 24:00");
  assert.equal(until("2025-12-03T10:00:00.000+08:00", "zh"), "12月3日 10:00");
});
