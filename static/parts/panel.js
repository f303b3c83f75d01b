// The right side of a lot: where it stands, how long, at which price, who leads, and what the visitor can do now.
import { html } from "../lib/dom.js";
import { language, t } from "../lib/i18n.js";
import { ladder } from "../lib/events.js";
import { percentOver, spoken, yuan } from "../lib/money.js";
import { clock, left, moment } from "../lib/time.js";
import { useMemo } from "../vendor/hooks.mjs";
import { isSellOff, startOf, State, stateOfLot } from "./badges.js";
import { BidBox } from "./bid-box.js";
import { Countdown, spanWords, toEnd, toOpening } from "./countdown.js";
import { POLITE } from "./messages.js";
import { Desk } from "./take-part.js";
import { Ladder } from "./record.js";
import { overReference } from "./reference.js";
import { Result } from "./result.js";

const FINISHED = ["closed", "withdrawn", "annulled"];
const HALTED = ["suspended", "frozen"];
const UNDONE = ["defaulted", "annulled"];
const LATEST = 4;

export function Panel(parts) {
  const { room, lot } = parts;
  const picture = room.picture.value;
  if (!picture) return html`<div class="panel"><${Connection} room=${room} /><p>${t("page.loading")}</p></div>`;
  const shown = picture.lot;
  const finished = FINISHED.includes(shown.status);
  // Who can bid sees the box next to the price, and the numbers after it.
  const bidding = !finished && parts.own?.unlocked;
  const latest = ladder(picture.events).slice(0, LATEST);
  const numbers = { lot, shown, watchers: picture.watchers, own: parts.own };
  return html`
    <div class="panel">
      <div class="panel-head"><${State} state=${UNDONE.includes(lot.status) ? lot.status : stateOfLot(shown)} /><${Connection} room=${room} /></div>
      <${Clock} room=${room} lot=${shown} reason=${picture.reason ?? lot.halt_reason} />
      <${Price} lot=${lot} shown=${shown} />
      <${Priority} picture=${picture} own=${parts.own} />
      ${!bidding && html`<${Numbers} ...${numbers} />`}
    </div>
    ${finished ? html`<${Result} ...${parts} shown=${shown} />` : bidding
      ? html`<${BidBox} ...${parts} /><div class="panel"><${Numbers} ...${numbers} /></div>`
      : html`<${Desk} ...${parts} shown=${shown} />`}
    ${!finished && latest.length > 0 && html`
      <div class="panel panel-latest"><h2>${t("record.latest")}</h2><${Ladder} bids=${latest} own=${parts.own} head=${false} /></div>`}`;
}

function Connection({ room }) {
  const state = room.connection.value;
  return html`<span class=${`connection connection-${state}`} ...${POLITE}><i aria-hidden="true" />${t(`connection.${state}`)}</span>`;
}

function Clock({ room, lot, reason }) {
  const upcoming = lot.status === "upcoming";
  const read = useMemo(() => (upcoming ? toOpening : toEnd)(room.time), [upcoming]);
  if (FINISHED.includes(lot.status)) {
    return lot.ends_at && html`<p class="clock-note">${t("clock.ended", { at: moment(lot.ends_at, language.value) })}</p>`;
  }
  if (HALTED.includes(lot.status)) {
    const kept = room.time.value ? left(room.time.value, 0, false).remaining : 0;
    return html`
      <p class="clock"><span class="clock-label">${t("clock.kept")}</span> <span class="countdown">${spanWords(kept)}</span></p>
      <p class="clock-note">${t(`clock.${lot.status}`)}${reason && ` ${t("event.reason")}${reason}`}</p>`;
  }
  if (upcoming) {
    return html`
      <p class="clock"><${Countdown} label=${t("clock.to-start")} read=${read} announce=${true} /></p>
      <p class="clock-note">${t("clock.opens", { at: moment(lot.opens_at, language.value) })}</p>`;
  }
  return html`
    <p class="clock"><${Countdown} label=${t("clock.to-end")} read=${read} urgent=${true} announce=${true} /></p>
    <p class="clock-note">${lot.extensions > 0 ? t("clock.extended", { n: lot.extensions, planned: clock(lot.scheduled_end) }) : t("clock.ends", { at: moment(lot.ends_at, language.value) })}${isSellOff(lot) && lot.bids === 0 && ` · ${t("clock.sell-off")}`}</p>`;
}

function Price({ lot, shown }) {
  const fen = shown.price_fen ?? shown.start_price_fen;
  const of = shown.price_fen === null ? startOf(shown) : shown.status === "closed" ? "price.sold" : "price.current";
  return html`
    <div class="price">
      <p class="price-label">${t(of)}</p>
      <p class="price-figure figure"><span class="price-sign">¥</span>${yuan(fen)}</p>
      <p class="price-words">${[spoken(fen, language.value), shown.price_fen !== null && premium(shown, lot)].filter(Boolean).join(" · ")}</p>
    </div>`;
}

function premium(shown, lot) {
  return [t("price.over-start", { percent: percentOver(shown.price_fen, shown.start_price_fen) }), overReference(shown.price_fen, lot.reference_price_fen)].join(" · ");
}

/** Why an equal price may lead: told where a priority purchaser takes part, to all who see it happen (R-PRIO-02). */
function Priority({ picture, own }) {
  const seen = picture.lot.leader_rank !== null || picture.events.some(({ rank }) => rank);
  if (!seen && !own?.priority_rank) return null;
  return html`<p class="priority-note">${t(own?.priority_rank ? "priority.own" : "priority.other", { n: own?.priority_rank ?? "" })} <span class="rule">R-PRIO-02</span></p>`;
}

function Numbers({ lot, shown, watchers, own }) {
  const leads = own?.code && shown.leader === own.code;
  const finished = FINISHED.includes(shown.status);
  const rows = [
    ["price.prepaid", isSellOff(shown) && !finished && `¥${yuan(shown.start_price_fen)}`],
    [finished ? "panel.winner" : "panel.leader", shown.leader ? html`<strong class="figure">${shown.leader}</strong>${leads && html` <span class="tag tag-me">${t("tag.me")}</span>`}${shown.leader_rank && html` <span class="tag tag-priority">${t("tag.priority")}</span>`}` : shown.status !== "upcoming" && t(finished ? "panel.none" : "panel.nobody")],
    ["panel.bids", shown.status !== "upcoming" && shown.bids],
    ["price.increment", `¥${yuan(lot.increment_fen)}`],
    ["price.deposit", `¥${yuan(lot.deposit_fen)}`],
    [startOf(shown), shown.price_fen !== null && `¥${yuan(lot.start_price_fen)}`],
    ["price.reference", `¥${yuan(lot.reference_price_fen)}`],
    ["panel.bidders", !finished && (shown.bidders > 0 ? t("panel.watchers.about", { n: shown.bidders }) : t("panel.few"))],
    ["panel.watchers", watchers > 0 && t("panel.watchers.about", { n: watchers })],
    ["panel.followers", lot.watched > 0 && t("panel.watchers.about", { n: lot.watched })],
  ];
  return html`<dl class="numbers">${rows.map(([key, value]) => value !== false && html`<div key=${key}><dt>${t(key)}</dt><dd class="figure">${value}</dd></div>`)}</dl>`;
}
