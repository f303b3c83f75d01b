// Checking a record in this browser: the chain as the server gives it now, or a record that somebody kept.
import { Problem } from "../lib/api.js";
import { checkFile, isKept } from "../lib/checking.js";
import { html } from "../lib/dom.js";
import { checkBundle } from "../lib/evidence.js";
import { t } from "../lib/i18n.js";
import { useState } from "../vendor/hooks.mjs";

const LARGEST_FILE = 200_000_000;

/** `check(chain, onProgress)` hashes what the server has; a file is checked by itself and against `chain`. */
export function Verification({ lotId, chain, check }) {
  const [found, setFound] = useState(null);
  const [checked, setChecked] = useState(null);
  const run = async (work) => {
    setFound(null);
    setChecked(0);
    try {
      setFound(await work());
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      setFound({ unreadable: true });
    } finally {
      setChecked(null);
    }
  };
  const here = () => run(() => check(chain, setChecked));
  const file = (event) => {
    const [given] = event.currentTarget.files;
    event.currentTarget.value = "";
    if (given) run(() => checkGiven(given, lotId, chain));
  };
  if (!globalThis.crypto?.subtle) return html`<section class="sheet-wide verification"><h2>${t("verify.heading")}</h2><p>${t("verify.no-crypto")}</p></section>`;
  return html`
    <section class="sheet-wide verification" aria-labelledby="verify">
      <h2 id="verify">${t("verify.heading")}</h2>
      <p>${t("verify.text")}</p>
      <div class="row row-start">
        <button type="button" class="primary" disabled=${checked !== null} onClick=${here}>${checked === null ? t("verify.go") : t("verify.running", { n: checked, of: chain.seq })}</button>
        <label class="button file">${t("verify.file")}<input class="unseen" type="file" accept="application/json,.json" onChange=${file} /></label>
      </div>
      <div role="status" aria-live="polite">${found && html`<${Verdict} found=${found} />`}</div>
      <details><summary>${t("verify.how")}</summary>
        <p>${t("verify.formula")}</p>
        <dl class="pairs">
          <div><dt>${t("verify.genesis")}</dt><dd><code class="hash">${chain.genesis}</code></dd></div>
          <div><dt>${t("verify.head")}</dt><dd><code class="hash">${chain.head}</code></dd></div>
        </dl>
      </details>
    </section>`;
}

async function checkGiven(file, lotId, chain) {
  if (file.size > LARGEST_FILE) return { unreadable: true };
  let given;
  try {
    given = JSON.parse(await file.text());
  } catch {
    return { unreadable: true };
  }
  if (Array.isArray(given?.batches)) return { facts: await checkBundle(given) };
  if (!isKept(given)) return { unreadable: true };
  const found = await checkFile(given);
  const same = given.lot_id === lotId && given.chain.head === chain.head && given.chain.genesis === chain.genesis;
  return found.whole && !same ? { ...found, whole: false, broken: "other" } : found;
}

function Verdict({ found }) {
  if (found.unreadable) return html`<p class="verdict verdict-bad"><strong>✕ ${t("verify.unreadable")}</strong></p>`;
  if (found.facts) {
    return html`<ul class="verdict-facts">${Object.entries(found.facts).map(([name, holds]) => html`
      <li key=${name} class=${`verdict ${holds ? "verdict-good" : "verdict-bad"}`}>${holds ? "✓" : "✕"} ${t(`proof.${name}`)}：${t(holds ? "proof.holds" : "proof.fails")}</li>`)}</ul>`;
  }
  if (found.whole) return html`<p class="verdict verdict-good"><strong>✓ ${t("verify.whole")}</strong> ${t("verify.whole.text", { n: found.checked })}</p>`;
  const key = typeof found.broken === "number" ? "verify.broken" : `verify.${found.broken}`;
  return html`<p class="verdict verdict-bad" role="alert"><strong>✕ ${t("verify.not-whole")}</strong> ${t(key, { n: found.broken, checked: found.checked })}</p>`;
}
