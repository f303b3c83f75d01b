// A table that turns into a list of labelled pairs on a phone.
import { html } from "../lib/dom.js";
import { t } from "../lib/i18n.js";

/**
 * `columns` are `[key of column.*, classes]`; rows marked in `own` are the reader's. Nothing is shown without rows. A
 * caption that only repeats a heading above is for screen readers (`quiet`).
 */
export function Rows({ caption, quiet, columns, rows, own = [] }) {
  if (!rows.length) return null;
  return html`
    <div class="table-wrap" tabindex="0" role="region" aria-label=${caption}>
      <table class="rows">
        <caption class=${quiet ? "unseen" : undefined}>${caption}</caption>
        <thead><tr>${columns.map(([key, style]) => html`<th key=${key} scope="col" class=${style}>${t(`column.${key}`)}</th>`)}</tr></thead>
        <tbody>${rows.map((cells, index) => html`
          <tr key=${index} class=${own[index] ? "own" : undefined}>${cells.map((cell, place) => html`
            <td key=${columns[place][0]} class=${columns[place][1]} data-label=${t(`column.${columns[place][0]}`)}>${cell}</td>`)}</tr>`)}</tbody>
      </table>
    </div>`;
}
