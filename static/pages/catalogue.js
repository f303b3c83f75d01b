// The public catalogue: search, facets, order, pages.
import { Problem, read } from "../lib/api.js";
import { html } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { addressOf, changed, narrowing, questionOf, without } from "../lib/question.js";
import { clock } from "../lib/time.js";
import { Chosen, choiceName, Facets } from "../parts/facets.js";
import { Card } from "../parts/lot-card.js";
import { Fault, say, Voice } from "../parts/messages.js";
import { mount } from "../parts/shell.js";
import { useEffect, useState } from "../vendor/hooks.mjs";
import { batch, signal } from "../vendor/signals.mjs";

const SORTS = ["ends_soonest", "newest", "price", "discount", "most_watched"];
const OPEN = ["published", "live", "suspended", "frozen"];
const PAGE = 24;
const MOST = 100;
const REFRESH_MS = 10_000;

const asked = signal(questionOf(location.search));
const found = signal(null);
/** Lots as bidding tells them now, by id: the catalogue itself learns of a price only at the end. */
const standing = signal(new Map());
const fault = signal(null);
const loading = signal(true);
let latest = 0;

function search(question) {
  return read(`/api/lots?${new URLSearchParams(question)}`);
}

/** Ask for the first page, for `more`, or quietly for what is shown already. */
async function load({ more = false, quiet = false } = {}) {
  latest += 1;
  const mine = latest;
  const shown = found.value?.lots ?? [];
  const limit = quiet ? Math.min(MOST, Math.max(PAGE, shown.length)) : PAGE;
  const paging = more ? { after: found.value.next } : {};
  if (!quiet) loading.value = true;
  try {
    const page = await search({ ...asked.value, ...paging, limit });
    if (mine !== latest) return;
    batch(() => {
      found.value = { ...page, lots: more ? [...shown, ...page.lots] : page.lots, at: performance.now() };
      fault.value = null;
      loading.value = false;
    });
    if (!quiet) say(t("catalogue.total", { n: page.total }));
    await loadStanding(mine);
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    if (mine !== latest || quiet) return;
    batch(() => { fault.value = problem; loading.value = false; });
  }
}

/** Prices of this moment; without them the cards stand as announced. */
async function loadStanding(mine) {
  const open = found.value.lots.filter(({ status }) => OPEN.includes(status)).slice(0, MOST);
  if (!open.length) return;
  const now = await read(`/api/live/lots?ids=${open.map(({ id }) => id).join(",")}`).catch(() => null);
  if (now && mine === latest) standing.value = new Map(now.lots.map((lot) => [lot.lot_id, lot]));
}

function go(wanted) {
  history.pushState(null, "", addressOf(wanted));
  asked.value = wanted;
  load();
}

/** The link of a question; followed here, without loading the page again. */
function link(wanted) {
  const onClick = (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    go(wanted);
  };
  return { href: addressOf(wanted), onClick };
}

addEventListener("popstate", () => { asked.value = questionOf(location.search); load(); });
setInterval(() => {
  if (!document.hidden && !loading.value && found.value && found.value.lots.length <= MOST) load({ quiet: true });
}, REFRESH_MS);

function Catalogue() {
  const page = found.value;
  const parts = { asked: asked.value, facets: page?.facets, link };
  return html`
    <div class="catalogue">
      <h1>${t("catalogue.heading")}</h1>
      <${Search} />
      <${Today} ends=${page?.today ?? []} />
      <div class="catalogue-body">
        <${Facets} ...${parts} />
        <section class="results" aria-label=${t("catalogue.results")} aria-busy=${loading.value}>
          <div class="results-head">
            <p class="total">${page ? t("catalogue.total", { n: page.total }) : " "}</p>
            <${Order} />
          </div>
          <${Chosen} ...${parts} />
          <${Results} page=${page} />
          ${page && html`<${Subscriptions} />`}
        </section>
      </div>
      <${Voice} />
    </div>`;
}

function Search() {
  const submit = (event) => {
    event.preventDefault();
    go(changed(asked.value, { q: new FormData(event.currentTarget).get("q").trim() }));
  };
  return html`
    <form class="search" role="search" onSubmit=${submit}>
      <label class="unseen" for="q">${t("catalogue.search")}</label>
      <input id="q" name="q" type="search" maxlength="100" placeholder=${t("catalogue.placeholder")} defaultValue=${asked.value.q ?? ""} key=${asked.value.q ?? ""} />
      <button class="primary">${t("catalogue.go")}</button>
    </form>`;
}

/** What is decided today: the moments at which most lots end. */
function Today({ ends }) {
  if (!ends.length) return null;
  return html`
    <ul class="today" aria-label=${t("ends.today")}>${ends.map(({ at, count }) => {
      const chosen = asked.value.ends === at;
      return html`<li key=${at}><a ...${link(changed(asked.value, { ends: chosen ? "" : at }))} aria-current=${chosen ? "true" : undefined}>${t("catalogue.today", { at: clock(at).slice(0, 5), n: count })}</a></li>`;
    })}</ul>`;
}

function Order() {
  return html`
    <label class="order">${t("catalogue.sort")}
      <select value=${asked.value.sort ?? SORTS[0]} onChange=${(event) => go(changed(asked.value, { sort: event.target.value === SORTS[0] ? "" : event.target.value }))}>
        ${SORTS.map((sort) => html`<option key=${sort} value=${sort}>${t(`sort.${sort}`)}</option>`)}
      </select>
    </label>`;
}

function Results({ page }) {
  if (fault.value) return html`<${Fault} problem=${fault.value} again=${() => load()} />`;
  if (!page) return html`<ul class="cards" aria-hidden="true">${[1, 2, 3, 4, 5, 6].map((n) => html`<li key=${n} class="card card-empty" />`)}</ul>`;
  if (!page.lots.length) return html`<${Nothing} key=${addressOf(asked.value)} facets=${page.facets} />`;
  return html`
    <ul class=${`cards ${loading.value ? "cards-waiting" : ""}`}>
      ${page.lots.map((lot) => html`<${Card} key=${lot.id} lot=${lot} standing=${standing.value.get(lot.id)} now=${page.now} rate=${page.rate} at=${page.at} />`)}
    </ul>
    ${page.next && html`<p class="more"><button type="button" disabled=${loading.value} onClick=${() => load({ more: true })}>${t("catalogue.more")}</button></p>`}`;
}

/** The same for programs and calendars, of the court and kind that are chosen. */
function Subscriptions() {
  const { court, kind } = asked.value;
  const chosen = new URLSearchParams(changed({}, { court, kind })).toString();
  const of = (path) => (chosen ? `${path}?${chosen}` : path);
  return html`
    <p class="aside subscriptions">${t("catalogue.subscribe")} <a href=${of("/feeds/lots.atom")}>Atom</a> · <a href=${of("/feeds/lots.ics")}>${t("catalogue.calendar")}</a>
      · ${t("catalogue.open-data")} <a href="/api/open/lots">JSON</a> · <a href="/api/open/lots.csv" download>CSV</a></p>`;
}

/** Nothing found: what each condition alone keeps out, so that the way on is seen before it is taken. */
function Nothing({ facets }) {
  const choices = narrowing(asked.value);
  const [left, setLeft] = useState({});
  useEffect(() => {
    for (const choice of choices.length > 1 ? choices : []) {
      search({ ...without(asked.value, choice), limit: 1 }).then(({ total }) => setLeft((known) => ({ ...known, [choice]: total })), () => {});
    }
  }, []);
  if (!choices.length) return html`<div class="notice"><p>${t("catalogue.empty")}</p></div>`;
  return html`
    <div class="notice">
      <p>${t("catalogue.nothing")}</p>
      ${choices.length > 1 && html`
        <p>${t("catalogue.widen")}</p>
        <ul class="widen">${choices.map((choice) => html`
          <li key=${choice}><a ...${link(without(asked.value, choice))}>${t("catalogue.without", { name: choiceName(choice, asked.value, facets) })}</a>${choice in left && html` <span class="count">${t("catalogue.total", { n: left[choice] })}</span>`}</li>`)}</ul>`}
      ${choices.includes("q") && html`<p class="aside">${t("catalogue.shorter")}</p>`}
      <p><a class="button" ...${link({})}>${t("catalogue.all")}</a></p>
    </div>`;
}

function Page() {
  useEffect(() => { load(); }, []);
  return html`<${Catalogue} />`;
}

mount(Page, () => t("catalogue.heading"));
