// Checks a lot's hash chain in this browser, page by page, by nothing but the bytes that everybody gets (lib/evidence.js).
import { linkOf } from "./evidence.js";

/**
 * Hash the chain again from `ends.genesis` to `ends.head`. `readPage(after)` gives the next `{ events: [{ bytes, link }] }`,
 * `onProgress(checked)` hears how far it is. Gives `{ whole, checked, broken, events }`: `broken` is the number of the
 * first event that does not follow, `missing` where events are lacking or the end is another one; `events` are those shown.
 */
export async function checkChain(ends, readPage, onProgress = () => {}) {
  const events = [];
  let link = ends.genesis;
  while (events.length < ends.seq) {
    const page = await readPage(events.length);
    if (!page.events.length) break;
    for (const { bytes, link: told } of page.events) {
      const seq = events.length + 1;
      link = await linkOf(link, bytes);
      const event = inner(bytes);
      if (link !== told || event?.seq !== seq) return { whole: false, checked: events.length, broken: seq, events };
      events.push(event);
    }
    onProgress(events.length);
  }
  const whole = events.length === ends.seq && link === ends.head;
  return { whole, checked: events.length, broken: whole ? null : "missing", events };
}

/** The chain in a bundle that was kept, which must be that of `lotId` and end like `chain`, the one told now. */
export async function checkKept(bundle, lotId, chain) {
  const ends = { genesis: bundle.genesis, head: bundle.events.at(-1)?.link ?? bundle.genesis, seq: bundle.events.length };
  const found = await checkChain(ends, async (after) => ({ events: bundle.events.slice(after) }));
  if (!found.whole) return found;
  if (bundle.lot_id !== lotId || ends.genesis !== chain.genesis) return { ...found, whole: false, broken: "other" };
  return ends.head === chain.head && ends.seq === chain.seq ? found : { ...found, whole: false, broken: "missing" };
}

function inner(bytes) {
  try {
    return JSON.parse(bytes).event ?? null;
  } catch {
    return null;
  }
}

const COLUMNS = ["seq", "kind", "at", "code", "rank", "price_fen", "ends_at", "extended", "remaining_ms", "status", "reason"];

/** Events as CSV (RFC 4180). A cell that a spreadsheet would run as a formula is quoted as text. */
export function csv(events) {
  const cell = (value) => {
    const text = value === undefined || value === null ? "" : String(value);
    const safe = /^[=+\-@\t\r]/.test(text) && typeof value === "string" ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return [COLUMNS, ...events.map((event) => COLUMNS.map((name) => event[name]))].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}
