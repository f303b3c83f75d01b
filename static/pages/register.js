// Real-name registration (R-BID-04); afterwards one is signed in and back at the lot one came from.
import { command } from "../lib/api.js";
import { html } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { nextPage } from "../lib/session.js";
import { Field, useCommand } from "../parts/form.js";
import { Refusal } from "../parts/messages.js";
import { mount } from "../parts/shell.js";

function Register() {
  const [submit, busy, problem] = useCommand(async (form) => {
    const told = Object.fromEntries(form);
    await command("/api/register", { ...told, real_name: told.real_name.trim(), id_number: told.id_number.trim() });
    await command("/api/login", { username: told.username, password: told.password });
    location.assign(nextPage(location.search));
  });
  return html`
    <div class="sheet">
      <h1>${t("register.heading")}</h1>
      <p>${t("register.why")}</p>
      <form class="form" onSubmit=${submit}>
        <${Field} name="real_name" label=${t("field.real-name")} autocomplete="name" maxlength="100" required />
        <${Field} name="id_number" label=${t("field.id-number")} hint=${t("field.id-number.hint")} autocomplete="off"
          inputmode="text" maxlength="18" pattern="\\s*[1-9]\\d{16}[\\dXx]\\s*" title=${t("field.id-number.hint")} required />
        <${Field} name="username" label=${t("field.username")} hint=${t("field.username.hint")} autocomplete="username"
          autocapitalize="none" pattern="[A-Za-z0-9][A-Za-z0-9._\\-]{2,39}" title=${t("field.username.hint")} required />
        <${Field} name="password" label=${t("field.password")} hint=${t("field.password.hint")} type="password"
          autocomplete="new-password" minlength="8" maxlength="128" required />
        <${Refusal} problem=${problem} />
        <button class="primary" disabled=${busy}>${busy ? t("form.busy") : t("register.go")}</button>
      </form>
      <p class="aside">${t("register.known")} <a href=${`/sign-in${location.search}`}>${t("account.sign-in")}</a></p>
    </div>`;
}

mount(Register, () => t("register.heading"));
