// Refusals, faults and the polite voice.
import { html } from "../lib/dom.js";
import { language, t } from "../lib/i18n.js";
import { sentence, source } from "../lib/refusals.js";
import { signal } from "../vendor/signals.mjs";

/** What tells its changes politely. Not the role `status`: a screen reader names that, and then passes over what it says. */
export const POLITE = { "aria-live": "polite", "aria-atomic": "true" };

/** A refusal as one sentence with its rule. */
export function Refusal({ problem, children }) {
  if (!problem) return null;
  const rule = source(problem);
  return html`
    <div class="refusal" role="alert">
      <p>${sentence(problem, language.value, t)}${rule && html` <span class="rule">${rule}</span>`}</p>
      ${children}
    </div>`;
}

/** A fault of loading, with the way to try again. */
export function Fault({ problem, again }) {
  return html`
    <div class="notice notice-fault" role="alert">
      <p>${sentence(problem, language.value, t)}</p>
      <button type="button" onClick=${again}>${t("error.again")}</button>
    </div>`;
}

const spoken = signal("");
const EVERY_MS = 1_500;
let waiting = null;
let timer = null;

/** Say something politely to screen readers: at most every second and a half, the latest only. */
export function say(text) {
  waiting = text;
  timer ??= setTimeout(speakUp, 100);
}

function speakUp() {
  spoken.value = waiting;
  waiting = null;
  timer = setTimeout(() => { timer = null; if (waiting) speakUp(); }, EVERY_MS);
}

export function Voice() {
  return html`<p class="unseen" ...${POLITE}>${spoken.value}</p>`;
}
