import assert from "node:assert/strict";
import test from "node:test";
import { checkChain, checkKept, csv } from "./checking.js";
import { linkOf } from "./evidence.js";

const GENESIS = "00".repeat(32);

async function record(n) {
  const events = [];
  let link = GENESIS;
  for (let seq = 1; seq <= n; seq += 1) {
    const bytes = `{"v":1,"lot":"x","event":{"seq":${seq},"kind":"bid","price_fen":${seq * 100}}}`;
    link = await linkOf(link, bytes);
    events.push({ bytes, link });
  }
  return { chain: { genesis: GENESIS, head: link, seq: n }, events };
}

/** A record as a kept bundle, checked against what the server tells. */
const checkFile = ({ chain, events }) => checkKept({ lot_id: "x", genesis: chain.genesis, events }, "x", chain);

test("a whole chain is whole, in whatever pages it comes", async () => {
  const { chain, events } = await record(7);
  const heard = [];
  const found = await checkChain(chain, async (after) => ({ events: events.slice(after, after + 3) }), (n) => heard.push(n));
  assert.deepEqual([found.whole, found.checked, found.broken], [true, 7, null]);
  assert.deepEqual(heard, [3, 6, 7]);
  assert.equal(found.events[6].price_fen, 700);
});

test("a changed price, a forged link, a missing or doubled event, another end: each shows", async () => {
  const changed = await record(5);
  changed.events[2].bytes = changed.events[2].bytes.replace("300", "301");
  assert.equal((await checkFile(changed)).broken, 3);
  const relinked = await record(5);
  relinked.events[2].bytes = relinked.events[2].bytes.replace("300", "301");
  relinked.events[2].link = await linkOf(relinked.events[1].link, relinked.events[2].bytes);
  assert.equal((await checkFile(relinked)).broken, 4, "the next one no longer follows");
  const short = await record(5);
  short.events.pop();
  assert.deepEqual([(await checkFile(short)).broken, (await checkFile(short)).checked], ["missing", 4]);
  const doubled = await record(5);
  doubled.events.splice(1, 0, doubled.events[0]);
  assert.equal((await checkFile(doubled)).broken, 2);
  const other = await record(5);
  other.chain.head = "11".repeat(32);
  assert.equal((await checkFile(other)).broken, "missing");
});

test("a bundle of another lot holds in itself and is not this record", async () => {
  const { chain, events } = await record(3);
  assert.equal((await checkKept({ lot_id: "y", genesis: GENESIS, events }, "x", chain)).broken, "other");
});

test("a table keeps commas and quotes, and no cell becomes a formula", () => {
  const table = csv([{ seq: 1, kind: "suspended", reason: '=1+1, "甲"' }, { seq: 2, kind: "bid", price_fen: -5, code: "A1" }]);
  assert.ok(table.startsWith("seq,kind,at,"));
  assert.ok(table.includes(`"'=1+1, ""甲"""`));
  assert.ok(table.includes("2,bid,,A1,,-5,"));
});
