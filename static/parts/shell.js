// The frame of every page: skip link, masthead, language switch, who is signed in, footer.
import { html } from "../lib/dom.js";
import { language, speak, t } from "../lib/i18n.js";
import { comingBack, isBidder, mode, person, signOut } from "../lib/session.js";
import { render } from "../vendor/preact.mjs";
import { effect } from "../vendor/signals.mjs";

const PLACES = [
  ["/", "nav.lots"],
  ["/statistics", "nav.statistics"],
  ...(isBidder ? [["/mine", "nav.mine"]] : []),
  ...(person ? [["/my/cases", "nav.cases"]] : []),
];

/** Put `Page` into the frame; `title()` is written again when the language changes. */
export function mount(Page, title) {
  effect(() => { document.title = `${title()} - ${t("site.name")}`; });
  const root = document.getElementById("page");
  root.replaceChildren();
  render(html`<${Shell}><${Page} /><//>`, root);
}

function Shell({ children }) {
  return html`
    <a class="skip" href="#main">${t("nav.skip")}</a>
    ${mode !== "real" && html`<p class="not-real" role="note">${t(`mode.${mode}`)}</p>`}
    <header class="masthead">
      <div class="masthead-row">
        <a class="brand" href="/"><${Seal} /><span>${t("site.name")}</span></a>
        <nav class="places" aria-label=${t("nav.label")}>
          ${PLACES.map(([path, key]) => html`
            <a href=${path} aria-current=${location.pathname === path ? "page" : undefined}>${t(key)}</a>`)}
        </nav>
        <${Account} />
        <button type="button" class="plain language" lang=${language.value === "zh" ? "en" : "zh-CN"}
          onClick=${() => speak(language.value === "zh" ? "en" : "zh")}>${language.value === "zh" ? "English" : "中文"}</button>
      </div>
    </header>
    <main id="main" tabindex="-1">${children}</main>
    <footer class="colophon">
      <p>${t("site.basis")}</p>
      <p>${t("site.times")}</p>
      <p><a href="/verify">${t("site.verify")}</a></p>
    </footer>`;
}

function Account() {
  if (!person) {
    return html`<div class="account"><a href=${comingBack("/sign-in")}>${t("account.sign-in")}</a></div>`;
  }
  return html`
    <div class="account">
      <span class="account-name" title=${person.name}>${person.name}</span>
      <button type="button" class="plain" onClick=${signOut}>${t("account.sign-out")}</button>
    </div>`;
}

/** The mark of the house: a seal with the balance of a scale. */
function Seal() {
  return html`
    <svg class="seal" viewBox="0 0 32 32" aria-hidden="true">
      <rect x="2" y="2" width="28" height="28" rx="3" />
      <path d="M16 8v16M10 24h12M8 11h16M8 11l-3 7h6zM24 11l-3 7h6z" />
    </svg>`;
}
