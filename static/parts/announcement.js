// What one must know first, in plain sentences; then the announcement, rights and taxes, documents, earlier sales.
import { html } from "../lib/dom.js";
import { language, t } from "../lib/i18n.js";
import { spoken, yuan } from "../lib/money.js";
import { day, moment, short } from "../lib/time.js";
import { useId, useState } from "../vendor/hooks.mjs";
import { isSellOff, startOf, State, stateOfCard } from "./badges.js";
import { Questions } from "./enquiries.js";

const FACTS = [
  ["occupation", "condition"],
  ["vacated", null],
  ["defects", "defects"],
  ["taxes", "taxes"],
  ["arrears", null],
  ["purchase_limit", null],
  ["loan", null],
  ["viewing", "as-is"],
  ["priority", "priority"],
  ["contact", "contact"],
];
const RIGHTS = ["condition", "defects", "taxes", "priority", "as-is", "acceptance"];
const RULES = ["announcement", "rules", "capacity", "agents", "payment", "identity", "forfeiture", "notices", "title", "pricing", "contact"];

/** Plain facts: what was found out about the asset, else the announcement's own sentence on it. */
export function Facts({ lot }) {
  const { asset, checklist } = lot.announcement ?? {};
  const rows = FACTS.map(([key, item]) => [key, asset?.details[key] ?? checklist?.[item]]).filter(([, text]) => text);
  const known = new Set(FACTS.map(([key]) => key));
  const others = Object.entries(asset?.details ?? {}).filter(([key]) => !known.has(key));
  return html`
    <section class="facts" aria-labelledby="facts">
      <h2 id="facts">${t("facts.heading")}</h2>
      ${asset?.description && html`<p class="facts-lead">${asset.description}</p>`}
      <dl class="pairs">
        ${rows.map(([key, text]) => html`<div key=${key}><dt>${t(`fact.${key}`)}</dt><dd>${text}</dd></div>`)}
        ${others.map(([key, text]) => html`<div key=${key}><dt>${key}</dt><dd>${text}</dd></div>`)}
      </dl>
    </section>`;
}

/** The tabs below; arrow keys move between them. */
export function About({ lot }) {
  const tabs = ["terms", "announcement", "rights", "documents", "questions", lot.sales.length > 0 && "sales"].filter(Boolean);
  const [chosen, choose] = useState(tabs[0]);
  const id = useId();
  const onKeyDown = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = tabs[(tabs.indexOf(chosen) + step + tabs.length) % tabs.length];
    choose(next);
    document.getElementById(`${id}-${next}`).focus();
  };
  return html`
    <section class="about">
      <div class="tabs" role="tablist" aria-label=${t("tabs.label")} onKeyDown=${onKeyDown}>
        ${tabs.map((tab) => html`
          <button key=${tab} type="button" role="tab" id=${`${id}-${tab}`} aria-selected=${String(tab === chosen)} aria-controls=${`${id}-panel`}
            tabindex=${tab === chosen ? 0 : -1} onClick=${() => choose(tab)}>${t(`tab.${tab}`)}</button>`)}
      </div>
      <div class="tab-panel" role="tabpanel" id=${`${id}-panel`} aria-labelledby=${`${id}-${chosen}`} tabindex="0">
        <${PANELS[chosen]} lot=${lot} />
      </div>
    </section>`;
}

function Terms({ lot }) {
  const of = lot.announcement?.reference_price;
  const rows = [
    [startOf(lot), amount(lot.start_price_fen)],
    ["price.reference", html`${amount(lot.reference_price_fen)}${of && html`<br /><small>${t(`method.${of.method}`)} · ${day(`${of.fixed_on}T00:00:00+08:00`, language.value)}</small>`}`],
    ["price.deposit", amount(lot.deposit_fen)],
    isSellOff(lot) && ["terms.prepaid", t("terms.prepaid.text")],
    ["price.increment", amount(lot.increment_fen)],
    ["terms.opens", lot.opens_at && moment(lot.opens_at, language.value)],
    ["terms.ends", lot.scheduled_end && moment(lot.scheduled_end, language.value)],
    ["terms.extension", t("terms.extension.text")],
    ["terms.balance", t("terms.balance.text", { n: lot.balance_due_days })],
    ["terms.court", lot.court_name],
    ["terms.case", lot.case_no],
  ].filter(Boolean);
  return html`<dl class="pairs">${rows.map(([key, text]) => text && html`<div key=${key}><dt>${t(key)}</dt><dd>${text}</dd></div>`)}</dl>`;
}

function amount(fen) {
  return html`<span class="figure">¥${yuan(fen)}</span> <small>${spoken(fen, language.value)}</small>`;
}

function Checklist({ lot, items }) {
  const checklist = lot.announcement?.checklist ?? {};
  return html`<dl class="texts">${items.filter((item) => checklist[item]).map((item) => html`
    <div key=${item}><dt>${t(`item.${item}`)}</dt><dd>${checklist[item]}</dd></div>`)}</dl>`;
}

function Documents({ lot }) {
  const documents = lot.announcement?.documents ?? [];
  return html`
    <p>${t("documents.version")}<br /><code class="hash">${lot.announcement_version}</code></p>
    <p><a href=${`/api/lots/${lot.id}/announcement`}>${t("documents.announcement")}</a></p>
    ${documents.length === 0 ? html`<p class="aside">${t("documents.none")}</p>` : html`
    <ul class="documents">${documents.map(({ id, kind, name, size, sha256 }) => html`
      <li key=${id}>
        <a href=${`/api/documents/${id}`}>${name}</a> <small>${t(`document.${kind}`)} · ${fileSize(size)}</small>
        <code class="hash">SHA-256 ${sha256}</code>
      </li>`)}</ul>`}`;
}

function fileSize(bytes) {
  return bytes < 1_000_000 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

function Sales({ lot }) {
  return html`
    <ul class="sales">${lot.sales.map((sale) => html`
      <li key=${sale.id}>
        <a href=${`/lots/${sale.id}`}>${t(`round.${sale.round}`)}</a>
        <${State} state=${stateOfCard(sale)} />
        <span>${t("price.start")} <span class="figure">¥${yuan(sale.start_price_fen)}</span></span>
        ${sale.price_fen !== null && html`<span>${t("price.sold")} <span class="figure">¥${yuan(sale.price_fen)}</span></span>`}
        <time datetime=${sale.ends_at}>${short(sale.ends_at, language.value)}</time>
      </li>`)}</ul>`;
}

const PANELS = {
  terms: Terms,
  announcement: ({ lot }) => html`<${Checklist} lot=${lot} items=${RULES} />`,
  rights: ({ lot }) => html`<${Checklist} lot=${lot} items=${RIGHTS} />`,
  documents: Documents,
  questions: Questions,
  sales: Sales,
};
