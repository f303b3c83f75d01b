// What the platform says about bids, checked by anybody with WebCrypto alone (docs/evidence.md). Pure functions: they ask
// no server. Hashes, keys and signatures are hex; the exact bytes of an event are the UTF-8 of a string.

const VERSION = 1;
const HASH = 32;
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

/** The hashes of a path that is written as one hex string. */
export function split(path) {
  return path.match(/.{64}/g) ?? [];
}

/** The root that `path`, a list of hashes, leads to from a leaf (2.1.3.2); null where it is no path of such a tree. */
export async function rootByPath(leaf, index, size, path) {
  if (!(index >= 0 && index < size)) return null;
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
  const key = keys.find((each) => each.key_id === keyId);
  if (!key || hex(await sha256(fromHex(key.public_key))).slice(0, 16) !== keyId) return false;
  const subtle = globalThis.crypto.subtle;
  const imported = await subtle.importKey("raw", fromHex(key.public_key), "Ed25519", false, ["verify"]);
  return subtle.verify("Ed25519", imported, fromHex(signature), encoder.encode(text));
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
    contents: told(bytes) !== null && same(told(bytes), receipt.event) && JSON.parse(bytes).lot === receipt.lot_id,
    chain: (await linkOf(receipt.previous, bytes)) === receipt.link,
    inclusion: await inBatch(receipt, batch),
    signature: await isSigned(batchText(batch), batch, keys),
  };
}

/**
 * What a bundle proves, as `{ genesis, chain, inclusion, signatures, refusals, log }`, each true or false. That the rules
 * were kept is checked by `auction verify --bundle`, which knows them.
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
    genesis: (await genesisOf(bundle.terms)) === bundle.genesis,
    chain: (await brokenAt(bundle.genesis, bundle.events)) === null,
    inclusion: inBatches.every(Boolean),
    signatures: signed.every(Boolean),
    refusals: await blocksHold(bundle),
    log: await logHolds(bundle, keys),
  };
}

async function inBatch({ link, leaf, path }, { size, root }) {
  return (await rootByPath(await leafHash(fromHex(link)), leaf, size, split(path))) === root;
}

async function blocksHold({ genesis, refusals }) {
  let link = genesis;
  for (const block of refusals) {
    link = hex(await sha256([VERSION], fromHex(link), ...block.hashes.map(fromHex)));
    if (link !== block.link) return false;
  }
  return true;
}

/** Every head that the log holds for this lot is a link of its chain and of its refusals, and the head of the log is signed. */
async function logHolds({ log, events, refusals, genesis }, keys) {
  if (log === null) return false;
  for (const { index, data, path } of log.entries) {
    const entry = JSON.parse(data);
    const root = await rootByPath(await leafHash(encoder.encode(data)), index, log.head.size, split(path));
    const link = entry.seq ? events[entry.seq - 1]?.link : genesis;
    const block = entry.blocks ? refusals[entry.blocks - 1]?.link : genesis;
    if (root !== log.head.root || entry.link !== link || entry.refusals !== block) return false;
  }
  return isSigned(headText(log.head), log.head, keys);
}

function told(bytes) {
  try {
    return JSON.parse(bytes).event ?? null;
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

function fromHex(text) {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
