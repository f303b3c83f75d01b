// The page of a lot, which is its live room.
import { Problem, read } from "../lib/api.js";
import { stance } from "../lib/bidding.js";
import { html } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { price } from "../lib/money.js";
import { openRoom } from "../lib/room.js";
import { comingBack, isBidder, person } from "../lib/session.js";
import { takeTold } from "../lib/told.js";
import { About, Facts } from "../parts/announcement.js";
import { Badges } from "../parts/badges.js";
import { BidBar } from "../parts/bid-box.js";
import { FollowButton } from "../parts/follow.js";
import { Gallery } from "../parts/gallery.js";
import { Fault, say, Voice } from "../parts/messages.js";
import { Panel } from "../parts/panel.js";
import { Record } from "../parts/record.js";
import { mount } from "../parts/shell.js";
import { signal } from "../vendor/signals.mjs";

const ID = location.pathname.split("/").pop();
const SETTLE_MS = 1_500;
const ASK_OWN_MS = 2_000;

const lot = signal(takeTold());
const own = signal(null);
const deposit = signal(null);
const following = signal(false);
const fault = signal(null);
const room = openRoom(ID, { onEvents: tell, onSessionEnd: () => location.reload() });

async function load() {
  try {
    lot.value = await read(`/api/lots/${ID}`);
    fault.value = null;
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    fault.value = problem;
  }
}

/** One's own registration and deposit; null where there is none. */
async function loadOwn() {
  if (!isBidder) return;
  const before = own.value?.state;
  own.value = await orNull(`/api/lots/${ID}/registration`);
  if (before === "awaiting_deposit" && own.value?.state === "admitted") say(`${t("password.admitted")} ${own.value.code}`);
  if (own.value) deposit.value = await orNull(`/api/lots/${ID}/deposit`);
}

/** Whether one follows this lot. */
async function loadFollowing() {
  if (!isBidder) return;
  const followed = await orNull("/api/me/follows");
  if (followed) following.value = followed.lots.some(({ id }) => id === ID);
}

async function orNull(path) {
  try {
    return await read(path);
  } catch (problem) {
    if (problem instanceof Problem) return null;
    throw problem;
  }
}

/** Say what happened, politely, and ask again for what only the other doors know. */
function tell(events, picture) {
  const latest = events.at(-1);
  if (!latest) return;
  if (latest.kind === "bid") {
    const words = bidWords(latest, events, picture);
    if (words) say(words);
  } else if (latest.kind !== "hidden") {
    say(t(`event.${latest.kind}`));
    setTimeout(() => { load(); loadOwn(); }, SETTLE_MS);
  }
}

/** A bid in words. One's own is answered at the button, where a bidder hears how they stand as well: nothing twice. */
function bidWords(latest, events, picture) {
  const { code, unlocked } = own.value ?? {};
  const standing = unlocked ? "none" : stance(picture.lot, own.value, picture.events);
  return [
    code !== latest.code && t("said.bid", { code: latest.code, price: price(latest.price_fen) }),
    events.some(({ extended }) => extended) && t("event.extended"),
    standing !== "none" && t(`stance.${standing}`),
  ].filter(Boolean).join(" ");
}

setInterval(() => {
  if (own.value?.state === "awaiting_deposit" && !document.hidden) loadOwn();
}, ASK_OWN_MS);

function Lot() {
  if (fault.value && !lot.value) return html`<${Fault} problem=${fault.value} again=${load} />`;
  if (!lot.value) return html`<div class="lot lot-empty" aria-busy="true"><p>${t("page.loading")}</p></div>`;
  const shown = lot.value;
  const parts = { lot: shown, room, own: own.value, deposit: deposit.value, reload: loadOwn };
  return html`
    <article class="lot">
      <header class="lot-head">
        <p class="crumbs"><a href="/">${t("nav.lots")}</a> <span aria-hidden="true">/</span> ${shown.case_no}</p>
        <h1>${shown.title}</h1>
        <p class="lot-sub"><${Badges} lot=${shown} /><span>${shown.place}<span class="unseen">, </span></span><span>${shown.court_name}</span></p>
        <${Tools} lot=${shown} />
      </header>
      <div class="lot-picture"><${Gallery} lot=${shown} /></div>
      <aside class="lot-panel" aria-label=${t("panel.label")}><${Panel} ...${parts} /></aside>
      <div class="lot-about">
        <${Facts} lot=${shown} />
        <${Record} lot=${shown} room=${room} own=${own.value} />
        <${About} lot=${shown} />
      </div>
      <${BidBar} ...${parts} />
      <${Voice} />
    </article>`;
}

const AHEAD = ["published", "live", "suspended", "frozen"];

/** Follow, put into one's own calendar, read the record. */
function Tools({ lot: { status } }) {
  const ahead = AHEAD.includes(status);
  return html`
    <p class="lot-tools">
      ${!person && ahead && html`<a class="button" href=${comingBack("/sign-in")}><span aria-hidden="true">☆</span> ${t("follow.start")}</a>`}
      ${isBidder && ahead && html`<${FollowButton} lotId=${ID} following=${following.value} again=${loadFollowing} />`}
      ${ahead && html`<a class="button" href=${`/api/lots/${ID}/calendar.ics`} download>${t("calendar.file")}</a>`}
      ${!ahead && html`<a class="button" href=${`/lots/${ID}/record`}>${t("record.public")}</a>`}
    </p>`;
}

if (!lot.value) load();
loadOwn();
loadFollowing();
mount(Lot, () => lot.value?.title ?? document.title.replace(/ - [^-]*$/, ""));
