// Checks a receipt or a bundle in the browser (docs/evidence.md). Nothing that is opened here leaves the page; only the
// public keys are asked for, and where they cannot be had the page says so.
import { Problem, read } from "../lib/api.js";
import { html } from "../lib/dom.js";
import { canVerify, checkBundle, checkReceipt, receiptIn } from "../lib/evidence.js";
import { language, t } from "../lib/i18n.js";
import { price } from "../lib/money.js";
import { moment } from "../lib/time.js";
import { mount } from "../parts/shell.js";
import { useEffect } from "../vendor/hooks.mjs";
import { signal } from "../vendor/signals.mjs";

const MOST_BYTES = 200_000_000;
const able = signal(true);
const text = signal("");
const outcome = signal(null);
const busy = signal(false);

async function open(event) {
  const [file] = event.target.files;
  if (!file) return;
  if (file.size > MOST_BYTES) outcome.value = { fault: "verify.too-large" };
  else await check(await file.text());
}

async function submit(event) {
  event.preventDefault();
  await check(text.value);
}

async function check(given) {
  busy.value = true;
  try {
    outcome.value = await examined(given);
  } catch (fault) {
    // Whatever a document lacks that a receipt has shows here.
    outcome.value = fault instanceof Problem ? { fault: "verify.no-keys" } : { fault: "verify.unreadable" };
  } finally {
    busy.value = false;
  }
}

async function examined(given) {
  const document = JSON.parse(given);
  const { keys } = await read("/api/evidence/keys");
  if (document.format === "auction-bundle/1") return { bundle: document, checks: await checkBundle(document, keys) };
  const receipt = receiptIn(document);
  return { receipt, checks: await checkReceipt(receipt, keys) };
}

function Verify() {
  useEffect(() => { canVerify().then((can) => { able.value = can; }); }, []);
  return html`
    <div class="verify">
      <h1>${t("verify.heading")}</h1>
      <p class="lead">${t("verify.lead")}</p>
      ${able.value ? html`<${Form} />` : html`<div class="notice notice-fault" role="alert"><p>${t("verify.unable")}</p></div>`}
      <div aria-live="polite">${outcome.value && html`<${Outcome} ...${outcome.value} />`}</div>
    </div>`;
}

function Form() {
  return html`
    <form class="form" onSubmit=${submit}>
      <div class="field">
        <label for="file">${t("verify.file")}</label>
        <input id="file" type="file" accept=".json,application/json" onChange=${open} />
      </div>
      <div class="field">
        <label for="text">${t("verify.text")}</label>
        <textarea id="text" rows="8" spellcheck="false" value=${text.value} onInput=${(event) => { text.value = event.target.value; }}></textarea>
      </div>
      <button class="primary" disabled=${busy.value || !text.value.trim()}>${busy.value ? t("form.busy") : t("verify.check")}</button>
    </form>`;
}

function Outcome({ fault, receipt, bundle, checks }) {
  if (fault) return html`<div class="notice notice-fault" role="alert"><p>${t(fault)}</p></div>`;
  const holds = Object.values(checks).every(Boolean);
  return html`
    <section class=${holds ? "notice verdict" : "notice notice-fault verdict"}>
      <h2>${holds ? t("verify.holds") : t("verify.fails")}</h2>
      ${receipt ? html`<${Told} event=${receipt.event} batch=${receipt.batch} />` : html`<p>${bundle.title}</p>`}
      <ul class="checks">${Object.entries(checks).map(([name, good]) => html`
        <li key=${name} class=${good ? "good" : "bad"}><strong>${good ? t("verify.yes") : t("verify.no")}</strong> ${t(`check.${name}`)}</li>`)}
      </ul>
    </section>`;
}

function Told({ event, batch }) {
  return html`
    <dl class="pairs">
      <div><dt>${t("record.code")}</dt><dd>${event.code}</dd></div>
      <div><dt>${t("record.price")}</dt><dd class="figure">${price(event.price_fen)}</dd></div>
      <div><dt>${t("receipt.at")}</dt><dd class="figure">${moment(event.at, language.value)}.${event.at.slice(20, 23)}</dd></div>
      <div><dt>${t("verify.key")}</dt><dd><code class="hash">${batch.key_id}</code></dd></div>
    </dl>`;
}

mount(Verify, () => t("verify.heading"));
