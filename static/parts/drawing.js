// A drawing for a lot that has no picture, by what is sold: calm lines, no pretence of a photograph.
import { html } from "../lib/dom.js";

const DRAWINGS = {
  car: [
    "M14 66h92M26 66a8 8 0 1 0 16 0a8 8 0 1 0-16 0M78 66a8 8 0 1 0 16 0a8 8 0 1 0-16 0",
    "M14 66V54c0-3 2-5 5-6l13-3 12-13c2-2 4-3 7-3h22c3 0 5 1 7 3l11 13 11 3c3 1 4 3 4 6v12M34 45h58M61 29v16",
  ],
  flat: [
    "M34 74V22l26-9 26 9v52M12 74h96",
    "M44 32h8v9h-8zM68 32h8v9h-8zM44 50h8v9h-8zM68 50h8v9h-8zM55 74V62h10v12",
  ],
  shop: ["M18 74V40h84v34M10 74h100", "M14 40l8-18h76l8 18M14 40a10 8 0 0 0 18 0a10 8 0 0 0 19 0a10 8 0 0 0 18 0a10 8 0 0 0 19 0a10 8 0 0 0 18 0M28 74V54h20v20M60 52h30v14H60z"],
  tower: ["M40 74V12h40v62M24 74V38h16M80 50h16v24M12 74h96", "M49 22h6M65 22h6M49 33h6M65 33h6M49 44h6M65 44h6M49 55h6M65 55h6M56 74v-9h8v9"],
  land: ["M10 62l34-30 22 18 14-12 30 24", "M10 62v12h100V62M30 74l10-22M62 74l-4-18M92 74l-10-24"],
  share: ["M34 12h38l16 16v46H34zM72 12v16h16", "M44 40h34M44 50h34M44 60h14M70 66a7 7 0 1 0 14 0a7 7 0 1 0-14 0"],
  thing: ["M22 34l38-16 38 16v30L60 80 22 64z", "M22 34l38 16 38-16M60 50v30M41 26l38 16v10"],
};
const BY_WORD = [
  [/轿车|汽车|越野|客车|货车|车辆|SUV|摩托/i, "car"],
  [/商铺|店面|铺面|门面|商业/, "shop"],
  [/写字楼|办公|大厦|酒店|厂房/, "tower"],
  [/土地|林权|宅基|海域/, "land"],
  [/住宅|公寓|房|别墅|车位/, "flat"],
  [/股权|债权|专利|商标|使用权/, "share"],
];
const BY_KIND = { movable: "thing", immovable: "flat", other_right: "share" };

/** Which drawing suits a lot: by the first word of its title that names a thing, else by its kind. */
export function subject(kind, title) {
  const found = BY_WORD.map(([word, name]) => [title.search(word), name]).filter(([at]) => at >= 0);
  return found.sort(([one], [other]) => one - other)[0]?.[1] ?? BY_KIND[kind] ?? "thing";
}

/** The drawing of a lot; it says nothing that the title does not, so it is hidden from screen readers. */
export function Drawing({ kind, title }) {
  const [outline, detail] = DRAWINGS[subject(kind, title)];
  return html`
    <svg class="drawing" viewBox="0 0 120 90" aria-hidden="true">
      <path class="drawing-outline" d=${outline} /><path class="drawing-detail" d=${detail} />
    </svg>`;
}
