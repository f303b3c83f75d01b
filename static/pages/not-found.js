// No such page: what to do instead.
import { html } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { mount } from "../parts/shell.js";

function NotFound() {
  return html`
    <div class="sheet">
      <h1>${t("not-found.heading")}</h1>
      <p>${t("not-found.text")}</p>
      <p><a class="button primary" href="/">${t("not-found.lots")}</a></p>
    </div>`;
}

mount(NotFound, () => t("not-found.heading"));
