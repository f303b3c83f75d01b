// Words and shapes of a lot's state; the colour only repeats what they say.
import { html } from "../lib/dom.js";
import { t } from "../lib/i18n.js";

const SHAPES = { upcoming: "ring", live: "dot", selling: "dot", extended: "dot", sold: "square", failed: "bar", suspended: "pause", frozen: "pause" };
/** Whether a lot is sold off: at a price paid in whole beforehand (变卖, R-SELL-04). */
export function isSellOff({ method }) {
  return method === "sell_off";
}

/** How the price that the sale starts from is named. */
export function startOf(lot) {
  return isSellOff(lot) ? "price.sell-off" : "price.start";
}

const CATALOGUE = { published: "upcoming", live: "live" };

/** The state of a lot in the catalogue's words, as the pages name it. */
export function stateOfCard(lot) {
  if (lot.status === "live" && isSellOff(lot)) return "selling";
  return CATALOGUE[lot.status] ?? lot.status;
}

/** The state of a lot in the live feed. */
export function stateOfLot(lot) {
  if (lot.status === "closed") return lot.outcome;
  if (lot.status !== "open") return lot.status;
  if (lot.extensions > 0) return "extended";
  return isSellOff(lot) ? "selling" : "live";
}

export function State({ state }) {
  return html`<span class=${`state state-${state}`}><i class=${`shape shape-${SHAPES[state] ?? "bar"}`} aria-hidden="true" />${t(`state.${state}`)}</span>`;
}

/** What one must know at a glance: round, purchase limit, whether it is empty, who may buy first, a hold. */
export function Badges({ lot }) {
  const badges = [
    t(`round.${lot.round}`),
    lot.purchase_limited && t("badge.limited"),
    lot.vacated && t("badge.vacated"),
    lot.priority_purchaser && t("badge.priority"),
    lot.loan_available && t("loan.yes"),
    lot.held && t("badge.held"),
  ].filter(Boolean);
  return html`<ul class="badges">${badges.map((badge) => html`<li key=${badge}>${badge}</li>`)}</ul>`;
}
