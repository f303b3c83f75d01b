// A price against the reference price, in words.
import { t } from "../lib/i18n.js";
import { percentOver } from "../lib/money.js";

/** `低于参考价 8.54%`, `高于参考价 3.00%`, or `等于参考价`. */
export function overReference(fen, reference) {
  if (fen === reference) return t("price.at-reference");
  const percent = percentOver(fen, reference);
  return t(fen < reference ? "price.under-reference" : "price.over-reference", { percent: percent.replace("-", "") });
}
