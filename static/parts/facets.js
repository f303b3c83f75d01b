// The facets of the catalogue: each choice is a link with the number of lots it would leave; chosen again it is taken back.
import { html } from "../lib/dom.js";
import { language, t } from "../lib/i18n.js";
import { parsed, price } from "../lib/money.js";
import { changed, narrowing, without } from "../lib/question.js";
import { clock } from "../lib/time.js";
import { stateOfCard } from "./badges.js";
import { Regions } from "./regions.js";

const BANDS = [[null, "10万"], ["10万", "50万"], ["50万", "200万"], ["200万", "1000万"], ["1000万", "1亿"], ["1亿", null]];
const DISCOUNTS = [1000, 2000, 3000, 4000];
const STATUSES = ["live", "published", "suspended", "frozen", "sold", "failed", "defaulted", "withdrawn", "annulled"];
const FEW_VALUES = 6;

/** `link(question)` gives the `{ href, onClick }` of a question. */
export function Facets({ asked, facets, link }) {
  const wide = matchMedia("(min-width: 56.25em)").matches;
  const chosen = narrowing(asked).filter((choice) => choice !== "q").length;
  const parts = { asked, facets, link };
  return html`
    <details class="facets" open=${wide}>
      <summary>${t("catalogue.facets")}${chosen > 0 && html` <span class="count">${chosen}</span>`}</summary>
      <div class="facets-body">
        <${Facet} facet="status" ...${parts} />
        <${Facet} facet="kind" ...${parts} />
        <${Conditions} ...${parts} />
        <${Bands} ...${parts} />
        <${Discounts} ...${parts} />
        <${Facet} facet="round" ...${parts} />
        <${Regions} counts=${new Map((facets?.region ?? []).map(({ value, count }) => [value, count]))} chosen=${asked.region}
          link=${(region) => link(changed(asked, { region: region === asked.region ? "" : region }))} />
        <${Facet} facet="place" ...${parts} />
        <${Facet} facet="court" ...${parts} />
      </div>
    </details>`;
}

/** What narrows the list, each to be let go by itself. */
export function Chosen({ asked, facets, link }) {
  const choices = narrowing(asked);
  if (!choices.length) return null;
  return html`
    <ul class="chosen" aria-label=${t("catalogue.chosen")}>
      ${choices.map((choice) => html`
        <li key=${choice}><a ...${link(without(asked, choice))}><span class="unseen">${t("catalogue.drop")} </span>${choiceName(choice, asked, facets)}<span aria-hidden="true"> ×</span></a></li>`)}
      ${choices.length > 1 && html`<li><a class="clear" ...${link(asked.sort ? { sort: asked.sort } : {})}>${t("catalogue.clear")}</a></li>`}
    </ul>`;
}

/** A choice in words. */
export function choiceName(choice, asked, facets) {
  const value = asked[choice];
  switch (choice) {
    case "q": return t("catalogue.words", { words: value });
    case "price": return bandName(asked.price_min, asked.price_max);
    case "discount": return t("facet.discount.by", { percent: Number(asked.discount_min) / 100 });
    case "loan": return t(`loan.${value}`);
    case "limited": return t(`limited.${value}`);
    case "ends": return value === "today" ? t("ends.today") : t("ends.at", { at: clock(value).slice(0, 5) });
    default: return label(choice, facets?.[choice]?.find((item) => item.value === value) ?? { value, label: value });
  }
}

function Facet({ facet, asked, facets, link }) {
  const chosen = asked[facet];
  const values = ordered(facet, facets?.[facet] ?? []);
  if (!values.length && !chosen) return null;
  const listed = values.some(({ value }) => value === chosen) || !chosen ? values : [{ value: chosen, label: chosen, count: 0 }, ...values];
  const choice = (item) => html`<${Choice} key=${item.value} name=${label(facet, item)} count=${item.count} chosen=${item.value === chosen}
    link=${link(changed(asked, { [facet]: item.value === chosen ? "" : item.value }))} />`;
  const rest = listed.slice(FEW_VALUES);
  return html`
    <section class="facet">
      <h2>${t(`facet.${facet}`)}</h2>
      <ul>${listed.slice(0, FEW_VALUES).map(choice)}</ul>
      ${rest.length > 0 && html`
        <details class="facet-rest" open=${rest.some(({ value }) => value === chosen)}>
          <summary>${t("catalogue.rest", { n: rest.length })}</summary><ul>${rest.map(choice)}</ul>
        </details>`}
    </section>`;
}

function ordered(facet, values) {
  if (facet !== "status") return values;
  return values.toSorted((one, other) => STATUSES.indexOf(one.value) - STATUSES.indexOf(other.value));
}

function label(facet, { value, label: given }) {
  if (facet === "status") return t(`state.${stateOfCard({ status: value })}`);
  if (facet === "kind") return t(`kind.${value}`);
  if (facet === "round") return t(`round.${value}`);
  return given;
}

/** What a buyer asks first beside the price: a loan, a purchase limit, whether it is decided today. */
function Conditions({ asked, facets, link }) {
  const rows = [["loan", "yes"], ["limited", "no"], ["ends", "today"]];
  const count = (facet, value) => (facets?.[facet] ? facets[facet].find((item) => item.value === value)?.count ?? 0 : undefined);
  return html`
    <section class="facet">
      <h2>${t("facet.conditions")}</h2>
      <ul>${rows.map(([facet, value]) => html`
        <${Choice} key=${facet} name=${choiceName(facet, { [facet]: value })} count=${count(facet, value)} chosen=${asked[facet] === value}
          link=${link(changed(asked, { [facet]: asked[facet] === value ? "" : value }))} />`)}</ul>
    </section>`;
}

function Bands({ asked, link }) {
  const fen = (words) => (words ? String(parsed(words)) : "");
  return html`
    <section class="facet">
      <h2>${t("facet.price")}</h2>
      <ul>${BANDS.map(([low, high]) => {
        const chosen = (asked.price_min ?? "") === fen(low) && (asked.price_max ?? "") === fen(high);
        const wanted = chosen ? without(asked, "price") : changed(asked, { price_min: fen(low), price_max: fen(high) });
        return html`<${Choice} key=${`${low}-${high}`} name=${bandName(fen(low), fen(high))} chosen=${chosen} link=${link(wanted)} />`;
      })}</ul>
    </section>`;
}

function bandName(low, high) {
  const words = (fen) => {
    const band = BANDS.flat().find((each) => each && String(parsed(each)) === String(fen));
    return language.value === "zh" && band ? band : price(Number(fen));
  };
  if (!low) return t("band.below", { high: words(high) });
  return high ? t("band.between", { low: words(low), high: words(high) }) : t("band.above", { low: words(low) });
}

function Discounts({ asked, link }) {
  return html`
    <section class="facet">
      <h2>${t("facet.discount")}</h2>
      <ul>${DISCOUNTS.map((bp) => {
        const chosen = asked.discount_min === String(bp);
        return html`<${Choice} key=${bp} name=${t("facet.discount.more", { percent: bp / 100 })} chosen=${chosen}
          link=${link(changed(asked, { discount_min: chosen ? "" : String(bp) }))} />`;
      })}</ul>
    </section>`;
}

function Choice({ name, count, chosen, link }) {
  return html`
    <li><a class="choice" ...${link} aria-current=${chosen ? "true" : undefined}>
      <span>${name}</span>${count !== undefined && html`<span class="count">${count}</span>`}
    </a></li>`;
}
