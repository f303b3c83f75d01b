// What is asked of the catalogue. It stands in the address, so it can be shared and gone back to. Pure.

/** What lots are chosen by; the order of the facets on the page. */
export const CHOICES = ["status", "kind", "round", "region", "place", "court", "loan", "limited", "ends", "price", "discount"];
const NAMES = ["q", "status", "kind", "round", "region", "place", "court", "loan", "limited", "ends", "price_min", "price_max", "discount_min", "sort"];
const PARTS = { price: ["price_min", "price_max"], discount: ["discount_min"] };

/** The question in an address's search. */
export function questionOf(search) {
  const given = new URLSearchParams(search);
  return Object.fromEntries(NAMES.filter((name) => given.get(name)).map((name) => [name, given.get(name)]));
}

/** The address of a question. */
export function addressOf(asked) {
  const search = new URLSearchParams(asked).toString();
  return search ? `/?${search}` : "/";
}

/** The question with changes; an empty value takes a name away. */
export function changed(asked, changes) {
  return Object.fromEntries(Object.entries({ ...asked, ...changes }).filter(([, value]) => value));
}

/** The question without one choice. */
export function without(asked, choice) {
  const gone = PARTS[choice] ?? [choice];
  return Object.fromEntries(Object.entries(asked).filter(([name]) => !gone.includes(name)));
}

/** The choices that narrow a question, words first. */
export function narrowing(asked) {
  return ["q", ...CHOICES].filter((choice) => (PARTS[choice] ?? [choice]).some((name) => asked[name]));
}
