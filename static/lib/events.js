// A lot's picture from the messages of the live feed (docs/live.md). Pure: the same messages give the same picture, in
// whatever frames they came, and a picture never skips an event: what cannot follow on is refused as a gap.

const KEPT = 5_000;
const HALTS = { suspended: "suspended", deferred: "suspended", frozen: "frozen" };

/** The picture of a snapshot; events that are known already and belong to it are kept. */
export function fromSnapshot(message, earlier = null) {
  const events = earlier ? earlier.events.filter(({ seq }) => seq <= message.seq) : [];
  return { seq: message.seq, lot: message.lot, events, reason: earlier?.reason ?? null, watchers: earlier?.watchers ?? 0 };
}

/**
 * The picture after a message of kind `events`, or null for a gap: something before it is missing. What was seen before
 * is passed over. Of a frame with more events than it carries, the rest counts as bids, for that is what comes so fast.
 */
export function withEvents(picture, { from, to, events }) {
  if (from > picture.seq + 1) return null;
  if (to <= picture.seq) return picture;
  const unseen = events.filter(({ seq }) => seq > picture.seq);
  const untold = to - picture.seq - unseen.length;
  const start = { ...picture.lot, bids: picture.lot.bids + untold };
  const lot = unseen.reduce(evolve, start);
  const reason = unseen.reduce((known, event) => event.reason ?? known, picture.reason);
  return { ...picture, seq: to, lot, reason, events: kept(picture.events, unseen) };
}

/** The picture with events that were read over HTTP: they fill the ladder and change nothing else. */
export function withHistory(picture, events) {
  return { ...picture, events: kept(picture.events, events.filter(({ seq }) => seq <= picture.seq)) };
}

/** The picture with the coarse numbers of a tick; the same picture if they are what it says already. */
export function withCrowd(picture, { watchers, bidders }) {
  if (picture.watchers === watchers && picture.lot.bidders === bidders) return picture;
  return { ...picture, watchers, lot: { ...picture.lot, bidders } };
}

/** Whether something lies between the earliest known event and the picture that is not known, and where it begins. */
export function firstHole(picture) {
  const { events } = picture;
  for (let index = events.length - 1; index > 0; index -= 1) {
    if (events[index].seq !== events[index - 1].seq + 1) return events[index - 1].seq;
  }
  const last = events.at(-1);
  return last && last.seq < picture.seq ? last.seq : null;
}

/** Accepted bids among the known events, the latest first. */
export function ladder(events) {
  return events.filter(({ kind }) => kind === "bid").reverse();
}

/** Everything but bids, the latest first: opened, suspended with its reason, closed, and bids that moved the end. */
export function chronicle(events) {
  return events.filter(({ kind, extended }) => extended || (kind !== "bid" && kind !== "hidden")).reverse();
}

function kept(known, added) {
  if (!added.length) return known;
  const bySeq = new Map(known.map((event) => [event.seq, event]));
  for (const event of added) bySeq.set(event.seq, event);
  return [...bySeq.values()].sort((one, other) => one.seq - other.seq).slice(-KEPT);
}

function evolve(lot, event) {
  switch (event.kind) {
    case "bid":
      return {
        ...lot,
        bids: lot.bids + 1,
        price_fen: event.price_fen,
        leader: event.code,
        leader_rank: event.rank ?? null,
        ends_at: event.ends_at,
        extensions: lot.extensions + (event.extended ? 1 : 0),
      };
    case "opened":
      return { ...lot, status: "open", ends_at: event.ends_at ?? lot.ends_at };
    case "resumed":
      return { ...lot, status: Date.parse(event.at) < Date.parse(lot.opens_at) ? "upcoming" : "open", ends_at: event.ends_at };
    case "closed":
      return { ...lot, status: "closed", outcome: event.status, ends_at: event.ends_at ?? lot.ends_at };
    case "withdrawn":
    case "annulled":
      return { ...lot, status: event.kind };
    default:
      return event.kind in HALTS ? { ...lot, status: HALTS[event.kind], ends_at: null } : lot;
  }
}
