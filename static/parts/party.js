// What the two pages of a party share: who one is in a case, and a clock with its law.
import { html } from "../lib/dom.js";
import { language, t } from "../lib/i18n.js";
import { comingBack } from "../lib/session.js";
import { date } from "../lib/time.js";

/** `申请执行人 某银行`, for each party that the reader stands for. */
export function Roles({ parties }) {
  return html`<span class="roles">${parties.map(({ party_id: id, role, name }) => html`
    <span key=${id}><span class="tag">${t(`role.${role}`)}</span> ${name}</span>`)}</span>`;
}

/** One clock: what for, until when, since when, by which article. The word says its state; the colour only repeats it. */
export function Clock({ clock, several }) {
  const days = { until: date(clock.until, language.value), n: clock.days_left, done: clock.done_on ? date(clock.done_on, language.value) : "" };
  return html`
    <li class=${`term term-${clock.state}`}>
      <strong>${t(`deadline.${clock.event}`)}${several && html` <small>${clock.party}</small>`}</strong>
      <span class="figure">${t(`deadline.${clock.state}`, days)}</span>
      <small>${t("deadline.began", { day: date(clock.began_on, language.value) })} <span class="rule">${clock.law ?? clock.rule}</span></small>
    </li>`;
}

/** For who has not signed in. */
export function SignInFirst() {
  return html`
    <div class="notice">
      <p>${t("my-cases.sign-in")}</p>
      <a class="button primary" href=${comingBack("/sign-in")}>${t("account.sign-in")}</a>
    </div>`;
}
