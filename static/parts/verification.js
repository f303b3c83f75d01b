// Checking a record in this browser: the chain as the server tells it now, all that is signed, or a bundle that was kept.
import { Problem, read } from "../lib/api.js";
import { checkKept } from "../lib/checking.js";
import { html } from "../lib/dom.js";
import { canVerify, checkBundle } from "../lib/evidence.js";
import { t } from "../lib/i18n.js";
import { useEffect, useState } from "../vendor/hooks.mjs";
import { POLITE } from "./messages.js";

const LARGEST_FILE = 200_000_000;

/** `check(chain, onProgress)` hashes what the server has; a bundle is checked by itself and against `chain`. */
export function Verification({ lotId, chain, check }) {
  const [able, setAble] = useState(true);
  const [found, setFound] = useState(null);
  const [checked, setChecked] = useState(null);
  useEffect(() => { canVerify().then(setAble); }, []);
  const run = async (work) => {
    setFound(null);
    setChecked(0);
    try {
      setFound(await work());
    } catch (problem) {
      setFound({ fault: problem instanceof Problem ? "error.unreachable" : "verify.unreadable" });
    } finally {
      setChecked(null);
    }
  };
  const file = (event) => {
    const [given] = event.currentTarget.files;
    event.currentTarget.value = "";
    if (given) run(() => examined(given, lotId, chain));
  };
  return html`
    <section class="sheet-wide verification" aria-labelledby="verify">
      <h2 id="verify">${t("recheck.heading")}</h2>
      <p>${t("recheck.text")}</p>
      ${!able && html`<p class="deadline">${t("verify.unable")}</p>`}
      <div class="row row-start">
        <button type="button" class="primary" disabled=${checked !== null || !able} onClick=${() => run(() => check(chain, setChecked))}>${checked === null ? t("recheck.go") : t("recheck.running", { n: checked, of: chain.seq })}</button>
        <button type="button" disabled=${checked !== null || !able} onClick=${() => run(() => signed(lotId))}>${t("recheck.signed")}</button>
        <label class="button file">${t("recheck.file")}<input class="unseen" type="file" accept="application/json,.json" disabled=${!able} onChange=${file} /></label>
      </div>
      <div ...${POLITE}>${found && html`<${Finding} found=${found} />`}</div>
      <details><summary>${t("recheck.how")}</summary>
        <p>${t("recheck.formula")}</p>
        <dl class="pairs">
          <div><dt>${t("recheck.genesis")}</dt><dd><code class="hash">${chain.genesis}</code></dd></div>
          <div><dt>${t("recheck.head")}</dt><dd><code class="hash">${chain.head}</code></dd></div>
        </dl>
      </details>
    </section>`;
}

async function signed(lotId) {
  const [bundle, { keys }] = await Promise.all([read(`/api/lots/${lotId}/bundle`), read("/api/evidence/keys")]);
  return { facts: await checkBundle(bundle, keys) };
}

async function examined(file, lotId, chain) {
  if (file.size > LARGEST_FILE) return { fault: "verify.too-large" };
  const bundle = JSON.parse(await file.text());
  const kept = await checkKept(bundle, lotId, chain);
  const { keys } = await read("/api/evidence/keys");
  return { ...kept, facts: await checkBundle(bundle, keys) };
}

function Finding({ found: { fault, facts, whole, broken, checked } }) {
  if (fault) return html`<p class="finding finding-bad"><strong>✕ ${t(fault)}</strong></p>`;
  return html`
    ${whole === true && html`<p class="finding finding-good"><strong>✓ ${t("recheck.whole")}</strong> ${t("recheck.whole.text", { n: checked })}</p>`}
    ${whole === false && html`<p class="finding finding-bad"><strong>✕ ${t("recheck.not-whole")}</strong> ${t(typeof broken === "number" ? "recheck.broken" : `recheck.${broken}`, { n: broken, checked })}</p>`}
    ${facts && html`<ul class="findings">${Object.entries(facts).map(([name, holds]) => html`
      <li key=${name} class=${`finding ${holds ? "finding-good" : "finding-bad"}`}>${holds ? "✓" : "✕"} ${t(holds ? "verify.yes" : "verify.no")}：${t(`check.${name}`)}</li>`)}</ul>`}`;
}
