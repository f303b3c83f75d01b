// How it ended, and what it means for the visitor.
import { html } from "../lib/dom.js";
import { language, t } from "../lib/i18n.js";
import { yuan } from "../lib/money.js";
import { moment } from "../lib/time.js";
import { Receipt } from "./receipt.js";

const UNDONE = ["defaulted", "annulled"];

export function Result({ lot, room, own, deposit, shown }) {
  const sold = shown.status === "closed" && shown.outcome === "sold";
  const won = sold && own?.code && own.code === shown.leader;
  const key = sold ? (UNDONE.includes(lot.status) ? `result.${lot.status}` : "result.sold") : shown.status === "closed" ? "result.failed" : `result.${shown.status}`;
  return html`
    <section class=${`panel result ${won ? "result-won" : ""}`} aria-labelledby="result">
      <h2 id="result">${t("result.heading")}</h2>
      <p>${t(key, { code: shown.leader ?? "", price: shown.price_fen === null ? "" : `¥${yuan(shown.price_fen)}` })}</p>
      ${lot.result && html`<p class="aside">${t("result.counts", { bids: lot.result.bids, extensions: lot.result.extensions, at: moment(lot.result.ended_at, language.value) })}</p>`}
      ${won && html`<p class="stance stance-leading">${t("result.won", { days: lot.balance_due_days, balance: `¥${yuan(Math.max(0, shown.price_fen - lot.deposit_fen))}` })} <a href=${`/mine#lot-${lot.id}`}>${t("result.pay")}</a></p>`}
      ${own?.code && !won && html`<p>${t("result.not-won")}${deposit && ` ${t("result.deposit", { state: t(`deposit.${deposit.state}`) })}`}</p>`}
      <${Receipt} room=${room} />
      <p><a href=${`/lots/${lot.id}/record`}>${t("result.record")}</a></p>
    </section>`;
}
