// Figures beside their definitions, so that none is read for another (R-STAT-01 to 04).
import { Problem, read } from "../lib/api.js";
import { html } from "../lib/dom.js";
import { either, language, t } from "../lib/i18n.js";
import { spoken, yuan } from "../lib/money.js";
import { bars, lines, stacked } from "../lib/series.js";
import { Chart } from "../parts/chart.js";
import { Fault } from "../parts/messages.js";
import { mount } from "../parts/shell.js";
import { useEffect, useMemo } from "../vendor/hooks.mjs";
import { batch, signal } from "../vendor/signals.mjs";

const KINDS = ["", "movable", "immovable", "other_right"];
const FIRST_YEAR = 2017;
const BY = ["month", "kind", "court", "stage"];
const view = signal(null);
const series = signal({});
const fault = signal(null);
const asked = signal({ kind: "", year: "" });

async function load(changes = {}) {
  asked.value = { ...asked.value, ...changes };
  const given = Object.fromEntries(Object.entries(asked.value).filter(([, value]) => value));
  try {
    const found = await Promise.all([
      read(`/api/statistics?${new URLSearchParams(given)}`),
      ...BY.map((by) => read(`/api/statistics/series?${new URLSearchParams({ by, ...given })}`)),
    ]);
    batch(() => {
      view.value = found[0];
      series.value = Object.fromEntries(BY.map((by, index) => [by, found[index + 1]]));
      fault.value = null;
    });
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
      ${fault.value ? html`<${Fault} problem=${fault.value} again=${() => load()} />` : view.value ? html`<${Counts} view=${view.value} /><${Charts} /><${Figures} view=${view.value} />` : html`<p class="skeleton" aria-busy="true">${t("page.loading")}</p>`}
    </div>`;
}

function years() {
  const last = new Date().getFullYear();
  return Array.from({ length: last - FIRST_YEAR + 1 }, (_, back) => String(last - back));
}

function Counts({ view: { items, rounds, sold, defaulted } }) {
  const counts = { items, rounds, sold, defaulted };
  return html`<dl class="counts">${Object.entries(counts).map(([name, n]) => html`<div key=${name}><dt>${t(`statistics.${name}`)}</dt><dd class="figure">${n}</dd></div>`)}</dl>`;
}

const MEDIANS = ["over_start_median_percent", "over_reference_median_percent"];
const OUTCOMES = ["sold", "defaulted", "failed"];
const named = (columns) => columns.map((column) => ({ name: t(`column.${column}`), column }));
const shown = (text) => (text === null ? t("statistics.none") : `${text}%`);
const labels = {
  month: ({ label }) => label,
  kind: ({ key }) => t(`kind.${key}`),
  court: ({ label }) => label,
  stage: ({ key }) => t(`round.${key}`),
};

/** The table of a series: what the chart shows and what it is made of. */
function tableOf(by) {
  return [
    { head: t(`by.${by}`), cell: labels[by] },
    ...["rounds", ...OUTCOMES].map((name) => ({ head: t(`column.${name}`), cell: (row) => row[name] })),
    ...["success_percent", ...MEDIANS].map((name) => ({ head: t(`column.${name}`), cell: (row) => shown(row[name]) })),
    { head: t("statistics.turnover"), cell: (row) => yuan(row.turnover_fen) },
  ];
}

const COURTS = 12;
const OPTIONS = {
  month: (rows) => (ink) => lines(rows, named(MEDIANS), ink),
  kind: (rows) => (ink) => bars(rows, named(MEDIANS), ink, labels.kind),
  court: (rows) => (ink) => bars(rows.slice(0, COURTS), named(MEDIANS), ink, labels.court),
  stage: (rows) => (ink) => stacked(rows, named(OUTCOMES), ink, labels.stage),
};

function Charts() {
  return html`<div class="charts">${BY.map((by) => html`<${Drawn} key=${by} by=${by} told=${series.value[by]} />`)}</div>`;
}

function Drawn({ by, told }) {
  const option = useMemo(() => OPTIONS[by](told.rows), [told, language.value]);
  const words = either(told.definitions, told.definitions_en);
  const definition = (by === "stage" ? ["success_percent"] : MEDIANS).map((name) => t("chart.defined", { name: t(`column.${name}`), words: words[name] })).join(" ");
  const address = (format) => {
    const given = Object.fromEntries(Object.entries(asked.value).filter(([, value]) => value));
    return `/api/statistics/series${format === "csv" ? ".csv" : ""}?${new URLSearchParams({ by, ...given })}`;
  };
  return html`<${Chart} name=${by} definition=${definition} rows=${told.rows} option=${option} columns=${tableOf(by)} address=${address}
    size=${by === "court" && told.rows.length > 5 ? "chart-tall" : ""} />`;
}

function Figures({ view: { figures } }) {
  return html`
    <h2>${t("statistics.figures")}</h2>
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
