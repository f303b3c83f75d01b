// Sign in and go back to where one came from. What was typed stays when the server refuses.
import { command } from "../lib/api.js";
import { html } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { nextPage } from "../lib/session.js";
import { Field, useCommand } from "../parts/form.js";
import { Refusal } from "../parts/messages.js";
import { mount } from "../parts/shell.js";

function SignIn() {
  const [submit, busy, problem] = useCommand(async (form) => {
    await command("/api/login", { username: form.get("username"), password: form.get("password") });
    location.assign(nextPage(location.search));
  });
  return html`
    <div class="sheet">
      <h1>${t("sign-in.heading")}</h1>
      <form class="form" onSubmit=${submit}>
        <${Field} name="username" label=${t("field.username")} autocomplete="username" autocapitalize="none" required />
        <${Field} name="password" label=${t("field.password")} type="password" autocomplete="current-password" required />
        <${Refusal} problem=${problem} />
        <button class="primary" disabled=${busy}>${busy ? t("form.busy") : t("account.sign-in")}</button>
      </form>
      <p class="aside">${t("sign-in.new")} <a href=${`/register${location.search}`}>${t("account.register")}</a></p>
    </div>`;
}

mount(SignIn, () => t("sign-in.heading"));
