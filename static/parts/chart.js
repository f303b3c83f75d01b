// A chart with its definition, the same numbers as a table, and both as downloads. The library is fetched when a chart is
// there to be drawn; without it the tables say everything.
import { html } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { useEffect, useRef, useState } from "../vendor/hooks.mjs";

let library = null;

/** The colours of the page's tokens, light or dark as it stands. */
function inks() {
  const style = getComputedStyle(document.documentElement);
  const read = (name) => style.getPropertyValue(`--${name}`).trim();
  return { font: read("sans"), ink: read("ink"), soft: read("ink-soft"), faint: read("ink-faint"), line: read("line"), sheet: read("sheet"), blue: read("blue"), amber: read("amber"), seal: read("seal"), green: read("green") };
}

/** `option(inks)` gives the chart; `columns` are `{ head, cell(row) }` of the table of `rows`. */
export function Chart({ name, definition, rows, option, columns, address, size = "" }) {
  const here = useRef(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    if (!rows.length) return undefined;
    let chart = null;
    let gone = false;
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const draw = () => chart?.setOption(option(inks()), true);
    const fit = new ResizeObserver(() => chart?.resize());
    library ??= import("../vendor/echarts.mjs");
    library.then((echarts) => {
      if (gone) return;
      chart = echarts.init(here.current, null, { renderer: "svg" });
      draw();
      fit.observe(here.current);
      dark.addEventListener("change", draw);
    }, () => { library = null; setFailed(true); });
    return () => { gone = true; fit.disconnect(); dark.removeEventListener("change", draw); chart?.dispose(); };
  }, [rows, option]);
  return html`
    <figure class="chart sheet-wide" aria-labelledby=${`chart-${name}`}>
      <figcaption><h2 id=${`chart-${name}`}>${t(`chart.${name}`)}</h2><p class="aside">${definition}</p></figcaption>
      ${rows.length === 0 ? html`<p class="aside">${t("chart.none")}</p>` : html`
        <div class=${`chart-drawing ${size}`} ref=${here} role="img" aria-label=${t("chart.drawing", { name: t(`chart.${name}`) })}>${failed && html`<p class="aside">${t("chart.failed")}</p>`}</div>
        <details><summary>${t("chart.table")}</summary>
          <div class="table-wrap" tabindex="0" role="region" aria-label=${t(`chart.${name}`)}>
            <table class="events"><caption class="unseen">${t(`chart.${name}`)}</caption>
              <thead><tr>${columns.map(({ head }, index) => html`<th key=${head} scope="col" class=${index ? "number" : ""}>${head}</th>`)}</tr></thead>
              <tbody>${rows.map((row) => html`<tr key=${row.key}>${columns.map(({ head, cell }, index) => (index ? html`<td key=${head} class="number figure">${cell(row)}</td>` : html`<th key=${head} scope="row">${cell(row)}</th>`))}</tr>`)}</tbody>
            </table>
          </div>
        </details>`}
      <p class="chart-data"><a href=${address("csv")} download>CSV</a> <a href=${address("json")}>JSON</a></p>
    </figure>`;
}
