// Checks a receipt or a bundle in the browser (docs/evidence.md). Nothing that is opened here leaves the page; only the
// public keys are asked for, and where they cannot be had the page says so.
import { Problem, read } from "../lib/api.js";
import { html } from "../lib/dom.js";
import { canVerify, checkBundle, checkReceipt, receiptIn } from "../lib/evidence.js";
import { language, t } from "../lib/i18n.js";
import { price } from "../lib/money.js";
import { moment } from "../lib/time.js";
import { useReading } from "../parts/reading.js";
import { mount } from "../parts/shell.js";
import { useEffect } from "../vendor/hooks.mjs";
import { signal } from "../vendor/signals.mjs";

const MOST_BYTES = 200_000_000;
const able = signal(true);
const text = signal("");
const name = signal("");
const outcome = signal(null);
const busy = signal(false);

async function open(event) {
  const [file] = event.target.files;
  event.target.value = "";
  if (!file) return;
  name.value = file.name;
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
      <div class="verify-body">
        <div class="verify-main">
          ${able.value ? html`<${Form} />` : html`<div class="notice notice-fault" role="alert"><p>${t("verify.unable")}</p></div>`}
          <div aria-live="polite">${outcome.value && html`<${Outcome} ...${outcome.value} />`}</div>
        </div>
        <${Means} />
      </div>
    </div>`;
}

function Form() {
  return html`
    <form class="form sheet-wide" onSubmit=${submit}>
      <p><label class="button file">${t("verify.file")}<input class="unseen" type="file" accept=".json,application/json" onChange=${open} /></label> <span class="aside">${name.value}</span></p>
      <div class="field">
        <label for="text">${t("verify.text")}</label>
        <textarea id="text" rows="8" spellcheck="false" value=${text.value} onInput=${(event) => { text.value = event.target.value; }}></textarea>
      </div>
      <div><button class="primary" disabled=${busy.value || !text.value.trim()}>${busy.value ? t("form.busy") : t("verify.check")}</button></div>
    </form>`;
}

/** What a reader needs beside the form: where such files come from, what is checked, by which keys. */
function Means() {
  const { value, problem } = useReading(() => read("/api/evidence/keys"));
  return html`
    <aside class="sheet-wide" aria-labelledby="means">
      <h2 id="means">${t("verify.means")}</h2>
      <dl class="texts">
        <div><dt>${t("verify.receipt")}</dt><dd>${t("verify.receipt.text")}</dd></div>
        <div><dt>${t("verify.bundle")}</dt><dd>${t("verify.bundle.text")}</dd></div>
        <div><dt>${t("verify.keys")}</dt><dd>${problem ? t("verify.no-keys") : value?.keys.map(({ key_id: id, algorithm }) => html`<code key=${id} class="hash">${algorithm} ${id}</code>`)}</dd></div>
        <div><dt>${t("verify.apart")}</dt><dd><code class="hash">auction verify --bundle bundle.json</code></dd></div>
      </dl>
    </aside>`;
}

function Outcome({ fault, receipt, bundle, checks }) {
  if (fault) return html`<div class="notice notice-fault" role="alert"><p>${t(fault)}</p></div>`;
  const holds = Object.values(checks).every(Boolean);
  return html`
    <section class=${holds ? "notice verdict" : "notice notice-fault verdict"}>
      <h2>${holds ? t("verify.holds") : t("verify.fails")}</h2>
      ${receipt ? html`<${Told} event=${receipt.event} batch=${receipt.batch} />` : html`<p>${bundle.title}</p><p class="aside">${t("verify.unproved")}</p>`}
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
