// What the platform says about bids, checked by anybody with WebCrypto alone (docs/evidence.md). Pure functions: they ask
// no server. Hashes, keys and signatures are hex; the exact bytes of an event are the UTF-8 of a string.

const VERSION = 1;
const HASH = 32;
const SIGNATURE = 64;
const DIGITS = /^[0-9a-f]*$/;
const encoder = new TextEncoder();

/** Whether this browser can hash and verify Ed25519; `false` says that nothing here can be checked, not that it is wrong. */
export async function canVerify(subtle = globalThis.crypto?.subtle) {
  if (!subtle) return false; // pages without https have none
  try {
    await subtle.importKey("raw", new Uint8Array(HASH), "Ed25519", false, ["verify"]);
    return true;
  } catch {
    return false;
  }
}

// -- the chain of a lot

/** The link before a lot's first event: the hash of its published terms. */
export async function genesisOf(terms) {
  return hex(await sha256([VERSION], encoder.encode(terms)));
}

/** The link of an event after `previous`: SHA-256(version, previous link, SHA-256(bytes)). */
export async function linkOf(previous, bytes) {
  return hex(await sha256([VERSION], fromHex(previous), await sha256(encoder.encode(bytes))));
}

/** The first event that does not continue the chain from `genesis`, or null where all of them do; `seq` counts from 1. */
export async function brokenAt(genesis, events) {
  let link = genesis;
  for (const [index, event] of events.entries()) {
    link = await linkOf(link, event.bytes);
    if (link !== event.link || told(event.bytes)?.seq !== index + 1) return event;
  }
  return null;
}

// -- Merkle trees (RFC 9162)

/** The hash of a leaf; `data` are bytes. */
export async function leafHash(data) {
  return hex(await sha256([0], data));
}

async function nodeHash(left, right) {
  return hex(await sha256([1], fromHex(left), fromHex(right)));
}

/** The hashes of a path that is written as one hex string; what is left over is a hash too short, and none. */
export function split(path) {
  return path.match(/.{1,64}/gs) ?? [];
}

/** The root that `path`, a list of hashes, leads to from a leaf (2.1.3.2); null where it is no path of such a tree. */
export async function rootByPath(leaf, index, size, path) {
  if (!(Number.isSafeInteger(index) && Number.isSafeInteger(size) && index >= 0 && index < size)) return null;
  let [place, last, found] = [index, size - 1, leaf];
  for (const sibling of path) {
    if (last === 0) return null;
    if (place % 2 || place === last) {
      found = await nodeHash(sibling, found);
      while (place % 2 === 0 && place) [place, last] = [half(place), half(last)];
    } else {
      found = await nodeHash(found, sibling);
    }
    [place, last] = [half(place), half(last)];
  }
  return last === 0 ? found : null;
}

/** Whether the tree of `first` leaves is the beginning of that of `second` (2.1.4.2); each is `{ size, root }`. */
export async function isPrefix(first, second, path) {
  if (first.size === second.size) return path.length === 0 && first.root === second.root;
  if (!(first.size > 0 && first.size < second.size) || !path.length) return false;
  const powerOfTwo = Number.isInteger(Math.log2(first.size));
  const [start, ...rest] = powerOfTwo ? [first.root, ...path] : path;
  let [place, last] = [first.size - 1, second.size - 1];
  while (place % 2) [place, last] = [half(place), half(last)];
  let [before, after] = [start, start];
  for (const sibling of rest) {
    if (last === 0) return false;
    if (place % 2 || place === last) {
      before = await nodeHash(sibling, before);
      after = await nodeHash(sibling, after);
      while (place % 2 === 0 && place) [place, last] = [half(place), half(last)];
    } else {
      after = await nodeHash(after, sibling);
    }
    [place, last] = [half(place), half(last)];
  }
  return last === 0 && before === first.root && after === second.root;
}

// -- signatures

/** What is signed of a batch of the desk. */
export function batchText({ share, number, size, at, root }) {
  return `auction-batch/1\n${share}\n${number}\n${size}\n${at}\n${root}\n`;
}

/** What is signed of the log of all lots. */
export function headText({ size, at, root }) {
  return `auction-log/1\n${size}\n${at}\n${root}\n`;
}

/** Whether one of `keys` made `signature` over `text`; a key is the one it is named for, or it is none. */
export async function isSigned(text, { key_id: keyId, signature }, keys) {
  const key = keys.find((each) => each.key_id === keyId && each.algorithm === "Ed25519");
  return key !== undefined && holds(async () => {
    const raw = fromHex(key.public_key);
    if (hex(await sha256(raw)).slice(0, 16) !== keyId) return false;
    const { subtle } = globalThis.crypto;
    const imported = await subtle.importKey("raw", raw, "Ed25519", false, ["verify"]);
    return subtle.verify("Ed25519", imported, fromHex(signature, SIGNATURE), encoder.encode(text));
  });
}

// -- whole documents

/** The receipt in what a bidder has kept: an acknowledgement as it came, or the receipt alone. Throws for neither. */
export function receiptIn(document) {
  const receipt = document.receipt ?? document;
  if (typeof receipt.bytes !== "string" || typeof receipt.batch?.signature !== "string") throw new TypeError("no receipt");
  return receipt;
}

/**
 * What a receipt proves, as `{ contents, chain, inclusion, signature }`, each true or false: it says what the hashed bytes
 * say; the bytes and the link before give its link; the link is in the batch; the platform signed the batch.
 */
export async function checkReceipt(receipt, keys) {
  const { bytes, batch } = receipt;
  return {
    contents: told(bytes) !== null && same(told(bytes), receipt.event) && parsed(bytes).lot === receipt.lot_id,
    chain: await holds(async () => (await linkOf(receipt.previous, bytes)) === receipt.link),
    inclusion: await inBatch(receipt, batch),
    signature: await isSigned(batchText(batch), batch, keys),
  };
}

/**
 * What a bundle proves, as `{ genesis, chain, inclusion, signatures, result, refusals, log }`, each true or false. That the
 * rules were kept is checked by `auction verify --bundle`, which knows them. Nobody proves the title, nor that the sale was
 * not annulled afterwards.
 */
export async function checkBundle(bundle, keys = bundle.keys) {
  const batches = new Map(bundle.batches.map((batch) => [`${batch.share}/${batch.number}`, batch]));
  const inBatches = [];
  for (const event of bundle.events) {
    const batch = batches.get(`${event.share}/${event.number}`);
    inBatches.push(batch !== undefined && (await inBatch(event, batch)));
  }
  const signed = [];
  for (const batch of bundle.batches) signed.push(await isSigned(batchText(batch), batch, keys));
  return {
    genesis: parsed(bundle.terms)?.[0] === bundle.lot_id && (await genesisOf(bundle.terms)) === bundle.genesis,
    chain: await holds(() => chainHolds(bundle)),
    inclusion: inBatches.every(Boolean),
    signatures: signed.every(Boolean),
    result: resultHolds(bundle),
    refusals: await holds(() => blocksHold(bundle)),
    log: await holds(() => logHolds(bundle, keys)),
  };
}

function inBatch({ link, leaf, path }, { size, root }) {
  return holds(async () => (await rootByPath(await leafHash(fromHex(link)), leaf, size, split(path))) === root);
}

async function chainHolds({ lot_id: lotId, genesis, events }) {
  if (!events.length || events.some(({ bytes }) => parsed(bytes)?.lot !== lotId)) return false;
  return (await brokenAt(genesis, events)) === null;
}

/** The lot has ended, and the result is what its last event and its bids say. */
function resultHolds({ events, result }) {
  const all = events.map(({ bytes }) => told(bytes));
  const bids = all.filter((event) => event?.kind === "bid");
  const end = all.at(-1);
  const closed = end?.kind === "closed";
  if (!closed && end?.kind !== "withdrawn") return false;
  const leading = closed ? end : bids.at(-1);
  const wanted = {
    status: end.kind,
    outcome: closed ? end.status : null,
    ended_at: closed ? end.ends_at : null,
    code: leading?.code ?? null,
    price_fen: leading?.price_fen ?? null,
    bids: bids.length,
    extensions: bids.filter(({ extended }) => extended).length,
  };
  return Object.entries(wanted).every(([name, value]) => result[name] === value);
}

async function blocksHold({ genesis, refusals }) {
  let link = genesis;
  for (const block of refusals) {
    link = hex(await sha256([VERSION], fromHex(link), ...block.hashes.map((each) => fromHex(each))));
    if (link !== block.link) return false;
  }
  return true;
}

/**
 * Every head that the log tells of this lot is a link of its chain and of its refusals, one of them is the last of both, so
 * that nothing was cut off, and the head of the log is signed.
 */
async function logHolds({ lot_id: lotId, log, events, refusals, genesis }, keys) {
  if (log === null) return false;
  const links = [genesis, ...events.map(({ link }) => link)];
  const blocks = [genesis, ...refusals.map(({ link }) => link)];
  let whole = false;
  for (const { index, data, path } of log.entries) {
    const entry = parsed(data);
    const root = await rootByPath(await leafHash(encoder.encode(data)), index, log.head.size, split(path));
    if (root !== log.head.root || entry?.lot !== lotId) return false;
    if (!(entry.seq in links && entry.blocks in blocks)) return false;
    if (entry.link !== links[entry.seq] || entry.refusals !== blocks[entry.blocks]) return false;
    whole ||= entry.seq === events.length && entry.blocks === refusals.length;
  }
  return whole && isSigned(headText(log.head), log.head, keys);
}

function told(bytes) {
  return parsed(bytes)?.event ?? null;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function same(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}

async function sha256(...pieces) {
  const whole = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return new Uint8Array(await globalThis.crypto.subtle.digest("SHA-256", whole));
}

function half(number) {
  return Math.floor(number / 2);
}

function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Text that is no hex of the length it should have: nothing that is checked with it holds. */
class NoHex extends Error {}

/** Bytes from lower-case digits, so that one value has one spelling; throws NoHex for any other text. */
function fromHex(text, size = HASH) {
  if (typeof text !== "string" || text.length !== 2 * size || !DIGITS.test(text)) throw new NoHex();
  return Uint8Array.from({ length: size }, (_, at) => Number.parseInt(text.slice(2 * at, 2 * at + 2), 16));
}

/** What a check says, and false where it met text that is no hex. */
async function holds(check) {
  try {
    return await check();
  } catch (fault) {
    if (fault instanceof NoHex) return false;
    throw fault;
  }
}
