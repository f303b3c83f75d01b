import assert from "node:assert/strict";
import test from "node:test";
import { Outbox } from "./outbox.js";

const BID = { key: "k1", price_fen: 100 };
const ACK = { t: "ack", key: "k1", seq: 7 };

/** A world in which sleeping takes no time but is counted, and the server answers by script. */
function world({ send = () => true, asks = [], posts = [], kept = null }) {
  const log = [];
  const phases = [];
  let time = 1_000_000;
  const doors = {
    send: (message) => { log.push(`send ${message.key}`); return send(message); },
    ask: async (key) => { log.push(`ask ${key}`); return asks.shift() ?? { offline: true }; },
    post: async ({ key }) => { log.push(`post ${key}`); return posts.shift() ?? { offline: true }; },
    store: { get: () => kept, set: (bid) => { log.push("keep"); kept = bid; }, clear: () => { kept = null; } },
    sleep: async (ms) => { await new Promise(setImmediate); time += ms; },
    now: () => time,
  };
  const outbox = new Outbox(doors, (pending) => phases.push(pending?.phase ?? null));
  return { outbox, log, phases, kept: () => kept };
}

test("the key is kept before the bid is sent, and forgotten with its answer", async () => {
  const { outbox, log, phases, kept } = world({ send: () => { queueMicrotask(() => outbox.hear(ACK)); return true; } });
  assert.equal(await outbox.place(BID), ACK);
  assert.deepEqual(log, ["keep", "send k1"]);
  assert.deepEqual(phases, ["sending", null]);
  assert.equal(kept(), null);
});

test("silence is asked about by the key, and sent again only if the server does not know it", async () => {
  const { outbox, log, phases } = world({ asks: [{ unknown: true }], posts: [{ answer: ACK }] });
  assert.equal(await outbox.place(BID), ACK);
  assert.deepEqual(log, ["keep", "send k1", "ask k1", "post k1"]);
  assert.deepEqual(phases, ["sending", "asking", null]);
});

test("a bid that still waits at the desk is not sent again", async () => {
  const { outbox, log } = world({ asks: [{ waiting: true }, { waiting: true }, { answer: ACK }] });
  assert.equal(await outbox.place(BID), ACK);
  assert.deepEqual(log, ["keep", "send k1", "ask k1", "ask k1", "ask k1"]);
});

test("without a socket it goes over HTTP at once", async () => {
  const { outbox, log } = world({ send: () => false, posts: [{ answer: ACK }] });
  assert.equal(await outbox.place(BID), ACK);
  assert.deepEqual(log, ["keep", "send k1", "post k1"]);
});

test("offline it is neither accepted nor refused until the server was asked", async () => {
  const offline = { offline: true };
  const { outbox, phases, log } = world({ send: () => false, posts: [offline, { answer: ACK }], asks: [offline, offline, { unknown: true }] });
  assert.equal(await outbox.place(BID), ACK);
  assert.deepEqual([phases[0], phases.includes("offline"), phases.at(-1)], ["sending", true, null]);
  assert.equal(log.filter((line) => line.startsWith("post")).length, 2);
});

test("what comes back too late is not bid any more, and said to be lost", async () => {
  const long = Array.from({ length: 60 }, () => ({ offline: true }));
  const { outbox, log } = world({ send: () => false, posts: [{ offline: true }], asks: [...long, { unknown: true }, { unknown: true }] });
  assert.deepEqual(await outbox.place(BID), { t: "lost", key: "k1", price_fen: 100 });
  assert.equal(log.filter((line) => line.startsWith("post")).length, 1);
});

test("busy leaves no record, so the same key is tried again", async () => {
  const { outbox, log } = world({ asks: [{ unknown: true }, { unknown: true }], posts: [{ answer: { t: "refused", code: "busy" } }, { answer: ACK }] });
  assert.equal(await outbox.place(BID), ACK);
  assert.deepEqual(log, ["keep", "send k1", "ask k1", "post k1", "ask k1", "post k1"]);
});

test("after a reload it is only asked about, never sent again", async () => {
  const kept = { ...BID, sent_at: 1_000_000 };
  const found = world({ kept, asks: [{ answer: ACK }] });
  assert.equal(await found.outbox.recover(), ACK);
  const gone = world({ kept, asks: [{ unknown: true }, { unknown: true }] });
  assert.equal((await gone.outbox.recover()).t, "lost");
  assert.deepEqual(gone.log, ["ask k1", "ask k1"]);
  assert.equal(gone.kept(), null);
  assert.equal(await world({}).outbox.recover(), null);
});

test("an answer to another bid settles nothing, and two bids at a time are not taken", async () => {
  const { outbox } = world({ asks: [{ answer: ACK }] });
  const placed = outbox.place(BID);
  outbox.hear({ t: "ack", key: "other", seq: 1 });
  await assert.rejects(outbox.place({ key: "k2", price_fen: 200 }), /one bid at a time/);
  assert.equal(await placed, ACK);
});
