// Questions to the court and viewings: what was answered for everybody, one's own, and a form for a new one.
import { command, read } from "../lib/api.js";
import { html } from "../lib/dom.js";
import { language, t } from "../lib/i18n.js";
import { comingBack, isBidder, person } from "../lib/session.js";
import { short } from "../lib/time.js";
import { useState } from "../vendor/hooks.mjs";
import { useCommand } from "./form.js";
import { Fault, POLITE, Refusal, say } from "./messages.js";
import { useReading } from "./reading.js";

const OPEN = ["published", "live", "suspended", "frozen"];
const KINDS = ["question", "viewing"];
const LONGEST = 1_000;

/** One's own enquiry with its answer. */
export function Enquiry({ enquiry }) {
  return html`
    <li class="enquiry">
      <p class="enquiry-head"><span class="tag">${t(`enquiry.${enquiry.kind}`)}</span> <strong>${t(`enquiry-state.${enquiry.state}`)}</strong>
        <span class="aside">${t("enquiry.number", { number: enquiry.number })} · ${short(enquiry.asked_at, language.value)}</span></p>
      <p><a href=${`/lots/${enquiry.lot_id}`}>${enquiry.title}</a></p>
      <p class="said">${enquiry.words}</p>
      ${enquiry.answer && html`<p class="said said-court"><strong>${t("enquiry.court")}</strong> ${enquiry.answer}</p>`}
    </li>`;
}

/** The tab of a lot: published questions, and asking. */
export function Questions({ lot }) {
  const { value, problem, again } = useReading(() => read(`/api/lots/${lot.id}/questions`), null, [lot.id]);
  if (problem && !value) return html`<${Fault} problem=${problem} again=${again} />`;
  return html`
    ${!value ? html`<p class="aside">${t("page.loading")}</p>` : value.questions.length === 0 ? html`<p class="aside">${t("enquiry.none")}</p>` : html`
      <ul class="lines">${value.questions.map(({ words, answer, answered_at: at }) => html`
        <li key=${at + words} class="enquiry">
          <p class="said">${words}</p>
          <p class="said said-court"><strong>${t("enquiry.court")}</strong> ${answer} <span class="aside">${short(at, language.value)}</span></p>
        </li>`)}</ul>`}
    ${OPEN.includes(lot.status) && html`<${Ask} lot=${lot} />`}`;
}

function Ask({ lot }) {
  const [sent, setSent] = useState(null);
  const [submit, busy, problem] = useCommand(async (form) => {
    setSent(await command(`/api/lots/${lot.id}/enquiries`, { kind: form.get("kind"), words: form.get("words").trim() }));
    say(t("enquiry.sent.short"));
  });
  if (!person) return html`<p class="aside">${t("enquiry.sign-in")} <a href=${comingBack("/sign-in")}>${t("account.sign-in")}</a></p>`;
  if (!isBidder) return null;
  if (sent) {
    return html`<p ...${POLITE}>${t("enquiry.sent", { number: sent.number })} <a href="/mine#enquiries">${t("mine.heading")}</a>
      <button type="button" class="plain" onClick=${() => setSent(null)}>${t("enquiry.another")}</button></p>`;
  }
  return html`
    <form class="form" onSubmit=${submit} aria-labelledby="ask">
      <h3 id="ask">${t("enquiry.heading")}</h3>
      <fieldset class="inline"><legend class="unseen">${t("enquiry.kind")}</legend>
        ${KINDS.map((kind, index) => html`<label class="check" key=${kind}><input type="radio" name="kind" value=${kind} defaultChecked=${index === 0} />${t(`enquiry.${kind}`)}</label>`)}
      </fieldset>
      <div class="field">
        <label for="words">${t("enquiry.words")}</label>
        <textarea id="words" name="words" rows="4" maxlength=${LONGEST} required aria-describedby="words-hint" />
        <p class="hint" id="words-hint">${t("enquiry.hint")}</p>
      </div>
      <${Refusal} problem=${problem} />
      <div><button class="primary" disabled=${busy}>${busy ? t("form.busy") : t("enquiry.send")}</button></div>
    </form>`;
}
