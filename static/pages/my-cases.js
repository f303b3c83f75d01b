// The cases in which the reader is a party, each with the deadlines that run.
import { Problem, read } from "../lib/api.js";
import { html } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { person } from "../lib/session.js";
import { Fault } from "../parts/messages.js";
import { Clock, Roles, SignInFirst } from "../parts/party.js";
import { mount } from "../parts/shell.js";
import { useEffect } from "../vendor/hooks.mjs";
import { signal } from "../vendor/signals.mjs";

const cases = signal(null);
const fault = signal(null);

async function load() {
  try {
    cases.value = (await read("/api/my/cases")).cases;
    fault.value = null;
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    fault.value = problem;
  }
}

function MyCases() {
  useEffect(() => { if (person) load(); }, []);
  return html`
    <div class="party">
      <h1>${t("my-cases.heading")}</h1>
      <p class="lead">${t("my-cases.lead")}</p>
      ${!person ? html`<${SignInFirst} />` : fault.value ? html`<${Fault} problem=${fault.value} again=${load} />`
        : !cases.value ? html`<p>${t("page.loading")}</p>` : html`<${List} cases=${cases.value} />`}
    </div>`;
}

function List({ cases: found }) {
  if (!found.length) return html`<div class="notice"><p>${t("my-cases.none")}</p></div>`;
  return html`
    <ul class="own-cases">${found.map((one) => html`
      <li key=${one.case_id} class="panel">
        <h2><a href=${`/my/cases/${one.case_id}`}>${one.case_no}</a></h2>
        <p>${one.court} · <${Roles} parties=${one.parties} /></p>
        ${one.clocks.length
          ? html`<ul class="clocks">${one.clocks.map((clock) => html`<${Clock} key=${clock.event + clock.party + clock.objection_id} clock=${clock} several=${one.parties.length > 1} />`)}</ul>`
          : html`<p class="aside">${t("my-cases.no-clock")}</p>`}
      </li>`)}</ul>`;
}

mount(MyCases, () => t("my-cases.heading"));
