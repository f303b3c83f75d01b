// The way to a first bid, one step at a time and never a dead end: sign in, register, deposit, bid password, unlock.
import { command } from "../lib/api.js";
import { html } from "../lib/dom.js";
import { language, t } from "../lib/i18n.js";
import { yuan } from "../lib/money.js";
import { comingBack, isBidder, person, simulatedBank } from "../lib/session.js";
import { moment } from "../lib/time.js";
import { useState } from "../vendor/hooks.mjs";
import { isSellOff } from "./badges.js";
import { Field, useCommand } from "./form.js";
import { POLITE, Refusal } from "./messages.js";
import { payAtSimulatedBank } from "./simulated-bank.js";

const KINDS = ["ordinary", "applicant", "other_creditor"];

const DEPOSIT = { step: "desk.step.deposit", go: "register-lot.go", heading: "deposit.heading" };
const PREPAID = { step: "desk.step.prepaid", go: "register-lot.prepaid", heading: "deposit.prepaid" };

/** What must arrive before one may bid, and the words for it: in a sell-off it is the whole price (R-SELL-04). */
function security(lot) {
  const whole = isSellOff(lot);
  return { due: `¥${yuan(whole ? lot.start_price_fen : lot.deposit_fen)}`, words: whole ? PREPAID : DEPOSIT };
}

const LOOK_MS = 100;
const LOOKS = 50;

/** The next step takes the focus once it is there, since the button that led to it is gone; not from where one went. */
function arrive(looks = LOOKS) {
  setTimeout(() => {
    const heading = document.querySelector("#take-part, #bid-box");
    if (document.activeElement !== document.body && looks < LOOKS) return;
    if (heading) heading.focus();
    else if (looks) arrive(looks - 1);
  }, LOOK_MS);
}

/** What the visitor can do about this lot now. */
export function Desk(parts) {
  const { own } = parts;
  if (!person) return html`<${Visitor} ...${parts} />`;
  if (!isBidder) return html`<div class="panel"><p>${t("desk.staff")}</p></div>`;
  if (!own) return html`<${Registration} ...${parts} />`;
  if (own.state === "awaiting_deposit") return html`<${Deposit} ...${parts} />`;
  if (own.state !== "admitted") return html`<div class="panel"><p>${t(`desk.${own.state}`)}</p></div>`;
  return html`<${Password} ...${parts} />`;
}

function Visitor({ lot, shown }) {
  const { due, words } = security(lot);
  const steps = ["desk.step.account", words.step, "desk.step.bid"];
  return html`
    <section class="panel" aria-labelledby="take-part">
      <h2 id="take-part" tabindex="-1">${t("desk.heading")}</h2>
      <ol class="steps">${steps.map((step) => html`<li key=${step}>${t(step, { deposit: due })}</li>`)}</ol>
      <p class="deadline">${t("desk.last-moment", { at: moment(shown.ends_at ?? shown.scheduled_end, language.value) })}</p>
      <div class="row">
        <a class="button primary" href=${comingBack("/sign-in")}>${t("account.sign-in")}</a>
        <a class="button" href=${comingBack("/register")}>${t("account.register")}</a>
      </div>
    </section>`;
}

function Registration({ lot, reload }) {
  const { due, words } = security(lot);
  const [submit, busy, problem] = useCommand(async (form) => {
    await command(`/api/lots/${lot.id}/registrations`, {
      kind: form.get("kind"),
      accepts: lot.announcement_version,
      declares_eligible: form.get("eligible") === "on",
    });
    await reload();
    arrive();
  });
  return html`
    <section class="panel" aria-labelledby="take-part">
      <h2 id="take-part" tabindex="-1">${t("register-lot.heading")}</h2>
      <form class="form" onSubmit=${submit}>
        <fieldset><legend>${t("register-lot.kind")}</legend>
          ${KINDS.map((kind, index) => html`<label class="check" key=${kind}><input type="radio" name="kind" value=${kind} defaultChecked=${index === 0} />${t(`bidder.${kind}`)}</label>`)}
        </fieldset>
        <label class="check"><input type="checkbox" name="accepts" required /><span>${t("register-lot.accepts")}</span></label>
        <label class="check"><input type="checkbox" name="eligible" required /><span>${t("register-lot.eligible")}${lot.purchase_limited && html` <strong>${t("register-lot.limited")}</strong>`}</span></label>
        <${Refusal} problem=${problem} />
        <button class="primary" disabled=${busy}>${busy ? t("form.busy") : t(words.go, { deposit: due })}</button>
      </form>
    </section>`;
}

function Deposit({ lot, own, deposit, shown, reload }) {
  const [pay, busy, problem] = useCommand(async () => {
    await payAtSimulatedBank(deposit.account_no, deposit.missing_fen);
    await reload();
    arrive();
  });
  if (!deposit) return html`<div class="panel"><p>${t("page.loading")}</p></div>`;
  const rows = [
    ["deposit.account", html`<code class="account-no">${deposit.account_no}</code>`],
    ["deposit.due", html`<span class="figure">¥${yuan(deposit.due_fen)}</span>`],
    deposit.received_fen > 0 && ["deposit.received", html`<span class="figure">¥${yuan(deposit.received_fen)}</span>`],
  ].filter(Boolean);
  return html`
    <section class="panel" aria-labelledby="take-part">
      <h2 id="take-part" tabindex="-1">${t(security(lot).words.heading)}</h2>
      <p>${t("deposit.text", { missing: `¥${yuan(deposit.missing_fen || own.deposit_due_fen)}` })}</p>
      <dl class="pairs">${rows.map(([key, value]) => html`<div key=${key}><dt>${t(key)}</dt><dd>${value}</dd></div>`)}</dl>
      <p class="deadline">${t("desk.last-moment", { at: moment(shown.ends_at ?? shown.scheduled_end, language.value) })}</p>
      <p class="waiting" ...${POLITE}>${t("deposit.waiting")}</p>
      <${Refusal} problem=${problem} />
      ${simulatedBank && deposit.missing_fen > 0 && html`<button type="button" class="primary" disabled=${busy} onClick=${pay}>${busy ? t("form.busy") : t("deposit.pay")}</button>`}
    </section>`;
}

function Password({ lot, own, reload, shown }) {
  const [issued, setIssued] = useState(null);
  const [typed, setTyped] = useState("");
  const [issue, issuing, issueProblem] = useCommand(async () => {
    const { password } = await command(`/api/lots/${lot.id}/bid-password`);
    setIssued(password);
    setTyped(password);
    arrive();
  });
  const [unlock, unlocking, unlockProblem] = useCommand(async () => {
    await command(`/api/lots/${lot.id}/unlock`, { password: typed.trim() });
    await reload();
    arrive();
  });
  return html`
    <section class="panel" aria-labelledby="take-part">
      <h2 id="take-part" tabindex="-1">${t("password.heading")}</h2>
      <p>${t("password.admitted")} <strong class="figure">${own.code}</strong>${own.priority_rank && ` · ${t("password.rank", { n: own.priority_rank })}`}</p>
      ${shown.status === "upcoming" && html`<p class="aside">${t("password.upcoming", { at: moment(shown.opens_at, language.value) })}</p>`}
      ${issued ? html`<p>${t("password.issued")}</p><p class="secret figure">${issued}</p>` : !own.has_password && html`<p>${t("password.none")}</p>`}
      ${own.has_password || issued
        ? html`<form class="form" onSubmit=${unlock}>
            <${Field} name="bid-password" label=${t("password.label")} autocomplete="off" autocapitalize="characters" value=${typed} onInput=${(event) => setTyped(event.target.value)} required />
            <${Refusal} problem=${unlockProblem} />
            <button class="primary" disabled=${unlocking}>${t("password.unlock")}</button>
          </form>`
        : html`<button type="button" class="primary" disabled=${issuing} onClick=${issue}>${t("password.issue")}</button>`}
      <${Refusal} problem=${issueProblem} />
      ${own.has_password && !issued && html`<p class="aside">${t("password.forgotten")} <button type="button" class="plain" disabled=${issuing} onClick=${issue}>${t("password.again")}</button></p>`}
    </section>`;
}
