// The socket of one lot. It only brings messages; when it is silent, closed or lost, it is opened again with what was
// seen last, after a wait that differs from page to page so that ten thousand do not come back at once.

const SILENCE_MS = 3_000;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 15_000;
const SESSION_ENDED = 4401;

/** The wait before the `failures`-th new attempt: at random, longer each time. */
export function waitBefore(failures, random) {
  return Math.round(Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** failures) * (0.3 + 0.7 * random));
}

/** `after()` is the last event seen, or null for a snapshot; `state` hears `connecting`, `live`, `lost`. */
export class Live {
  #socket = null;
  #failures = 0;
  #timer = null;
  #heardAt = 0;
  #closed = false;

  constructor({ lotId, after, onMessage, onState, onSessionEnd }) {
    Object.assign(this, { lotId, after, onMessage, onState, onSessionEnd });
    setInterval(() => this.#watch(), 500);
    addEventListener("online", () => this.#reopen(0));
    addEventListener("offline", () => this.#lose());
    addEventListener("pagehide", () => { this.#closed = true; this.#drop(); });
    addEventListener("pageshow", (event) => { if (event.persisted) { this.#closed = false; this.#open(); } });
    this.#open();
  }

  /** Send if the socket stands; true if it took the message, which says nothing about the server. */
  send(message) {
    if (this.#socket?.readyState !== WebSocket.OPEN || performance.now() - this.#heardAt > SILENCE_MS) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** Come back at once, telling what was seen: something is missing. */
  resync() {
    this.#reopen(0);
  }

  #open() {
    this.#drop();
    this.onState("connecting");
    const after = this.after();
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}/live/lots/${this.lotId}${after === null ? "" : `?after=${after}`}`);
    this.#socket = socket;
    this.#heardAt = performance.now();
    socket.onmessage = ({ data }) => {
      if (socket !== this.#socket) return;
      this.#heardAt = performance.now();
      this.#failures = 0;
      this.onState("live");
      this.onMessage(JSON.parse(data));
    };
    socket.onclose = ({ code }) => {
      if (socket !== this.#socket) return;
      if (code === SESSION_ENDED) this.onSessionEnd();
      this.#lose();
    };
  }

  #watch() {
    if (this.#socket && performance.now() - this.#heardAt > SILENCE_MS) this.#lose();
  }

  #lose() {
    if (this.#closed) return;
    this.#drop();
    this.onState("lost");
    if (navigator.onLine) this.#reopen(waitBefore(this.#failures++, Math.random()));
  }

  #reopen(wait) {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#open(), wait);
  }

  #drop() {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }
}
