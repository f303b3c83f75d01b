// One's own money and papers in one auction: deposit, purchase, papers, receipts.
import { read } from "../lib/api.js";
import { html } from "../lib/dom.js";
import { language, t } from "../lib/i18n.js";
import { yuan } from "../lib/money.js";
import { stations } from "../lib/needs.js";
import { simulatedBank } from "../lib/session.js";
import { clock, day, short, until as lastMoment } from "../lib/time.js";
import { useState } from "../vendor/hooks.mjs";
import { useCommand } from "./form.js";
import { Fault, Refusal } from "./messages.js";
import { useReading } from "./reading.js";
import { receiptFile } from "./receipt.js";
import { payAtSimulatedBank } from "./simulated-bank.js";

/** Where the deposit stands; while it is awaited, where to pay it. */
export function Deposit({ own: { lot, deposit }, again }) {
  if (!deposit) return null;
  const awaited = deposit.state === "awaiting";
  return html`
    <section class="money" aria-label=${t("price.deposit")}>
      <h4>${t("price.deposit")} <span class=${`deposit-state deposit-${deposit.state}`}>${t(`deposit.${deposit.state}`)}</span></h4>
      <dl class="mine-facts">
        <div><dt>${t("deposit.due")}</dt><dd class="figure">¥${yuan(deposit.due_fen)}</dd></div>
        <div><dt>${t("deposit.received")}</dt><dd class="figure">¥${yuan(deposit.received_fen)}</dd></div>
        ${deposit.refunds.map((refund) => html`<div key=${refund.ordered_at}><dt>${t("deposit.refund")}</dt><dd class="figure">¥${yuan(refund.amount_fen)} <small>${t(`refund.${refund.state}`)} · ${short(refund.ordered_at, language.value)}</small></dd></div>`)}
        ${deposit.set_aside_fen > 0 && html`<div><dt>${t("deposit.aside")}</dt><dd class="figure">¥${yuan(deposit.set_aside_fen)}</dd></div>`}
      </dl>
      ${awaited && html`<${Payment} account=${deposit.account_no} missing=${deposit.missing_fen} until=${lot.ends_at ?? lot.scheduled_end} again=${again} />`}
    </section>`;
}

/** The buyer's road from the hammer to the key, and the balance to pay. */
export function Purchase({ sale, again }) {
  return html`
    <section class="money" aria-label=${t("purchase.heading")}>
      <h4>${t("purchase.heading")}</h4>
      <ol class="road">${stations(sale).map(({ key, on, done }) => html`
        <li key=${key} class=${done ? "road-done" : ""}><span class="road-name">${t(`station.${key}`)}</span><span class="unseen">${t(done ? "station.done" : "station.open")}</span>
          ${on && html`<span class="road-day figure">${done ? "" : t("station.by")} ${dayOf(on)}</span>`}</li>`)}</ol>
      <dl class="mine-facts">
        <div><dt>${t("price.sold")}</dt><dd class="figure">¥${yuan(sale.price_fen)}</dd></div>
        <div><dt>${t("purchase.deposit")}</dt><dd class="figure">¥${yuan(sale.deposit_fen)}</dd></div>
        ${sale.set_off_fen > 0 && html`<div><dt>${t("purchase.set-off")}</dt><dd class="figure">¥${yuan(sale.set_off_fen)}</dd></div>`}
        <div><dt>${t("purchase.received")}</dt><dd class="figure">¥${yuan(sale.received_fen)}</dd></div>
        <div><dt>${t("purchase.missing")}</dt><dd class="figure"><strong>¥${yuan(sale.missing_fen)}</strong></dd></div>
      </dl>
      ${sale.state === "awaiting_balance" && html`<${Payment} account=${sale.account_no} missing=${sale.missing_fen} until=${sale.balance_due_at} overdue=${sale.overdue} again=${again} />`}
      ${sale.state === "defaulted" && html`<p class="deadline">${t("purchase.defaulted")}</p>`}
    </section>`;
}

/** A day as it stands; of a moment its day, where midnight is the end of the day before. */
function dayOf(on) {
  return on.length > 10 ? lastMoment(on, language.value) : day(`${on}T00:00:00+08:00`, language.value);
}

function Payment({ account, missing, until, overdue, again }) {
  const [pay, busy, problem] = useCommand(async () => {
    await payAtSimulatedBank(account, missing);
    await again();
  });
  return html`
    <div class="payment">
      <p>${t("deposit.text", { missing: `¥${yuan(missing)}` })}</p>
      <p><span class="aside">${t("deposit.account")}</span> <code class="account-no">${account}</code></p>
      <p class="deadline">${t(overdue ? "need.overdue" : "need.until", { at: lastMoment(until, language.value) })}</p>
      <${Refusal} problem=${problem} />
      ${simulatedBank && missing > 0 && html`<button type="button" class="primary" disabled=${busy} onClick=${pay}>${busy ? t("form.busy") : t("deposit.pay")}</button>`}
    </div>`;
}

export function Papers({ papers }) {
  if (!papers.length) return null;
  return html`
    <section class="money" aria-label=${t("papers.heading")}>
      <h4>${t("papers.heading")}</h4>
      <ul class="papers">${papers.map((paper) => html`
        <li key=${paper.id}><a href=${`/api/papers/${paper.id}/pdf`}>${paper.title} PDF</a> <span class="aside">${short(paper.made_at, language.value)}</span></li>`)}</ul>
    </section>`;
}

/** Receipts of one's own bids, read when they are looked at. */
export function Receipts({ lotId }) {
  const [open, setOpen] = useState(false);
  return html`
    <details class="receipts" onToggle=${(event) => setOpen(event.currentTarget.open)}>
      <summary>${t("receipts.heading")}</summary>
      ${open && html`<${ReceiptTable} lotId=${lotId} />`}
    </details>`;
}

function ReceiptTable({ lotId }) {
  const { value, problem, again } = useReading(() => read(`/api/lots/${lotId}/receipts`), null, [lotId]);
  if (problem) return html`<${Fault} problem=${problem} again=${again} />`;
  if (!value) return html`<p class="aside">${t("page.loading")}</p>`;
  return html`
    <div class="table-wrap" tabindex="0" role="region" aria-label=${t("receipts.heading")}>
      <table class="ladder">
        <thead><tr><th scope="col">${t("receipts.seq")}</th><th scope="col" class="number">${t("record.price")}</th><th scope="col" class="number">${t("receipt.at")}</th><th scope="col">${t("receipt.link")}</th><th scope="col">${t("downloads.short")}</th></tr></thead>
        <tbody>${value.receipts.map(({ seq, receipt }) => html`
          <tr key=${seq}><th scope="row" class="figure">${seq}</th><td class="number figure">${yuan(receipt.event.price_fen)}</td>
            <td class="number figure">${short(receipt.event.at, language.value).replace(/\d\d:\d\d$/, "")}${clock(receipt.event.at, true)}</td><td><code class="hash">${receipt.link}</code></td><td><a href=${receiptFile(receipt)} download=${`receipt-${seq}.json`}>${t("receipt.save")}</a></td></tr>`)}</tbody>
      </table>
    </div>
    <p><a href="/verify">${t("receipt.verify")}</a></p>`;
}

