// One bid at a time on its way to the desk. The key is made and kept before anything is sent, so a stalled socket, a lost
// answer or a reload never leaves a bid in doubt: the server is asked by the key, and the same key is never decided twice.
// Only an answer of the server settles a bid; silence never counts as accepted, nor as refused.

const ANSWER_MS = 2_000;
const AGAIN_MS = 500;
const SEND_AGAIN_MS = 15_000;

/**
 * The doors are `send(message)` (true if the socket took it), `post(bid)` and `ask(key)`, which give
 * `{answer}`, `{waiting: true}`, `{unknown: true}` or `{offline: true}`; `store` has get, set and clear; `sleep(ms)` and
 * `now()` are the time. `changed(pending)` hears the bid's phase: `sending`, `asking`, `offline`, then null.
 */
export class Outbox {
  #doors;
  #changed;
  #hear = null;
  pending = null;

  constructor(doors, changed) {
    this.#doors = doors;
    this.#changed = changed;
  }

  /** Send a bid; resolves with the server's answer, or `{t: "lost"}` if it never reached the server and no longer will. */
  async place(bid) {
    if (this.pending) throw new Error("one bid at a time");
    const kept = { ...bid, sent_at: this.#doors.now() };
    this.#doors.store.set(kept);
    this.#phase(kept, "sending");
    const heard = new Promise((resolve) => { this.#hear = resolve; });
    const taken = this.#doors.send({ t: "bid", ...bid });
    const answer = (taken && (await Promise.race([heard, this.#doors.sleep(ANSWER_MS)]))) || null;
    return this.#settled(answer ?? (await this.#find(kept, heard, { sendFirst: !taken })));
  }

  /** Find out what became of a bid that was on its way when the page was left; null if there was none. */
  async recover() {
    const kept = this.#doors.store.get();
    if (!kept || this.pending) return null;
    this.#phase(kept, "asking");
    const heard = new Promise((resolve) => { this.#hear = resolve; });
    return this.#settled(await this.#find(kept, heard, { sendFirst: false, sendAgain: false }));
  }

  /** An answer that came over the socket. */
  hear(message) {
    if (message.key === this.pending?.key && message.code !== "busy") this.#hear?.(message);
  }

  async #find(kept, heard, { sendFirst, sendAgain = true }) {
    const { ask, post, now, sleep } = this.#doors;
    let unknown = sendFirst ? 1 : 0;
    for (;;) {
      const young = sendAgain && now() - kept.sent_at < SEND_AGAIN_MS;
      const found = await Promise.race([heard.then((answer) => ({ answer })), unknown && young ? post(kept) : ask(kept.key)]);
      if (found.answer && found.answer.code !== "busy") return found.answer;
      unknown = found.unknown ? unknown + 1 : 0;
      if (unknown > 1 && !young) return { t: "lost", key: kept.key, price_fen: kept.price_fen };
      this.#phase(kept, found.offline ? "offline" : "asking");
      if (!unknown || !young) await Promise.race([heard, sleep(AGAIN_MS)]);
    }
  }

  #phase(bid, phase) {
    this.pending = bid && { ...bid, phase };
    this.#changed(this.pending);
  }

  #settled(answer) {
    this.#doors.store.clear();
    this.#phase(null);
    this.#hear = null;
    return answer;
  }
}
