// The provinces as tiles in rough geographic order: no boundaries are drawn, and each tile is a link that a keyboard and a
// screen reader reach. A tile is known by the first two characters of its name, which tell all of them apart.
import { html } from "../lib/dom.js";
import { either, t } from "../lib/i18n.js";

const TILES = [
  ["黑龙江", "Heilongjiang", 8, 1], ["内蒙古", "Inner Mongolia", 6, 2], ["辽宁", "Liaoning", 7, 2], ["吉林", "Jilin", 8, 2],
  ["新疆", "Xinjiang", 1, 3], ["甘肃", "Gansu", 2, 3], ["宁夏", "Ningxia", 3, 3], ["山西", "Shanxi", 4, 3], ["河北", "Hebei", 5, 3],
  ["北京", "Beijing", 6, 3], ["天津", "Tianjin", 7, 3], ["西藏", "Tibet", 1, 4], ["青海", "Qinghai", 2, 4], ["陕西", "Shaanxi", 3, 4],
  ["河南", "Henan", 4, 4], ["山东", "Shandong", 5, 4], ["江苏", "Jiangsu", 6, 4], ["四川", "Sichuan", 2, 5], ["重庆", "Chongqing", 3, 5],
  ["湖北", "Hubei", 4, 5], ["安徽", "Anhui", 5, 5], ["浙江", "Zhejiang", 6, 5], ["上海", "Shanghai", 7, 5], ["云南", "Yunnan", 2, 6],
  ["贵州", "Guizhou", 3, 6], ["湖南", "Hunan", 4, 6], ["江西", "Jiangxi", 5, 6], ["福建", "Fujian", 6, 6], ["台湾", "Taiwan", 7, 6],
  ["广西", "Guangxi", 3, 7], ["广东", "Guangdong", 4, 7], ["澳门", "Macao", 5, 7], ["香港", "Hong Kong", 6, 7], ["海南", "Hainan", 3, 8],
];

/** What a province is known by in addresses. */
export const codeOf = (name) => name.slice(0, 2);

/** The tile grid; `link(code)` gives `{ href, onClick }` for a province, `counts` its lots by code. */
export function Regions({ counts, chosen, link }) {
  return html`
    <section class="facet" aria-labelledby="regions">
      <h2 id="regions">${t("facet.region")}</h2>
      <ul class="tiles">${TILES.map(([zh, en, column, row]) => {
        const code = codeOf(zh);
        const n = counts.get(code) ?? 0;
        const name = either(zh, en);
        const inside = html`<span aria-hidden="true" class=${zh.length > 2 ? "tile-long" : ""}>${zh}</span><span class="unseen">${name} ${t("catalogue.total", { n })}</span>`;
        return html`<li key=${code} class=${`tile tile-c${column} tile-r${row}`}>${n || code === chosen
          ? html`<a ...${link(code)} title=${`${name} ${n}`} aria-current=${code === chosen ? "true" : undefined}>${inside}</a>`
          : html`<span class="tile-none" title=${name}>${inside}</span>`}</li>`;
      })}</ul>
    </section>`;
}
