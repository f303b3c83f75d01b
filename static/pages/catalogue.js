// The public catalogue: search, facets, order, pages. The address holds the question, so it can be shared and gone back to.
import { Problem, read } from "../lib/api.js";
import { html } from "../lib/dom.js";
import { language, t } from "../lib/i18n.js";
import { parsed, price, spoken, yuan } from "../lib/money.js";
import { short } from "../lib/time.js";
import { Badges, State, stateOfCard, stateOfLot } from "../parts/badges.js";
import { Countdown } from "../parts/countdown.js";
import { Drawing } from "../parts/drawing.js";
import { Fault, say, Voice } from "../parts/messages.js";
import { overReference } from "../parts/reference.js";
import { Regions } from "../parts/regions.js";
import { mount } from "../parts/shell.js";
import { useEffect, useMemo } from "../vendor/hooks.mjs";
import { batch, signal } from "../vendor/signals.mjs";

const FACETS = ["status", "kind", "round", "place", "court"];
const SORTS = ["ends_soonest", "newest", "price", "discount"];
const ASKED = ["q", ...FACETS, "region", "price_min", "price_max", "sort"];
const BANDS = [[null, "10万"], ["10万", "50万"], ["50万", "200万"], ["200万", "1000万"], ["1000万", "1亿"], ["1亿", null]];
const OPEN = ["published", "live", "suspended", "frozen"];
const PAGE = 24;
const MOST = 100;
const REFRESH_MS = 10_000;
const FEW_VALUES = 6;

const asked = signal(question(location.search));
const found = signal(null);
/** Lots as bidding tells them now, by id: the catalogue itself learns of a price only at the end. */
const standing = signal(new Map());
const fault = signal(null);
const loading = signal(true);
let latest = 0;

function question(search) {
  const given = new URLSearchParams(search);
  return Object.fromEntries(ASKED.filter((name) => given.get(name)).map((name) => [name, given.get(name)]));
}

function address(wanted) {
  const search = new URLSearchParams(wanted).toString();
  return search ? `/?${search}` : "/";
}

function changed(changes) {
  const next = { ...asked.value, ...changes };
  return Object.fromEntries(Object.entries(next).filter(([, value]) => value));
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
    const page = await read(`/api/lots?${new URLSearchParams({ ...asked.value, ...paging, limit })}`);
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
  history.pushState(null, "", address(wanted));
  asked.value = wanted;
  load();
}

function follow(event, wanted) {
  if (event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  go(wanted);
}

addEventListener("popstate", () => { asked.value = question(location.search); load(); });
setInterval(() => {
  if (!document.hidden && !loading.value && found.value && found.value.lots.length <= MOST) load({ quiet: true });
}, REFRESH_MS);

function Catalogue() {
  const page = found.value;
  return html`
    <div class="catalogue">
      <h1>${t("catalogue.heading")}</h1>
      <${Search} />
      <div class="catalogue-body">
        <${Facets} facets=${page?.facets} />
        <section class="results" aria-label=${t("catalogue.results")} aria-busy=${loading.value}>
          <div class="results-head">
            <p class="total">${page ? t("catalogue.total", { n: page.total }) : " "}</p>
            <${Order} />
          </div>
          <${Results} page=${page} />
        </section>
      </div>
      <${Voice} />
    </div>`;
}

function Search() {
  const submit = (event) => {
    event.preventDefault();
    go(changed({ q: new FormData(event.currentTarget).get("q").trim() }));
  };
  return html`
    <form class="search" role="search" onSubmit=${submit}>
      <label class="unseen" for="q">${t("catalogue.search")}</label>
      <input id="q" name="q" type="search" maxlength="100" placeholder=${t("catalogue.placeholder")} defaultValue=${asked.value.q ?? ""} key=${asked.value.q ?? ""} />
      <button class="primary">${t("catalogue.go")}</button>
    </form>`;
}

function Order() {
  return html`
    <label class="order">${t("catalogue.sort")}
      <select value=${asked.value.sort ?? SORTS[0]} onChange=${(event) => go(changed({ sort: event.target.value === SORTS[0] ? "" : event.target.value }))}>
        ${SORTS.map((sort) => html`<option key=${sort} value=${sort}>${t(`sort.${sort}`)}</option>`)}
      </select>
    </label>`;
}

function Facets({ facets }) {
  const wide = matchMedia("(min-width: 56.25em)").matches;
  const chosen = [...FACETS, "region"].filter((facet) => asked.value[facet]).length + (asked.value.price_min || asked.value.price_max ? 1 : 0);
  return html`
    <details class="facets" open=${wide}>
      <summary>${t("catalogue.facets")}${chosen > 0 && html` <span class="count">${chosen}</span>`}</summary>
      <div class="facets-body">
        ${FACETS.slice(0, 3).map((facet) => html`<${Facet} key=${facet} facet=${facet} values=${facets?.[facet] ?? []} />`)}
        <${Bands} />
        <${Regions} counts=${new Map((facets?.region ?? []).map(({ value, count }) => [value, count]))} chosen=${asked.value.region} link=${linkTo} />
        ${FACETS.slice(3).map((facet) => html`<${Facet} key=${facet} facet=${facet} values=${facets?.[facet] ?? []} />`)}
        ${chosen > 0 && html`<a class="clear" href="/" onClick=${(event) => follow(event, asked.value.q ? { q: asked.value.q } : {})}>${t("catalogue.clear")}</a>`}
      </div>
    </details>`;
}

/** The link of a province; the chosen one takes itself back. */
function linkTo(region) {
  const wanted = changed({ region: region === asked.value.region ? "" : region });
  return { href: address(wanted), onClick: (event) => follow(event, wanted) };
}

function Facet({ facet, values }) {
  const chosen = asked.value[facet];
  if (!values.length && !chosen) return null;
  const listed = values.some(({ value }) => value === chosen) || !chosen ? values : [{ value: chosen, label: chosen, count: 0 }, ...values];
  const choice = (item) => html`<${Choice} key=${item.value} name=${label(facet, item)} count=${item.count} chosen=${item.value === chosen}
    wanted=${changed({ [facet]: item.value === chosen ? "" : item.value })} />`;
  const rest = listed.slice(FEW_VALUES);
  return html`
    <section class="facet">
      <h2>${t(`facet.${facet}`)}</h2>
      <ul>${listed.slice(0, FEW_VALUES).map(choice)}</ul>
      ${rest.length > 0 && html`
        <details class="facet-rest" open=${rest.some(({ value }) => value === chosen)}>
          <summary>${t("catalogue.rest", { n: rest.length })}</summary><ul>${rest.map(choice)}</ul>
        </details>`}
    </section>`;
}

function label(facet, { value, label: given }) {
  if (facet === "status") return t(`state.${stateOfCard({ status: value })}`);
  if (facet === "kind") return t(`kind.${value}`);
  if (facet === "round") return t(`round.${value}`);
  return given;
}

function Choice({ name, count, chosen, wanted }) {
  return html`
    <li><a class="choice" href=${address(wanted)} aria-current=${chosen ? "true" : undefined} onClick=${(event) => follow(event, wanted)}>
      <span>${name}</span>${count !== undefined && html`<span class="count">${count}</span>`}
    </a></li>`;
}

function Bands() {
  const fen = (words) => (words ? String(parsed(words)) : "");
  return html`
    <section class="facet">
      <h2>${t("facet.price")}</h2>
      <ul>${BANDS.map(([low, high]) => {
        const chosen = (asked.value.price_min ?? "") === fen(low) && (asked.value.price_max ?? "") === fen(high);
        const wanted = changed(chosen ? { price_min: "", price_max: "" } : { price_min: fen(low), price_max: fen(high) });
        return html`<${Choice} key=${`${low}-${high}`} name=${bandName(low, high)} chosen=${chosen} wanted=${wanted} />`;
      })}</ul>
    </section>`;
}

function bandName(low, high) {
  const say = (words) => (language.value === "zh" ? words : price(parsed(words)));
  if (!low) return t("band.below", { high: say(high) });
  return high ? t("band.between", { low: say(low), high: say(high) }) : t("band.above", { low: say(low) });
}

function Results({ page }) {
  if (fault.value) return html`<${Fault} problem=${fault.value} again=${() => load()} />`;
  if (!page) return html`<ul class="cards" aria-hidden="true">${[1, 2, 3, 4, 5, 6].map((n) => html`<li key=${n} class="card card-empty" />`)}</ul>`;
  if (!page.lots.length) return html`<${Nothing} />`;
  return html`
    <ul class=${`cards ${loading.value ? "cards-waiting" : ""}`}>
      ${page.lots.map((lot) => html`<${Card} key=${lot.id} lot=${lot} now=${page.now} rate=${page.rate} at=${page.at} />`)}
    </ul>
    ${page.next && html`<p class="more"><button type="button" disabled=${loading.value} onClick=${() => load({ more: true })}>${t("catalogue.more")}</button></p>`}`;
}

function Nothing() {
  const filtered = Object.keys(asked.value).some((name) => name !== "sort");
  return html`
    <div class="notice">
      <p>${t(filtered ? "catalogue.nothing" : "catalogue.empty")}</p>
      ${filtered && html`<p>${t("catalogue.widen")} <a href="/" onClick=${(event) => follow(event, {})}>${t("catalogue.all")}</a></p>`}
    </div>`;
}

function Card({ lot, now, rate, at }) {
  const current = standing.value.get(lot.id);
  const state = current ? stateOfLot(current) : stateOfCard(lot);
  const bid = current?.price_fen ?? lot.price_fen;
  const shown = bid ?? lot.start_price_fen;
  const of = bid === null ? "price.start" : ["sold", "defaulted", "annulled"].includes(state) ? "price.sold" : "price.current";
  return html`
    <li class="card">
      <a href=${`/lots/${lot.id}`}>
        <div class="card-picture">
          ${lot.picture ? html`<img src=${`/api/documents/${lot.picture}`} alt="" loading="lazy" />` : html`<${Drawing} kind=${lot.kind} title=${lot.title} />`}
        </div>
        <div class="card-body">
          <div class="card-line"><${State} state=${state} /><${Badges} lot=${lot} /></div>
          <h2 class="card-title">${lot.title}</h2>
          <p class="card-place">${lot.place} · ${lot.court_name}</p>
          <dl class="card-price">
            <div class="card-main"><dt>${t(of)}</dt><dd class="figure">¥${yuan(shown)} <small>${spoken(shown, language.value)}</small></dd></div>
            <div><dt>${t("price.reference")}</dt><dd class="figure">¥${yuan(lot.reference_price_fen)} <small>${overReference(shown, lot.reference_price_fen)}</small></dd></div>
          </dl>
          <p class="card-time"><${CardTime} state=${state} opensAt=${lot.opens_at} endsAt=${current?.ends_at ?? lot.ends_at} now=${now} rate=${rate} at=${at} /></p>
        </div>
      </a>
    </li>`;
}

const DAY_MS = 86_400_000;
const COUNTED = { upcoming: "time.opens", live: "time.ends", extended: "time.ends" };

function CardTime({ state, opensAt, endsAt, now, rate, at }) {
  const moment = state === "upcoming" ? opensAt : endsAt;
  const counted = COUNTED[state];
  const span = Date.parse(moment) - Date.parse(now);
  const read = useMemo(() => (instant) => Math.max(0, span - (instant - at) * rate), [span, at, rate]);
  return html`
    <time datetime=${moment}>${t(counted ?? "time.ended", { at: short(moment, language.value) })}</time>
    ${counted && span < DAY_MS && html`<span class="card-left">${t("time.still")} <${Countdown} read=${read} urgent=${state !== "upcoming"} /></span>`}`;
}

function Page() {
  useEffect(() => { load(); }, []);
  return html`<${Catalogue} />`;
}

mount(Page, () => t("catalogue.heading"));
