// Bidding: own state in words, the amount, the button with the amount on it. A bid cannot be taken back, so the amount never
// changes under the finger, a jump is confirmed, and nothing counts as accepted before the server has said so.
import { increments, lowest, mayMatch, mustConfirm, neighbours, stance } from "../lib/bidding.js";
import { html } from "../lib/dom.js";
import { language, t } from "../lib/i18n.js";
import { capitals, parsed, price, spoken, yuan } from "../lib/money.js";
import { minimum } from "../lib/refusals.js";
import { comingBack } from "../lib/session.js";
import { useEffect, useMemo, useRef } from "../vendor/hooks.mjs";
import { batch, computed, effect, signal } from "../vendor/signals.mjs";
import { Countdown, toEnd, toOpening } from "./countdown.js";
import { POLITE, Refusal } from "./messages.js";
import { Receipt } from "./receipt.js";

const STEPS = [1, 2, 5];
const SETTLE_MS = 600;
const RUSH_MS = 2_000;

/** What was typed, or null while the amount follows the lowest bid. */
const typed = signal(null);
const asking = signal(null);
/** Whether the followed amount has just moved: a tap now was meant for the amount before. */
const moving = signal(false);
/** The price has not rested for so long that a button which follows it cannot be pressed. */
const rushing = signal(false);
const boxInSight = signal(true);

/** The amount that would be bid now; null if what was typed is none. */
function amountOf(lot, own) {
  if (typed.value === null) return lowest(lot, own);
  return parsed(typed.value);
}

/** Type a grid amount `n` increments over the current price. */
function step(lot, n) {
  const base = lot.price_fen ?? lot.start_price_fen - lot.increment_fen;
  typed.value = yuan(base + n * lot.increment_fen);
}

/** Send at once, or ask first where the amount must be confirmed. */
function offer({ room, lot, own, reload }, fen) {
  const reason = mustConfirm(lot, own, fen);
  if (reason) asking.value = { fen, reason };
  else send({ room, reload }, fen, false);
}

async function send({ room, reload }, fen, confirmed) {
  asking.value = null;
  await room.bid(fen, confirmed);
  const outcome = room.outcome.value;
  if (outcome?.t === "ack") typed.value = null;
  if (outcome?.code === "confirm-jump") asking.value = { fen, reason: "jump" };
  if (outcome?.code === "password-required") reload();
}

function readiness(room, lot, own) {
  const fen = amountOf(lot, own);
  const busy = room.pending.value !== null;
  const tooLow = fen !== null && fen < lowest(lot, own);
  const leading = lot.leader === own.code;
  return { fen, tooLow, leading, ready: lot.status === "open" && fen !== null && !busy && !tooLow && !moving.value, busy };
}

/** The followed amount rests for a moment after each change, and a typed one that fell behind follows again. */
function watchAmount(room, own) {
  const followed = computed(() => (room.picture.value ? lowest(room.picture.value.lot, own) : null));
  let before = followed.peek();
  let timer;
  let restless = null;
  return effect(() => {
    const now = followed.value;
    if (now === before) return;
    before = now;
    const behind = typed.peek() !== null && (parsed(typed.peek()) ?? Infinity) < now && document.activeElement?.id !== "amount";
    if (behind) typed.value = null;
    if (typed.peek() !== null) return;
    moving.value = true;
    restless ??= performance.now();
    rushing.value = performance.now() - restless > RUSH_MS;
    clearTimeout(timer);
    timer = setTimeout(() => { batch(() => { moving.value = rushing.value = false; }); restless = null; }, SETTLE_MS);
  });
}

export function BidBox({ room, own, reload }) {
  const { lot, events } = room.picture.value;
  const box = useRef(null);
  useEffect(() => watchAmount(room, own), [own.code, own.priority_rank]);
  useEffect(() => {
    const watcher = new IntersectionObserver(([entry]) => { boxInSight.value = entry.isIntersecting; });
    watcher.observe(box.current);
    return () => { watcher.disconnect(); boxInSight.value = true; };
  }, []);
  const { fen, tooLow, leading, ready, busy } = readiness(room, lot, own);
  const submit = (event) => {
    event.preventDefault();
    if (ready) offer({ room, lot, own, reload }, fen);
  };
  return html`
    <section class="panel bid-box" aria-labelledby="bid-box" ref=${box}>
      <h2 id="bid-box" tabindex="-1">${t("bid.heading")} <small>${t("bid.code")} <span class="figure">${own.code}</span>${own.priority_rank && ` · ${t("password.rank", { n: own.priority_rank })}`}</small></h2>
      <${Stance} room=${room} lot=${lot} own=${own} events=${events} />
      ${lot.status === "upcoming" && html`<p class="aside">${t("bid.upcoming")}</p>`}
      ${["suspended", "frozen"].includes(lot.status) && html`<p class="aside">${t("bid.halted")}</p>`}
      <form onSubmit=${submit} hidden=${lot.status !== "open"}>
        <div class="steps-row" role="group" aria-label=${t("bid.steps")}>
          ${mayMatch(lot, own) && html`<button type="button" onClick=${() => { typed.value = yuan(lot.price_fen); }}>${t("bid.match")}</button>`}
          ${STEPS.map((n) => html`<button key=${n} type="button" onClick=${() => step(lot, n)}><span class="unseen">${t("bid.step", { n })}</span><span aria-hidden="true">+${n}<small>${price(n * lot.increment_fen)}</small></span></button>`)}
        </div>
        <label class="amount-label" for="amount">${t("bid.amount")}</label>
        <div class="amount"><span aria-hidden="true">¥</span><input id="amount" class="figure" inputmode="decimal" autocomplete="off" aria-describedby="read-back"
          value=${typed.value ?? yuan(lowest(lot, own))} onInput=${(event) => { typed.value = event.target.value; }} onFocus=${(event) => event.target.select()} /></div>
        <${ReadBack} lot=${lot} own=${own} fen=${fen} tooLow=${tooLow} />
        <button class=${`bid-button ${leading ? "" : "primary"}`} disabled=${!ready}>${buttonWords({ room, fen, leading, busy })}</button>
        <p class="aside" ...${POLITE}>${rushing.value && typed.value === null && t("bid.rush")}</p>
      </form>
      <${Outcome} room=${room} lot=${lot} own=${own} />
      <${Receipt} room=${room} />
      <${Confirmation} room=${room} lot=${lot} reload=${reload} />
    </section>`;
}

function buttonWords({ room, fen, leading, busy }) {
  if (busy) return t(`pending.${room.pending.value.phase}`);
  if (fen === null) return t("bid.no-amount");
  return t(leading ? "bid.raise" : "bid.go", { price: price(fen) });
}

/** Own state in words: the connection first, for what is unknown must not be claimed. */
function Stance({ room, lot, own, events }) {
  const pending = room.pending.value;
  if (pending) return html`<p class="stance stance-pending" ...${POLITE}>${t(`pending.${pending.phase}.text`, { price: price(pending.price_fen) })}</p>`;
  if (["lost", "offline"].includes(room.connection.value)) return html`<p class="stance stance-lost" ...${POLITE}>${t("stance.unknown")}</p>`;
  const standing = stance(lot, own, events);
  if (standing === "none" && lot.status !== "open") return null;
  return html`<p class=${`stance stance-${standing}`} ...${POLITE}>${t(`stance.${standing}`)}</p>`;
}

function ReadBack({ lot, own, fen, tooLow }) {
  if (fen === null) return html`<p class="read-back" id="read-back">${t("bid.type")}</p>`;
  const n = increments(lot, fen);
  return html`
    <div class="read-back" id="read-back">
      <p>${language.value === "zh" ? capitals(fen) : (spoken(fen, "en") ?? price(fen))}</p>
      ${tooLow ? html`<p class="off">${t("bid.too-low", { minimum: price(lowest(lot, own)) })}</p>`
        : n === null ? html`<p class="off">${t("bid.off-grid")} ${neighbours(lot, own, fen).map((near) => html` <button key=${near} type="button" class="plain" onClick=${() => { typed.value = yuan(near); }}>${price(near)}</button>`)}</p>`
          : html`<p>${n === 0 ? t(lot.price_fen === null ? "bid.at-start" : "bid.matches") : t(lot.price_fen === null ? "bid.above-start" : "bid.above", { n })}</p>`}
    </div>`;
}

function Outcome({ room, lot, own }) {
  const outcome = room.outcome.value;
  if (!outcome) return null;
  if (outcome.t === "ack") return html`<p class="outcome outcome-accepted" ...${POLITE}>${t("outcome.accepted", { price: price(outcome.price_fen), seq: outcome.seq })}</p>`;
  if (outcome.t === "lost") return html`<p class="outcome refusal" role="alert">${t("outcome.lost", { price: price(outcome.price_fen) })}</p>`;
  const least = minimum(outcome);
  const next = least === null ? null : Math.max(least, lowest(lot, own));
  return html`
    <${Refusal} problem=${outcome}>
      <p class="aside">${t("outcome.refused", { price: price(outcome.price_fen) })}${next !== null && html` <button type="button" class="plain" onClick=${() => { typed.value = yuan(next); }}>${t("outcome.minimum", { price: price(next) })}</button>`}</p>
      ${outcome.code === "sign-in-required" && html`<p><a href=${comingBack("/sign-in")}>${t("account.sign-in")}</a></p>`}
    <//>`;
}

/** Asks for the amount a second time; the button that sends is not where the finger was. */
function Confirmation({ room, lot, reload }) {
  const dialog = useRef(null);
  const question = asking.value;
  useEffect(() => {
    if (question && !dialog.current.open) dialog.current.showModal();
    if (!question && dialog.current.open) dialog.current.close();
  }, [question]);
  const n = question && increments(lot, question.fen);
  return html`
    <dialog class="confirm" ref=${dialog} aria-labelledby="confirm" onClose=${() => { asking.value = null; }}>
      ${question && html`
        <h2 id="confirm">${t(`confirm.${question.reason}`)}</h2>
        <p class="confirm-price figure">¥${yuan(question.fen)}</p>
        <p>${language.value === "zh" ? capitals(question.fen) : spoken(question.fen, "en")}</p>
        ${n > 0 && html`<p>${t(lot.price_fen === null ? "bid.above-start" : "bid.above", { n })}</p>`}
        <p class="aside">${t("confirm.final")} <span class="rule">R-BID-13</span></p>
        <div class="row">
          <button type="button" autofocus onClick=${() => { asking.value = null; }}>${t("confirm.no")}</button>
          <button type="button" class="primary" disabled=${lot.status !== "open"} onClick=${() => send({ room, reload }, question.fen, true)}>${t("confirm.yes", { price: price(question.fen) })}</button>
        </div>`}
    </dialog>`;
}

/** On a phone: price, time and the button stay in reach while the box is out of sight. */
export function BidBar({ room, own, reload }) {
  const picture = room.picture.value;
  const open = picture?.lot.status === "open";
  const read = useMemo(() => (open ? toEnd : toOpening)(room.time), [open]);
  if (!picture || !["open", "upcoming"].includes(picture.lot.status)) return null;
  const { lot } = picture;
  return html`
    <div class=${`bid-bar ${own?.unlocked && boxInSight.value ? "bid-bar-away" : ""}`}>
      <div>
        <p class="bid-bar-price figure">¥${yuan(lot.price_fen ?? lot.start_price_fen)}</p>
        <p class="bid-bar-time"><${Countdown} label=${t(open ? "clock.to-end" : "clock.to-start")} read=${read} urgent=${open} />
          ${own?.code && lot.leader === own.code && html` <span class="tag tag-me">${t("stance.leading")}</span>`}</p>
      </div>
      ${!own?.unlocked ? html`<a class="button primary" href="#take-part">${t("bar.take-part")}</a>` : open && html`<${BarButton} room=${room} lot=${lot} own=${own} reload=${reload} />`}
    </div>`;
}

function BarButton({ room, lot, own, reload }) {
  const { fen, leading, ready, busy } = readiness(room, lot, own);
  return html`<button type="button" class=${leading ? "" : "primary"} disabled=${!ready} onClick=${() => offer({ room, lot, own, reload }, fen)}>${buttonWords({ room, fen, leading, busy })}</button>`;
}
