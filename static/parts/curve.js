// The price in the order of the bids, as steps; the reference price as a line where it is in sight. Not over time: a day of
// silence would press the last minutes, where prices are made, into one upright line.
import { html } from "../lib/dom.js";
import { language, t } from "../lib/i18n.js";
import { price, spoken } from "../lib/money.js";
import { short } from "../lib/time.js";

const WIDE = 640;
const HIGH = 180;
const MOST_POINTS = 400;
const LEAST = 2;

/** Points of a step line from `bids` (latest first), about `most` of them, the last always kept; x runs from 0 to 1. */
export function steps(bids, most = MOST_POINTS) {
  const ordered = bids.toReversed();
  const every = Math.ceil(ordered.length / most);
  const last = ordered.length - 1;
  const points = ordered.map((bid, index) => ({ x: index / Math.max(1, last), price: bid.price_fen }));
  return points.filter((_, index) => index % every === 0 || index === last);
}

/** Whether there are bids enough to draw. */
export function drawable(bids) {
  return bids.length >= LEAST;
}

export function Curve({ bids, lot, reference }) {
  if (!drawable(bids)) return null;
  const points = steps(bids);
  const lowest = Math.min(lot.start_price_fen, points[0].price);
  const highest = points.at(-1).price;
  const inSight = reference >= lowest && reference <= highest + (highest - lowest) * 0.5;
  const top = inSight ? Math.max(reference, highest) : highest;
  const y = (fen) => HIGH - ((fen - lowest) / (top - lowest || 1)) * HIGH;
  const path = points.map(({ x, price: fen }, index) => `${index ? `H${(x * WIDE).toFixed(1)}V` : `M0 ${HIGH}V`}${y(fen).toFixed(1)}`).join("");
  const label = (fen) => spoken(fen, language.value)?.replace(/^(约|about) /, "") ?? price(fen);
  return html`
    <figure class="curve" role="img" aria-label=${t("curve.label", { n: bids.length, from: label(points[0].price), to: label(highest) })}>
      <svg viewBox=${`-4 -10 ${WIDE + 8} ${HIGH + 20}`} preserveAspectRatio="none" aria-hidden="true">
        <path class="curve-floor" d=${`M0 ${HIGH}H${WIDE}`} />
        ${inSight && html`<path class="curve-reference" d=${`M0 ${y(reference)}H${WIDE}`} />`}
        <path class="curve-area" d=${`${path}H${WIDE}V${HIGH}Z`} />
        <path class="curve-line" d=${`${path}H${WIDE}`} />
      </svg>
      <figcaption>
        <span>${short(bids.at(-1).at, language.value)}<br />${label(points[0].price)}</span>
        <span>${t("curve.order")}</span>
        ${inSight && html`<span class="curve-legend"><i aria-hidden="true" />${t("price.reference")} ${label(reference)}</span>`}
        <span class="curve-end">${short(bids[0].at, language.value)}<br />${label(highest)}</span>
      </figcaption>
    </figure>`;
}
