// The course of the bidding, as everybody sees it: ladder, price curve, chronicle (R-BID-12).
import { chronicle, ladder } from "../lib/events.js";
import { html } from "../lib/dom.js";
import { language, t } from "../lib/i18n.js";
import { yuan } from "../lib/money.js";
import { clock, dated } from "../lib/time.js";
import { useState } from "../vendor/hooks.mjs";
import { Curve } from "./curve.js";

const SHOWN = 12;
const FINISHED = ["closed", "withdrawn", "annulled"];

export function Record({ room, lot, own }) {
  const picture = room.picture.value;
  const [withMs, setWithMs] = useState(false);
  const [shown, setShown] = useState(SHOWN);
  if (!picture) return null;
  const bids = ladder(picture.events);
  const earlier = picture.events.length > 0 && picture.events[0].seq > 1;
  const more = async () => {
    if (shown >= bids.length && earlier) await room.loadEarlier();
    setShown(shown + 200);
  };
  return html`
    <section class="record" aria-labelledby="record">
      <div class="record-head">
        <h2 id="record">${t("record.heading")}</h2>
        <span class="aside">${t("record.bids", { n: picture.lot.bids })}</span>
        <label class="check"><input type="checkbox" checked=${withMs} onChange=${(event) => setWithMs(event.target.checked)} />${t("record.ms")}</label>
      </div>
      <${Curve} bids=${bids} lot=${picture.lot} reference=${lot.reference_price_fen} />
      ${picture.lot.bids === 0 ? html`<p class="aside">${t(FINISHED.includes(picture.lot.status) ? "record.nobody" : "record.none")}</p>` : bids.length > 0 && html`
        <${Ladder} bids=${bids.slice(0, shown)} own=${own} withMs=${withMs} />
        ${(bids.length > shown || earlier) && html`<p class="more"><button type="button" onClick=${more}>${t("record.more")}</button></p>`}`}
      <${Chronicle} events=${picture.events} withMs=${withMs} />
    </section>`;
}

export function Ladder({ bids, own, withMs, head = true }) {
  return html`
    <table class="ladder">
      <caption class="unseen">${t("record.caption")}</caption>
      <thead class=${head ? "" : "unseen"}><tr><th scope="col">${t("record.code")}</th><th scope="col" class="number">${t("record.price")}</th><th scope="col" class="number">${t("record.time")}</th></tr></thead>
      <tbody>${bids.map((bid, index) => html`
        <tr key=${bid.seq} class=${index === 0 ? "ladder-first" : ""}>
          <th scope="row"><span class="figure">${bid.code}</span>${tags(bid, own).map((tag) => html` <span key=${tag} class=${`tag tag-${tag}`}>${t(`tag.${tag}`)}</span>`)}</th>
          <td class="number figure">${yuan(bid.price_fen)}</td>
          <td class="number figure"><time datetime=${bid.at}>${sameDay(bid, bids[0]) ? clock(bid.at, withMs) : dated(bid.at, language.value, withMs)}</time></td>
        </tr>`)}</tbody>
    </table>`;
}

function sameDay(one, other) {
  return one.at.slice(0, 10) === other.at.slice(0, 10);
}

function tags({ code, rank, extended }, own) {
  return [own?.code === code && "me", rank && "priority", extended && "extended"].filter(Boolean);
}

function Chronicle({ events, withMs }) {
  const told = chronicle(events);
  if (!told.length) return null;
  return html`
    <details class="chronicle" open=${told.length < 8}>
      <summary>${t("record.events", { n: told.length })}</summary>
      <ol>${told.map((event) => html`
        <li key=${event.seq}>
          <time class="figure" datetime=${event.at}>${dated(event.at, language.value, withMs)}</time>
          <span>${t(event.kind === "bid" ? "event.extended" : `event.${event.kind}`)}${event.kind === "bid" && event.ends_at && html` → <span class="figure">${clock(event.ends_at, withMs)}</span>`}${event.kind === "closed" && ` · ${t(`state.${event.status}`)}${event.code ? ` · ${event.code}` : ""}`}</span>
          ${event.reason && html`<span class="reason">${t("event.reason")}${event.reason}</span>`}
        </li>`)}</ol>
    </details>`;
}
