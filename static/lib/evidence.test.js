import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { brokenAt, canVerify, checkBundle, checkReceipt, genesisOf, isPrefix, leafHash, receiptIn, rootByPath, split } from "./evidence.js";

const GOLDEN = join(import.meta.dirname, "../../tests/bidding/evidence/golden");
const golden = (name) => JSON.parse(readFileSync(join(GOLDEN, name), "utf8"));
const KEYS = golden("bundle.json").keys;
const RECEIPT = receiptIn(golden("ack.json"));

const all = (checks) => Object.values(checks).every(Boolean);
const failing = (checks) => Object.keys(checks).filter((name) => !checks[name]);

/** A copy with one value changed; `path` is like `batch.root`. */
function changed(document, path, value) {
  const copy = structuredClone(document);
  const names = path.split(".");
  const last = names.pop();
  names.reduce((at, name) => at[name], copy)[last] = value;
  return copy;
}

test("a receipt that the platform made holds", async () => {
  assert.ok(await canVerify());
  assert.ok(all(await checkReceipt(RECEIPT, KEYS)));
});

test("each change to a receipt shows where it was made", async () => {
  const zero = "00".repeat(32);
  const changes = [
    ["event.price_fen", 1, ["contents"]],
    ["lot_id", "00000000-0000-7000-8000-000000000001", ["contents"]],
    ["bytes", RECEIPT.bytes.replace('"seq":', '"seq": '), ["chain"]],
    ["bytes", "{", ["contents", "chain"]],
    ["previous", zero, ["chain"]],
    ["link", zero, ["chain", "inclusion"]],
    ["leaf", RECEIPT.leaf + 1, ["inclusion"]],
    ["path", zero, ["inclusion"]],
    ["batch.root", zero, ["inclusion", "signature"]],
    ["batch.number", 99, ["signature"]],
    ["batch.at", "2025-04-10T10:00:00.001+08:00", ["signature"]],
    ["batch.signature", "00".repeat(64), ["signature"]],
    ["batch.key_id", "0".repeat(16), ["signature"]],
  ];
  for (const [path, value, wanted] of changes) {
    assert.deepEqual(failing(await checkReceipt(changed(RECEIPT, path, value), KEYS)), wanted, path);
  }
});

test("a key under another's name is no key, and no key signs nothing", async () => {
  const { publicKey } = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
  const raw = Buffer.from(await crypto.subtle.exportKey("raw", publicKey)).toString("hex");
  assert.deepEqual(failing(await checkReceipt(RECEIPT, [{ ...KEYS[0], public_key: raw }])), ["signature"]);
  assert.deepEqual(failing(await checkReceipt(RECEIPT, [{ ...KEYS[0], algorithm: "none" }])), ["signature"]);
  assert.deepEqual(failing(await checkReceipt(RECEIPT, [{ ...KEYS[0], public_key: KEYS[0].public_key.toUpperCase() }])), ["signature"]);
  assert.deepEqual(failing(await checkReceipt(RECEIPT, [])), ["signature"]);
});

test("what holds no receipt is refused", () => {
  for (const document of [{}, { t: "refused" }, { receipt: { event: {}, link: "00" } }]) assert.throws(() => receiptIn(document), TypeError);
  assert.equal(receiptIn(RECEIPT), RECEIPT);
});

test("a bundle holds, and each change to it shows", async () => {
  const bundle = golden("bundle.json");
  assert.ok(all(await checkBundle(bundle)));
  assert.deepEqual(failing(await checkBundle(bundle, [])), ["signatures", "log"]);
  const shorter = { ...bundle, events: bundle.events.slice(0, -1) };
  const changes = [
    [changed(bundle, "terms", bundle.terms.replace("100000", "90000")), ["genesis"]],
    [changed(bundle, "events.1.bytes", bundle.events[1].bytes.replace("B1", "B2")), ["chain"]],
    [changed(bundle, "events.1.number", 99), ["inclusion"]],
    [changed(bundle, "batches.0.signature", "00".repeat(64)), ["signatures"]],
    [changed(bundle, "refusals.0.hashes.0", "00".repeat(32)), ["refusals"]],
    [changed(bundle, "log.head.signature", "00".repeat(64)), ["log"]],
    [changed(bundle, "log", null), ["log"]],
    [shorter, ["result", "log"]],
  ];
  for (const [copy, wanted] of changes) assert.deepEqual(failing(await checkBundle(copy)), wanted);
});

test("a bundle of which something was cut off or written in does not hold", async () => {
  const bundle = golden("bundle.json");
  const noEntries = { ...bundle.log, entries: [] };
  const shorter = { ...bundle, events: bundle.events.slice(0, -1) };
  const other = "00000000-0000-7000-8000-000000000001";
  const zero = "00".repeat(32);
  const { link, hashes } = bundle.refusals[0];
  const next = { hashes: [zero], link: await blockAfter(link, zero) };
  const changes = [
    [{ ...shorter, log: noEntries }, ["result", "log"]],
    [{ ...bundle, events: [], batches: [], refusals: [], log: noEntries }, ["chain", "result", "log"]],
    [{ ...bundle, refusals: [] }, ["log"]],
    [{ ...bundle, refusals: [], log: noEntries }, ["log"]],
    [{ ...bundle, refusals: [...bundle.refusals, next] }, ["log"]],
    [changed(bundle, "refusals.0.hashes", [hashes.join("")]), ["refusals"]],
    [changed(bundle, "refusals.0.hashes", [...hashes, ""]), ["refusals"]],
    [changed(bundle, "lot_id", other), ["genesis", "chain", "log"]],
    ...["status", "outcome", "ended_at", "code", "price_fen", "bids", "extensions"].map((name) => [changed(bundle, `result.${name}`, 7), ["result"]]),
    [changed(bundle, "result.status", "annulled"), ["result"]],
    [changed(bundle, "log.entries.0.data", "{"), ["log"]],
    [changed(bundle, "log.entries.0.data", bundle.log.entries[0].data.replace(bundle.lot_id, other)), ["log"]],
    [changed(bundle, "genesis", bundle.genesis.toUpperCase()), ["genesis", "chain", "refusals"]],
  ];
  for (const [copy, wanted] of changes) assert.deepEqual(failing(await checkBundle(copy)), wanted);
});

/** The link of a block of one refusal behind another, as the platform makes it. */
async function blockAfter(previous, hash) {
  const bytes = Buffer.concat([Buffer.from([1]), Buffer.from(previous, "hex"), Buffer.from(hash, "hex")]);
  return Buffer.from(await crypto.subtle.digest("SHA-256", bytes)).toString("hex");
}

test("no character of a receipt can be another one", async () => {
  const raw = JSON.stringify(RECEIPT);
  const held = [];
  for (let at = 0; at < raw.length; at += 1) {
    for (const character of [" ", raw[at].toUpperCase()]) {
      if (character === raw[at]) continue;
      const altered = raw.slice(0, at) + character + raw.slice(at + 1);
      if (await stillHolds(altered)) held.push(`${raw.slice(at - 25, at)}[${raw[at]}→${character}]`);
    }
  }
  assert.deepEqual(held, []);
});

async function stillHolds(text) {
  try {
    return all(await checkReceipt(JSON.parse(text), KEYS));
  } catch {
    return false;
  }
}

test("the first event that breaks the chain is found", async () => {
  const { terms, genesis, events } = golden("bundle.json");
  assert.equal(await genesisOf(terms), genesis);
  assert.equal(await brokenAt(genesis, events), null);
  assert.equal(await brokenAt(genesis, [events[1]]), events[1]);
  const swapped = [events[0], events[2], events[1], ...events.slice(3)];
  assert.equal(await brokenAt(genesis, swapped), events[2]);
});

test("Merkle proofs: the tree that certificate transparency logs are tested with", async () => {
  const root = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328";
  const leaf = await leafHash(Buffer.from("10", "hex"));
  const path = [
    "07506a85fd9dd2f120eb694f86011e5bb4662e5c415a62917033d4a9624487e7",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
  ];
  assert.equal(leaf, "0298d122906dcfc10892cb53a73992fc5b9f493ea4c9badb27b791b4127a7fe7");
  assert.deepEqual(split(path.join("")), path);
  assert.equal(await rootByPath(leaf, 2, 8, path), root);
  for (const [index, size, other] of [[3, 8, path], [2, 8, path.slice(1)], [2, 4, path], [8, 8, path], [-1, 8, path]]) {
    assert.notEqual(await rootByPath(leaf, index, size, other), root);
  }
});

test("a log is the beginning of a longer one", async () => {
  const [one, two] = [await leafHash(Buffer.from("1")), await leafHash(Buffer.from("2"))];
  const both = await rootByPath(one, 0, 2, [two]);
  assert.ok(await isPrefix({ size: 1, root: one }, { size: 2, root: both }, [two]));
  assert.ok(await isPrefix({ size: 2, root: both }, { size: 2, root: both }, []));
  assert.ok(!(await isPrefix({ size: 1, root: two }, { size: 2, root: both }, [two])));
  assert.ok(!(await isPrefix({ size: 2, root: both }, { size: 1, root: one }, [])));
  assert.ok(!(await isPrefix({ size: 1, root: one }, { size: 2, root: both }, [])));
});
