// Figures beside their definitions, so that none is read for another (R-STAT-01 to 04).
import { Problem, read } from "../lib/api.js";
import { html } from "../lib/dom.js";
import { either, language, t } from "../lib/i18n.js";
import { spoken, yuan } from "../lib/money.js";
import { Fault } from "../parts/messages.js";
import { mount } from "../parts/shell.js";
import { useEffect } from "../vendor/hooks.mjs";
import { signal } from "../vendor/signals.mjs";

const KINDS = ["", "movable", "immovable", "other_right"];
const FIRST_YEAR = 2017;
const view = signal(null);
const fault = signal(null);
const asked = signal({ kind: "", year: "" });

async function load(changes = {}) {
  asked.value = { ...asked.value, ...changes };
  const given = Object.fromEntries(Object.entries(asked.value).filter(([, value]) => value));
  try {
    view.value = await read(`/api/statistics?${new URLSearchParams(given)}`);
    fault.value = null;
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    fault.value = problem;
  }
}

function Statistics() {
  useEffect(() => { load(); }, []);
  return html`
    <div class="statistics">
      <h1>${t("statistics.heading")}</h1>
      <p class="lead">${t("statistics.lead")}</p>
      <div class="filters">
        <label>${t("facet.kind")}
          <select value=${asked.value.kind} onChange=${(event) => load({ kind: event.target.value })}>
            ${KINDS.map((kind) => html`<option key=${kind} value=${kind}>${kind ? t(`kind.${kind}`) : t("statistics.all")}</option>`)}
          </select>
        </label>
        <label>${t("statistics.year")}
          <select value=${asked.value.year} onChange=${(event) => load({ year: event.target.value })}>
            <option value="">${t("statistics.all")}</option>
            ${years().map((year) => html`<option key=${year} value=${year}>${year}</option>`)}
          </select>
        </label>
      </div>
      ${fault.value ? html`<${Fault} problem=${fault.value} again=${() => load()} />` : view.value && html`<${Figures} view=${view.value} />`}
    </div>`;
}

function years() {
  const last = new Date().getFullYear();
  return Array.from({ length: last - FIRST_YEAR + 1 }, (_, back) => String(last - back));
}

function Figures({ view: { items, rounds, sold, defaulted, figures } }) {
  const counts = { items, rounds, sold, defaulted };
  return html`
    <dl class="counts">${Object.entries(counts).map(([name, n]) => html`<div key=${name}><dt>${t(`statistics.${name}`)}</dt><dd class="figure">${n}</dd></div>`)}</dl>
    <div class="table-wrap" tabindex="0" role="region" aria-label=${t("statistics.heading")}>
      <table class="figures">
        <thead><tr><th scope="col">${t("statistics.figure")}</th><th scope="col" class="number">${t("statistics.value")}</th><th scope="col">${t("statistics.definition")}</th><th scope="col">${t("statistics.rule")}</th></tr></thead>
        <tbody>${figures.map((figure) => html`
          <tr key=${figure.key}>
            <th scope="row">${t(`figure.${figure.key}`)}</th>
            <td class="number figure">${value(figure)}</td>
            <td>${either(figure.definition, figure.definition_en)}</td>
            <td class="rule">${figure.rule}</td>
          </tr>`)}</tbody>
      </table>
    </div>`;
}

function value({ percent, amount_fen: fen }) {
  if (percent !== null) return `${percent}%`;
  if (fen === null) return t("statistics.none");
  return html`¥${yuan(fen)} <small>${spoken(fen, language.value)}</small>`;
}

mount(Statistics, () => t("statistics.heading"));
