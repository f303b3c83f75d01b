// The HTTP doors. A refusal of the server is thrown as a `Problem` with its sentence and rule; so is an unreachable server,
// with the code `unreachable`.

const WITHIN_MS = 10_000;

export class Problem extends Error {
  constructor(status, body) {
    super(body.detail);
    Object.assign(this, body, { status });
  }
}

/** Read. */
export async function read(path) {
  return (await exchange(path, { headers: { accept: "application/json" } })).body;
}

/** Command under a key of its own: sent again with the same key it is done once. */
export async function command(path, body, key = crypto.randomUUID()) {
  const headers = { "content-type": "application/json", "idempotency-key": key };
  return (await exchange(path, { method: "POST", headers, body: body === undefined ? "" : JSON.stringify(body) })).body;
}

/** Status and body, whatever they are; throws `Problem` only when no answer came. */
export async function exchange(path, options, { refusals = true } = {}) {
  let response;
  let body;
  try {
    response = await fetch(path, { ...options, cache: "no-store", signal: AbortSignal.timeout(WITHIN_MS) });
    const text = await response.text();
    body = text ? JSON.parse(text) : null;
  } catch {
    throw new Problem(0, { code: "unreachable", rule: null, law: null, detail: "", detail_en: "" });
  }
  if (refusals && !response.ok) throw new Problem(response.status, body ?? { code: "refused" });
  return { status: response.status, body };
}
