// My place (我的): what needs me now, my auctions with their money and papers, lots I follow, my questions and viewings.
import { read } from "../lib/api.js";
import { html } from "../lib/dom.js";
import { language, t } from "../lib/i18n.js";
import { spoken, yuan } from "../lib/money.js";
import { duties, reminders } from "../lib/needs.js";
import { comingBack, isBidder, person } from "../lib/session.js";
import { short, until as lastMoment } from "../lib/time.js";
import { startOf, State, stateOfCard, stateOfLot } from "../parts/badges.js";
import { FollowButton } from "../parts/follow.js";
import { Enquiry } from "../parts/enquiries.js";
import { Fault } from "../parts/messages.js";
import { Deposit, Papers, Purchase, Receipts } from "../parts/my-auction.js";
import { mount } from "../parts/shell.js";
import { useReading } from "../parts/reading.js";

const REFRESH_MS = 3_000;
const MOST_AT_ONCE = 100;

function Mine() {
  if (!person) return html`<${Stranger} />`;
  if (!isBidder) return html`<div class="sheet"><h1>${t("mine.heading")}</h1><p>${t("mine.staff")}</p></div>`;
  return html`<${Place} />`;
}

function Stranger() {
  return html`
    <div class="sheet">
      <h1>${t("mine.heading")}</h1>
      <p>${t("mine.sign-in")}</p>
      <div class="row">
        <a class="button primary" href=${comingBack("/sign-in")}>${t("account.sign-in")}</a>
        <a class="button" href=${comingBack("/register")}>${t("account.register")}</a>
      </div>
    </div>`;
}

async function readPlace() {
  const [mine, followed, asked] = await Promise.all(["/api/me/auctions", "/api/me/follows", "/api/me/enquiries"].map(read));
  return { ...mine, followed: await asTheyStand(followed.lots), enquiries: asked.enquiries };
}

/** The lots with price and end of this moment: the catalogue itself learns of a price only at the end. */
async function asTheyStand(lots) {
  const running = lots.filter(({ status }) => ["published", "live"].includes(status)).slice(0, MOST_AT_ONCE);
  if (!running.length) return lots;
  const now = new Map((await read(`/api/live/lots?ids=${running.map(({ id }) => id).join(",")}`)).lots.map((lot) => [lot.lot_id, lot]));
  return lots.map((lot) => {
    const standing = now.get(lot.id);
    return standing ? { ...lot, price_fen: standing.price_fen, ends_at: standing.ends_at ?? lot.ends_at } : lot;
  });
}

function Place() {
  const { value, problem, again } = useReading(readPlace, REFRESH_MS);
  if (problem && !value) return html`<${Fault} problem=${problem} again=${again} />`;
  if (!value) return html`<div class="mine" aria-busy="true"><h1>${t("mine.heading")}</h1><p class="skeleton">${t("page.loading")}</p></div>`;
  return html`
    <div class="mine">
      <h1>${t("mine.heading")}</h1>
      <${Needs} place=${value} />
      <section aria-labelledby="mine-auctions">
        <h2 id="mine-auctions">${t("mine.auctions")} <small class="figure">${value.auctions.length}</small></h2>
        ${value.auctions.length ? value.auctions.map((own) => html`<${Auction} key=${own.lot.lot_id} own=${own} now=${value.now} again=${again} />`) : html`<${Nothing} words="mine.auctions.none" />`}
      </section>
      <section aria-labelledby="mine-followed" id="followed">
        <h2 id="mine-followed">${t("mine.followed")} <small class="figure">${value.followed.length}</small></h2>
        ${value.followed.length ? html`<ul class="lines">${value.followed.map((lot) => html`<${Followed} key=${lot.id} lot=${lot} again=${again} />`)}</ul>` : html`<${Nothing} words="mine.followed.none" />`}
      </section>
      <section aria-labelledby="mine-enquiries" id="enquiries">
        <h2 id="mine-enquiries">${t("mine.enquiries")} <small class="figure">${value.enquiries.length}</small></h2>
        ${value.enquiries.length ? html`<ul class="lines">${value.enquiries.map((asked) => html`<${Enquiry} key=${asked.id} enquiry=${asked} />`)}</ul>` : html`<${Nothing} words="mine.enquiries.none" />`}
      </section>
    </div>`;
}

function Nothing({ words }) {
  return html`<p class="nothing">${t(words)} <a href="/">${t("not-found.lots")}</a></p>`;
}

function Needs({ place }) {
  const due = duties(place.auctions);
  const soon = reminders(place.followed, place.now);
  return html`
    <section class="needs" aria-labelledby="needs">
      <h2 id="needs">${t("mine.needs")}</h2>
      ${due.length + soon.length === 0 && html`<p class="aside">${t("mine.needs.none")}</p>`}
      <ul>
        ${due.map(({ kind, lot, until, fen, overdue }) => html`
          <li key=${`${kind}-${lot.lot_id}`} class=${`need need-${kind}`}>
            <a href=${kind === "balance" ? `#lot-${lot.lot_id}` : `/lots/${lot.lot_id}`}>
              <strong>${t(`need.${kind}`)}${fen !== null && fen !== undefined && html` <span class="figure">¥${yuan(fen)}</span>`}</strong>
              <span class="need-lot">${lot.title}</span>
              ${until && html`<span class="need-until">${t(overdue ? "need.overdue" : "need.until", { at: lastMoment(until, language.value) })}</span>`}
            </a>
          </li>`)}
        ${soon.map(({ kind, lot, until }) => html`
          <li key=${`${kind}-${lot.id}`} class="need">
            <a href=${`/lots/${lot.id}`}><strong>${t(`need.followed-${kind}`)}</strong><span class="need-lot">${lot.title}</span><span class="need-until">${t(kind === "opens" ? "time.opens" : "time.ends", { at: short(until, language.value) })}</span></a>
          </li>`)}
      </ul>
    </section>`;
}

function Auction({ own, again }) {
  const { lot, bids, sale } = own;
  const finished = ["closed", "withdrawn", "annulled"].includes(lot.status);
  return html`
    <article class="mine-auction" id=${`lot-${lot.lot_id}`} aria-labelledby=${`title-${lot.lot_id}`}>
      <header>
        <p class="mine-line"><${State} state=${sale?.state === "defaulted" ? "defaulted" : stateOfLot(lot)} /><span class="aside">${t(`round.${own.round}`)} · ${own.court_name}</span></p>
        <h3 id=${`title-${lot.lot_id}`}><a href=${`/lots/${lot.lot_id}`}>${lot.title}</a></h3>
      </header>
      <dl class="mine-facts">
        <div><dt>${t("mine.registration")}</dt><dd>${t(`registration.${own.state}`)}${own.priority_rank ? html` <span class="tag tag-priority">${t("password.rank", { n: own.priority_rank })}</span>` : null}</dd></div>
        <div><dt>${t("bid.code")}</dt><dd class="figure">${own.code ?? t("mine.code.none")}</dd></div>
        <div><dt>${t(lot.price_fen === null ? startOf(lot) : finished ? "mine.last-price" : "price.current")}</dt><dd class="figure">¥${yuan(lot.price_fen ?? lot.start_price_fen)} <small>${spoken(lot.price_fen ?? lot.start_price_fen, language.value)}</small></dd></div>
        ${bids.accepted > 0 && html`<div><dt>${t("mine.my-bids")}</dt><dd class="figure">¥${yuan(bids.highest_fen)} <small>${t("record.bids", { n: bids.accepted })}</small></dd></div>`}
        <div><dt>${t(finished ? "result.heading" : "mine.standing")}</dt><dd>${standing(own, finished)}</dd></div>
        <div><dt>${t(finished ? "mine.ended" : lot.status === "upcoming" ? "terms.opens" : "mine.ends")}</dt><dd class="figure">${short(lot.status === "upcoming" ? lot.opens_at : lot.ends_at ?? lot.scheduled_end, language.value)}</dd></div>
      </dl>
      <${Deposit} own=${own} again=${again} />
      ${sale && html`<${Purchase} sale=${sale} again=${again} />`}
      <${Papers} papers=${own.papers} />
      ${bids.accepted > 0 && html`<${Receipts} lotId=${lot.lot_id} />`}
      <p class="mine-links">
        <a href=${`/lots/${lot.lot_id}`}>${t(finished ? "mine.see" : "mine.room")}</a>
        ${finished && html`<a href=${`/lots/${lot.lot_id}/record`}>${t("record.public")}</a>`}
        ${!finished && html`<a href=${`/api/lots/${lot.lot_id}/calendar.ics`}>${t("calendar.file")}</a>`}
      </p>
    </article>`;
}

function standing({ lot, bids, sale }, finished) {
  if (sale) return html`<strong class="good">${t("mine.won")}</strong>`;
  if (finished) return t(lot.status === "closed" ? "result.not-won" : `state.${lot.status}`);
  if (!bids.accepted) return t("mine.not-yet");
  return bids.leads ? html`<strong class="good">▲ ${t("stance.leading")}</strong>` : html`<strong class="bad">▼ ${t("stance.outbid")}</strong>`;
}

function Followed({ lot, again }) {
  const shown = lot.price_fen ?? lot.start_price_fen;
  return html`
    <li>
      <div class="lines-main"><${State} state=${stateOfCard(lot)} /><a href=${`/lots/${lot.id}`}>${lot.title}</a></div>
      <span class="figure">¥${yuan(shown)}</span>
      <span class="aside">${t(lot.status === "published" ? "time.opens" : "time.ends", { at: short(lot.status === "published" ? lot.opens_at : lot.ends_at, language.value) })}</span>
      <${FollowButton} lotId=${lot.id} following=${true} again=${again} small=${true} />
    </li>`;
}

mount(Mine, () => t("mine.heading"));
