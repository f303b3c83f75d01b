// A refusal as one sentence with its rule, whether it came over the socket or as problem details.

/** What a person types into a form and a server may not be able to read, with words of its own. */
const UNREADABLE = { "$.id_number": "error.id-number", "$.username": "error.username", "$.password": "error.password", "$.real_name": "error.real-name" };

/** The sentence in the visitor's language; refusals that no server wrote have words of their own. */
export function sentence(refusal, language, t) {
  if (refusal.code === "unreachable") return t("error.unreachable");
  if (refusal.code === "malformed" && refusal.path in UNREADABLE) return t(UNREADABLE[refusal.path]);
  const said = language === "en" ? refusal.detail_en || refusal.detail : refusal.detail;
  return said || t("error.unknown");
}

/** `R-BID-08 · 法释〔2016〕18号 第二十条`, as far as there is a rule; null without one. */
export function source({ rule, law }) {
  return [rule, law].filter(Boolean).join(" · ") || null;
}

/** The lowest amount that would have been taken, where the refusal names it. */
export function minimum({ minimum_fen: fen }) {
  return Number.isSafeInteger(fen) ? fen : null;
}
