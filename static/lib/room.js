// One lot's room: the socket, the picture it gives, the time left, the bidder's own bid. Signals for the page to read.
import { batch, signal } from "../vendor/signals.mjs";
import { exchange, Problem, read } from "./api.js";
import { firstHole, fromSnapshot, withCrowd, withEvents, withHistory } from "./events.js";
import { kept } from "./kept.js";
import { Live } from "./live.js";
import { Outbox } from "./outbox.js";
import { afterEvents, follow } from "./time.js";

const HISTORY = 200;
const MOST_AT_ONCE = 1_000;
const CALM_MS = 1_000;
const UNDECIDED = 202;
const UNKNOWN = 404;

/** Opens the room of a lot. `onEvents(events, picture)` hears what is new, `onSessionEnd` that the login has ended. */
export function openRoom(lotId, { onEvents, onSessionEnd }) {
  const room = {
    picture: signal(null),
    time: signal(null),
    connection: signal("connecting"),
    pending: signal(null),
    outcome: signal(null),
    receipt: signal(kept(`receipt:${lotId}`).get()),
  };
  let framedAt = 0;
  let filling = false;

  const live = new Live({
    lotId,
    after: () => room.picture.peek()?.seq ?? null,
    onMessage: (message) => batch(() => take(message)),
    onState: (state) => { room.connection.value = navigator.onLine || state === "live" ? state : "offline"; },
    onSessionEnd,
  });
  const outbox = new Outbox(doors(lotId, live), (pending) => { room.pending.value = pending; });

  function take(message) {
    const at = performance.now();
    if (message.t === "snapshot") {
      room.picture.value = fromSnapshot(message, room.picture.peek());
      room.time.value = follow(null, message, at);
      fill();
    } else if (message.t === "events") takeEvents(message, at);
    else if (message.t === "tick") takeTick(message, at);
    else if (message.t === "resync") live.resync();
    else outbox.hear(message);
  }

  function takeEvents(message, at) {
    const before = room.picture.peek();
    if (!before) return;
    const picture = withEvents(before, message);
    if (!picture) {
      live.resync();
      return;
    }
    const unseen = message.events.filter(({ seq }) => seq > before.seq);
    framedAt = at;
    room.picture.value = picture;
    if (room.time.peek()) room.time.value = afterEvents(room.time.peek(), before.lot.ends_at, unseen, at);
    onEvents(unseen, picture);
  }

  function takeTick(message, at) {
    const picture = room.picture.peek();
    if (!picture || message.seq > picture.seq) {
      live.resync();
      return;
    }
    room.time.value = follow(room.time.peek(), message, at);
    room.picture.value = withCrowd(picture, message);
    fill();
  }

  /** Read what the ladder lacks, when the lot is calm: its end first, then what frames left out. */
  async function fill() {
    const picture = room.picture.peek();
    const hole = picture.events.length ? firstHole(picture) : Math.max(0, picture.seq - HISTORY);
    if (filling || hole === null || hole >= picture.seq || performance.now() - framedAt < CALM_MS) return;
    await loadAfter(hole, MOST_AT_ONCE);
  }

  async function loadAfter(after, limit) {
    filling = true;
    try {
      const page = await read(`/api/lots/${lotId}/events?after=${after}&limit=${limit}`);
      room.picture.value = withHistory(room.picture.peek(), page.events);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
    } finally {
      filling = false;
    }
  }

  /** Bids from before the earliest known one. */
  room.loadEarlier = () => {
    const first = room.picture.peek().events[0]?.seq ?? 1;
    const after = Math.max(0, first - 1 - MOST_AT_ONCE);
    return loadAfter(after, first - 1 - after);
  };

  /** Place a bid; its outcome appears once the server has answered. */
  room.bid = async (price_fen, confirm) => {
    room.outcome.value = null;
    const bid = { key: crypto.randomUUID(), price_fen, ...(confirm ? { confirm: price_fen } : {}) };
    conclude(await outbox.place(bid), price_fen);
  };

  function conclude(answer, price_fen) {
    if (!answer) return;
    if (answer.t === "ack") {
      room.receipt.value = { seq: answer.seq, ...answer.receipt };
      kept(`receipt:${lotId}`).set(room.receipt.value);
    }
    room.outcome.value = { ...answer, price_fen };
  }

  const left = kept(`bid:${lotId}`).get();
  if (left) outbox.recover().then((answer) => conclude(answer, left.price_fen));
  return room;
}

function doors(lotId, live) {
  const path = `/api/lots/${lotId}/bids`;
  return {
    send: (message) => live.send(message),
    store: kept(`bid:${lotId}`),
    now: () => Date.now(),
    sleep: (ms) => new Promise((resolve) => { setTimeout(resolve, ms); }),
    ask: (key) => answered(`${path}/${key}`, {}, key),
    post: ({ key, price_fen, confirm }) => {
      const body = JSON.stringify({ key, price_fen, ...(confirm ? { confirm } : {}) });
      return answered(path, { method: "POST", headers: { "content-type": "application/json" }, body }, key);
    },
  };
}

async function answered(path, options, key) {
  try {
    const { status, body } = await exchange(path, options, { refusals: false });
    if (status === UNDECIDED) return { waiting: true };
    if (status === UNKNOWN) return { unknown: true };
    return { answer: body.t ? body : { ...body, t: "refused", key } };
  } catch (problem) {
    if (problem instanceof Problem) return { offline: true };
    throw problem;
  }
}
