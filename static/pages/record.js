// The public record of a finished auction: result, figures, every event in pages, and the check of its hash chain in this
// browser. What is printed is the confirmation and the whole course.
import { Problem, read } from "../lib/api.js";
import { checkChain, csv } from "../lib/checking.js";
import { html } from "../lib/dom.js";
import { language, t } from "../lib/i18n.js";
import { takeTold } from "../lib/told.js";
import { percentOver, spoken, yuan } from "../lib/money.js";
import { clock, dated, moment, until } from "../lib/time.js";
import { Badges, startOf, State } from "../parts/badges.js";
import { Curve, drawable } from "../parts/curve.js";
import { Fault, POLITE } from "../parts/messages.js";
import { useReading } from "../parts/reading.js";
import { overReference } from "../parts/reference.js";
import { mount } from "../parts/shell.js";
import { Verification } from "../parts/verification.js";
import { useEffect, useState } from "../vendor/hooks.mjs";
import { signal } from "../vendor/signals.mjs";

const ID = location.pathname.split("/").at(-2);
const PAGE = 50;
const AT_ONCE = 1_000;
const MOST_DRAWN = 20_000;

const title = signal(document.title.replace(/ - [^-]*$/, ""));

async function readRecord() {
  const [lot, record, confirmation, availability] = await Promise.all([
    takeTold() ?? read(`/api/lots/${ID}`),
    unless("record-sealed", `/api/lots/${ID}/record`),
    unless("not-found", `/api/lots/${ID}/confirmation`),
    read(`/api/lots/${ID}/availability`),
  ]);
  title.value = t("record.title", { title: lot.title });
  return { lot, record, confirmation, availability };
}

/** What stands at `path`; null where the server refuses it for that reason. */
async function unless(code, path) {
  try {
    return await read(path);
  } catch (problem) {
    if (problem instanceof Problem && problem.code === code) return null;
    throw problem;
  }
}

/** Every event of the lot, read in large pages. */
async function readAll(seq) {
  const events = [];
  while (events.length < seq) {
    const page = await read(`/api/lots/${ID}/events?after=${events.length}&limit=${AT_ONCE}`);
    if (!page.events.length) break;
    events.push(...page.events);
  }
  return events;
}

function Page() {
  const { value, problem, again } = useReading(readRecord);
  if (problem && !value) return html`<${Fault} problem=${problem} again=${again} />`;
  if (!value) return html`<div class="public-record" aria-busy="true"><p class="skeleton">${t("page.loading")}</p></div>`;
  const { lot, record } = value;
  if (!record) {
    return html`
      <div class="sheet">
        <h1>${t("record.public")}</h1>
        <p>${t("record.sealed")}</p>
        <p><a class="button primary" href=${`/lots/${ID}`}>${t("record.to-lot")}</a></p>
      </div>`;
  }
  return html`<${Whole} ...${value} lot=${lot} />`;
}

function Whole({ lot, record, confirmation, availability }) {
  const [all, setAll] = useState(null);
  const { seq } = record.chain;
  useEffect(() => { if (seq <= MOST_DRAWN) readAll(seq).then(setAll, () => {}); }, []);
  const bids = (all ?? []).filter(({ kind }) => kind === "bid").reverse();
  return html`
    <article class="public-record">
      <header class="lot-head">
        <p class="crumbs"><a href="/">${t("nav.lots")}</a> <span aria-hidden="true">/</span> <a href=${`/lots/${ID}`}>${lot.case_no}</a> <span aria-hidden="true">/</span> ${t("record.public")}</p>
        <h1>${lot.title}</h1>
        <p class="lot-sub"><${State} state=${lot.status === "defaulted" ? "defaulted" : record.lot.outcome ?? record.lot.status} /><${Badges} lot=${lot} /><span>${lot.place}</span><span>${lot.court_name}</span></p>
      </header>
      <${Outcome} lot=${lot} record=${record} />
      ${confirmation && html`<${Confirmation} told=${confirmation} />`}
      <${Availability} told=${availability} />
      <${Verification} lotId=${ID} chain=${record.chain} check=${check} />
      ${drawable(bids) && html`<section class="record sheet-wide" aria-label=${t("record.curve")}><${Curve} bids=${bids} lot=${record.lot} reference=${lot.reference_price_fen} /></section>`}
      <${Course} seq=${seq} all=${all} />
      <${Downloads} all=${all} />
    </article>`;
}

/** How much of its time the lot could be bid on, with every span in which it could not (R-HALT-02). */
function Availability({ told }) {
  const spans = [
    ...told.halts.map(({ kind, at, until: end, reason }) => ({ name: t(`event.${kind}`), at, end, note: reason })),
    ...told.outages.map(({ since, until: end, ...outage }) => ({ name: t("availability.outage"), at: since, end, note: blame(outage) })),
  ];
  return html`
    <section class="sheet-wide" aria-labelledby="availability">
      <h2 id="availability">${t("availability.heading")}</h2>
      <dl class="record-facts">
        <div><dt>${t("availability.share")}</dt><dd class="figure">${told.available_ppm === null ? t("statistics.none") : `${(told.available_ppm / 10_000).toFixed(4)}%`}</dd></div>
        <div><dt>${t("availability.halts")}</dt><dd class="figure">${told.halts.length}</dd></div>
        <div><dt>${t("availability.outages")}</dt><dd class="figure">${told.outages.length}</dd></div>
        <div><dt>${t("availability.late")}</dt><dd class="figure">${told.late_entries}</dd></div>
      </dl>
      ${spans.length > 0 && html`<ul class="spans">${spans.map(({ name, at, end, note: words }) => html`
        <li key=${at + name}><strong>${name}</strong> <span class="figure">${dated(at, language.value, false)} – ${end ? dated(end, language.value, false) : ""}</span> ${words}</li>`)}</ul>`}
    </section>`;
}

/** Cause and length of an outage, and how many bidders it cut off: numbers only. */
function blame({ cause, real_ms, connected, not_back }) {
  const words = t(`outage.${cause}`, { seconds: (real_ms / 1000).toFixed(1) });
  return connected === null ? words : `${words} ${t("outage.bidders", { connected, gone: not_back })}`;
}

function check(chain, onProgress) {
  return checkChain(chain, (after) => read(`/api/lots/${ID}/chain?after=${after}&limit=${AT_ONCE}`), onProgress);
}

function Outcome({ lot, record }) {
  const { lot: told, bidders } = record;
  const rows = [
    [told.price_fen === null ? startOf(told) : told.outcome === "sold" ? "price.sold" : "mine.last-price", html`<strong class="figure record-price">¥${yuan(told.price_fen ?? told.start_price_fen)}</strong> <small>${spoken(told.price_fen ?? told.start_price_fen, language.value)}</small>`],
    ["panel.winner", told.leader ? html`<span class="figure">${told.leader}</span>${told.leader_rank && html` <span class="tag tag-priority">${t("tag.priority")}</span>`}` : t("panel.none")],
    [startOf(told), told.price_fen !== null && html`<span class="figure">¥${yuan(told.start_price_fen)}</span> <small>${t("price.over-start", { percent: percentOver(told.price_fen, told.start_price_fen) })}</small>`],
    ["price.reference", html`<span class="figure">¥${yuan(lot.reference_price_fen)}</span>${told.price_fen !== null && html` <small>${overReference(told.price_fen, lot.reference_price_fen)}</small>`}`],
    ["record.bidders", html`<span class="figure">${bidders}</span>`],
    ["panel.bids", html`<span class="figure">${told.bids}</span>`],
    ["record.extensions", html`<span class="figure">${told.extensions}</span>`],
    ["terms.opens", html`<span class="figure">${moment(told.opens_at, language.value)}</span>`],
    ["terms.ends", html`<span class="figure">${moment(told.scheduled_end, language.value)}</span>`],
    ["record.ended", record.ended_at && html`<span class="figure">${moment(record.ended_at, language.value)}</span>`],
  ];
  return html`
    <section class="sheet-wide" aria-labelledby="outcome">
      <h2 id="outcome">${t("record.outcome")}</h2>
      <dl class="record-facts">${rows.map(([key, value]) => value && html`<div key=${key}><dt>${t(key)}</dt><dd>${value}</dd></div>`)}</dl>
    </section>`;
}

/** The confirmation as the law publishes it: the buyer's real name, no identity number (R-CLOSE-01). */
function Confirmation({ told }) {
  return html`
    <section class="sheet-wide confirmation" aria-labelledby="confirmation">
      <h2 id="confirmation">${t("confirmation.heading")}</h2>
      <p lang="zh-CN" class="confirmation-text">${told.text}</p>
      <dl class="record-facts">
        <div><dt>${t("confirmation.buyer")}</dt><dd><strong>${told.buyer_name}</strong></dd></div>
        <div><dt>${t("record.code")}</dt><dd class="figure">${told.code}</dd></div>
        <div><dt>${t("price.sold")}</dt><dd class="figure">¥${yuan(told.price_fen)}</dd></div>
        <div><dt>${t("confirmation.balance")}</dt><dd class="figure">${until(told.balance_due_at, language.value)}</dd></div>
      </dl>
      <p class="aside">${t("confirmation.law")} <span class="rule">R-CLOSE-01</span></p>
    </section>`;
}

/** Every event, fifty at a time, oldest first as the chain has them; printed whole. */
function Course({ seq, all }) {
  const pages = Math.max(1, Math.ceil(seq / PAGE));
  const [at, setAt] = useState(1);
  const { value, problem, again } = useReading(() => read(`/api/lots/${ID}/events?after=${(at - 1) * PAGE}&limit=${PAGE}`), null, [at]);
  const turn = (page) => setAt(Math.min(pages, Math.max(1, page)));
  return html`
    <section class="sheet-wide course" aria-labelledby="course">
      <div class="record-head"><h2 id="course">${t("record.course")}</h2><span class="aside">${t("record.events-total", { n: seq })}</span></div>
      ${problem ? html`<${Fault} problem=${problem} again=${again} />` : html`
      <div class="on-screen">
        <${Events} events=${value?.events ?? []} />
        ${pages > 1 && html`
          <nav class="pager" aria-label=${t("pager.label")}>
            <button type="button" disabled=${at === 1} onClick=${() => turn(1)}>${t("pager.first")}</button>
            <button type="button" disabled=${at === 1} onClick=${() => turn(at - 1)}>${t("pager.previous")}</button>
            <span ...${POLITE} class="figure">${t("pager.at", { at, pages })}</span>
            <button type="button" disabled=${at === pages} onClick=${() => turn(at + 1)}>${t("pager.next")}</button>
            <button type="button" disabled=${at === pages} onClick=${() => turn(pages)}>${t("pager.last")}</button>
          </nav>`}
      </div>`}
      ${all && html`<div class="on-paper" aria-hidden="true"><${Events} events=${all} /></div>`}
    </section>`;
}

function Events({ events }) {
  return html`
    <div class="table-wrap" tabindex="0" role="region" aria-label=${t("record.course")}>
      <table class="events">
        <thead><tr><th scope="col" class="number">${t("receipts.seq")}</th><th scope="col">${t("record.time")}</th><th scope="col">${t("record.what")}</th><th scope="col">${t("record.code")}</th><th scope="col" class="number">${t("record.price")}</th><th scope="col">${t("record.note")}</th></tr></thead>
        <tbody>${events.map((event) => html`
          <tr key=${event.seq} class=${`event-${event.kind}`}>
            <th scope="row" class="number figure">${event.seq}</th>
            <td class="figure"><time datetime=${event.at}>${event.at && dated(event.at, language.value, true)}</time></td>
            <td>${event.kind === "bid" ? t("bid.heading") : t(`event.${event.kind}`)}</td>
            <td class="figure">${event.code ?? ""}${event.rank ? html` <span class="tag tag-priority">${t("tag.priority")}</span>` : null}</td>
            <td class="number figure">${event.price_fen ? yuan(event.price_fen) : ""}</td>
            <td>${note(event)}</td>
          </tr>`)}</tbody>
      </table>
    </div>`;
}

function note(event) {
  if (event.extended) return `${t("tag.extended")} → ${clock(event.ends_at, true)}`;
  if (event.kind === "closed") return t(`state.${event.status}`);
  return event.reason ? `${t("event.reason")}${event.reason}` : "";
}

/** What can be taken along: the bundle (to be checked again, anywhere), a table, and paper. */
function Downloads({ all }) {
  return html`
    <section class="sheet-wide downloads" aria-labelledby="downloads">
      <h2 id="downloads">${t("downloads.heading")}</h2>
      <div class="row row-start">
        <a class="button" href=${`/api/lots/${ID}/bundle`} download=${`bundle-${ID.slice(0, 8)}.json`}>${t("downloads.record")}</a>
        <button type="button" disabled=${!all} onClick=${() => save(`events-${ID.slice(0, 8)}.csv`, "text/csv", `\ufeff${csv(all)}`)}>${t("downloads.csv")}</button>
        <button type="button" disabled=${!all} onClick=${() => print()}>${t("downloads.print")}</button>
      </div>
      <p class="aside">${t("downloads.machine")} <a href=${`/api/lots/${ID}/record`}>/record</a> · <a href=${`/api/lots/${ID}/events`}>/events</a> · <a href=${`/api/lots/${ID}/chain`}>/chain</a></p>
    </section>`;
}

function save(name, type, content) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

mount(Page, () => title.value);
