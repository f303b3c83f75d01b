// The receipt of one's own last accepted bid: its place in the lot's chain.
import { html } from "../lib/dom.js";
import { language, t } from "../lib/i18n.js";
import { yuan } from "../lib/money.js";
import { moment } from "../lib/time.js";

export function Receipt({ room }) {
  const receipt = room.receipt.value;
  if (!receipt) return null;
  return html`
    <details class="receipt">
      <summary>${t("receipt.heading", { seq: receipt.seq })}</summary>
      <dl class="pairs">
        <div><dt>${t("record.price")}</dt><dd class="figure">¥${yuan(receipt.event.price_fen)}</dd></div>
        <div><dt>${t("receipt.at")}</dt><dd class="figure">${moment(receipt.event.at, language.value)}.${receipt.event.at.slice(20, 23)}</dd></div>
        <div><dt>${t("receipt.link")}</dt><dd><code class="hash">${receipt.link}</code></dd></div>
      </dl>
      ${receipt.bytes && html`<p><a href=${receiptFile(receipt)} download=${`receipt-${receipt.seq}.json`}>${t("receipt.save")}</a> <a href="/verify">${t("receipt.verify")}</a></p>`}
    </details>`;
}

/** The address of a receipt as a file to keep. */
export function receiptFile(receipt) {
  return `data:application/json;charset=utf-8,${encodeURIComponent(JSON.stringify(receipt))}`;
}
