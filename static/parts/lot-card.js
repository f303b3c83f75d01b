// One lot in a list of cards: what it is, what it costs now, how long still. `standing` is how bidding stands now, if known.
import { html } from "../lib/dom.js";
import { language, t } from "../lib/i18n.js";
import { spoken, yuan } from "../lib/money.js";
import { short } from "../lib/time.js";
import { useMemo } from "../vendor/hooks.mjs";
import { Badges, startOf, State, stateOfCard, stateOfLot } from "./badges.js";
import { Countdown } from "./countdown.js";
import { Drawing } from "./drawing.js";
import { overReference } from "./reference.js";

const DAY_MS = 86_400_000;
const COUNTED = { upcoming: "time.opens", live: "time.ends", selling: "time.ends", extended: "time.ends" };
const SOLD = ["sold", "defaulted", "annulled"];

export function Card({ lot, standing, now, rate, at }) {
  const state = standing ? stateOfLot(standing) : stateOfCard(lot);
  const bid = standing?.price_fen ?? lot.price_fen;
  const shown = bid ?? lot.start_price_fen;
  const of = bid === null ? startOf(lot) : SOLD.includes(state) ? "price.sold" : "price.current";
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
            <div><dt>${t("price.deposit")}</dt><dd class="figure">¥${yuan(lot.deposit_fen)}${lot.watched > 0 && html` <small class="card-watched">${t("card.watched", { n: lot.watched })}</small>`}</dd></div>
          </dl>
          <p class="card-time"><${CardTime} state=${state} opensAt=${lot.opens_at} endsAt=${standing?.ends_at ?? lot.ends_at} now=${now} rate=${rate} at=${at} /></p>
        </div>
      </a>
    </li>`;
}

function CardTime({ state, opensAt, endsAt, now, rate, at }) {
  const moment = state === "upcoming" ? opensAt : endsAt;
  const counted = COUNTED[state];
  const span = Date.parse(moment) - Date.parse(now);
  const read = useMemo(() => (instant) => Math.max(0, span - (instant - at) * rate), [span, at, rate]);
  return html`
    <time datetime=${moment}>${t(counted ?? "time.ended", { at: short(moment, language.value) })}</time>
    ${counted && span < DAY_MS && html`<span class="card-left"><${Countdown} label=${t("time.still")} read=${read} urgent=${state !== "upcoming"} /></span>`}`;
}
