// Two flat catalogues and one signal: reading `t` in a component follows the switch. The choice is a cookie, so that the
// server writes the title and `lang` of the next page in the same language.
import { signal } from "../vendor/signals.mjs";
import en from "../words/en.js";
import zh from "../words/zh.js";

const WORDS = { zh, en };
const YEAR_S = 31_536_000;

/** `zh` or `en`. */
export const language = signal(globalThis.document?.documentElement.lang.startsWith("en") ? "en" : "zh");

/** The words behind `key`, with `{name}` replaced by `values.name`; English plurals by a second form behind ` | `. */
export function t(key, values = {}) {
  return filled(WORDS[language.value][key] ?? key, values);
}

/** The same in a named language. */
export function filled(words, values) {
  const forms = words.split(" | ");
  const form = forms.length > 1 && values.n !== 1 ? forms[1] : forms[0];
  return form.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/** Chinese or English text that the server sends in pairs. */
export function either(chinese, english) {
  return language.value === "en" && english ? english : chinese;
}

/** Switch, keep the choice and the page. */
export function speak(chosen) {
  language.value = chosen;
  document.documentElement.lang = chosen === "en" ? "en" : "zh-CN";
  document.cookie = `language=${chosen}; path=/; max-age=${YEAR_S}; samesite=lax`;
}
