// One case as its party reads it: deadlines first, then the money, then the plan that explains it, then the papers.
import { Problem, read } from "../lib/api.js";
import { html } from "../lib/dom.js";
import { either, language, t } from "../lib/i18n.js";
import { yuan } from "../lib/money.js";
import { person } from "../lib/session.js";
import { date, day, moment } from "../lib/time.js";
import { Fault } from "../parts/messages.js";
import { Clock, Roles, SignInFirst } from "../parts/party.js";
import { mount } from "../parts/shell.js";
import { Rows } from "../parts/rows.js";
import { useEffect } from "../vendor/hooks.mjs";
import { signal } from "../vendor/signals.mjs";

const view = signal(null);
const fault = signal(null);
const STATEMENT = ["due", "executed", "ordered", "withheld", "deducted", "open"];
const ALWAYS = ["due", "executed", "open"];

async function load() {
  try {
    view.value = await read(`/api${location.pathname}`);
    fault.value = null;
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    fault.value = problem;
  }
}

function MyCase() {
  useEffect(() => { if (person) load(); }, []);
  if (!person) return html`<${SignInFirst} />`;
  if (fault.value) return html`<${Fault} problem=${fault.value} again=${load} />`;
  if (!view.value) return html`<p>${t("page.loading")}</p>`;
  return html`<${Case} view=${view.value} />`;
}

function Case({ view: shown }) {
  return html`
    <div class="party">
      <p><a href="/my/cases">${t("my-case.back")}</a></p>
      <h1>${shown.case_no}</h1>
      <p class="lead">${shown.court}</p>
      <${Standing} parties=${shown.parties} />
      <${Part} name="clocks">
        ${shown.clocks.length
          ? html`<ul class="clocks">${shown.clocks.map((clock) => html`<${Clock} key=${clock.event + clock.until + clock.party + clock.objection_id} clock=${clock} several=${shown.parties.length > 1} />`)}</ul>`
          : html`<p class="aside">${t("my-case.no-clocks")}</p>`}
        ${shown.pay_by && html`<p class="aside">${t("my-case.pay-by", { day: date(shown.local_pay_by ?? shown.pay_by, language.value) })} <span class="rule">R-ACCT-03</span></p>`}
      <//>
      <${Part} name="statement"><${Statement} statement=${shown.statement} /><//>
      <${Part} name="plans">${shown.plans.length
        ? shown.plans.map((plan, index) => html`<${Plan} key=${plan.id} plan=${plan} open=${index === 0} />`)
        : html`<p class="aside">${t("my-case.no-plans")}</p>`}<//>
      ${shown.claims.length > 0 && html`<${Part} name="own-claims"><${OwnClaims} claims=${shown.claims} /><//>`}
      <${Part} name="papers"><${Papers} papers=${shown.papers} /><//>
    </div>`;
}

function Part({ name, children }) {
  return html`<section class="panel" aria-labelledby=${name}><h2 id=${name}>${t(`my-case.${name}`)}</h2>${children}</section>`;
}

function Standing({ parties }) {
  const account = ({ bank, account_end: end }) => (end ? t("my-case.account-end", { bank, end }) : t("my-case.no-account"));
  return html`
    <dl class="pairs">
      <div><dt>${t("my-case.as")}</dt><dd><${Roles} parties=${parties} /></dd></div>
      <div><dt>${t("my-case.account")}</dt><dd>${parties.map((party) => html`<p key=${party.party_id}>${account(party)}</p>`)}</dd></div>
    </dl>`;
}

function Statement({ statement }) {
  if (!statement.due_fen) return html`<p class="aside">${t("my-case.no-due")}</p>`;
  const shown = STATEMENT.filter((name) => ALWAYS.includes(name) || statement[`${name}_fen`]);
  const columns = [["what"], ["amount", "number figure"], ["to"], ["when"], ["state"]];
  const paid = statement.payments.map((each) => [each.reason, yuan(each.amount_fen),
    t("my-case.account-end", { bank: each.bank, end: each.account_end }), each.paid_at ? moment(each.paid_at, language.value) : "",
    t(`payment.${each.state}`)]);
  const kept = statement.withholdings.map((each) => [t(`withheld.${each.kind}`), yuan(each.amount_fen), each.reason,
    each.pay_until ? date(each.pay_until, language.value) : "", t(`withheld.${each.state}`)]);
  return html`
    <dl class="counts">${shown.map((name) => html`<div key=${name}><dt>${t(`statement.${name}`)}</dt><dd class="figure">¥${yuan(statement[`${name}_fen`])}</dd></div>`)}</dl>
    <${Rows} quiet caption=${t("my-case.statement")} columns=${columns} rows=${[...paid, ...kept]} />`;
}

function Plan({ plan, open }) {
  return html`
    <details class="plan" open=${open}>
      <summary><strong>${t("my-case.version", { n: plan.version })}</strong> <span class="tag">${t(`plan-state.${plan.state}`)}</span> <small>${t("my-case.made", { day: day(plan.made_at, language.value) })}</small></summary>
      <dl class="pairs">
        <div><dt>${t("my-case.proceeds")}</dt><dd class="figure">¥${yuan(plan.proceeds_fen)} <small>${plan.pools.map((pool) => pool.name).join("、")}</small></dd></div>
      </dl>
      <${Rows} caption=${t("my-case.lines")} own=${plan.lines.map((line) => line.own)}
        columns=${[["level"], ["payee"], ["amount", "number figure"], ["formula"]]}
        rows=${plan.lines.map((line) => [
          `${line.level} ${either(line.level_zh, line.level_en)}`, html`<${Named} ...${line} name=${line.payee} />`, yuan(line.amount_fen),
          html`<span class="figure">${line.formula}</span> <span class="rule">${line.law ?? line.rule}</span><small class="told">${either(line.explanation, line.explanation_en)}</small>`])} />
      <${Rows} caption=${t("my-case.claims")} own=${plan.claims.map((claim) => claim.own)}
        columns=${[["creditor"], ["claimed", "number figure"], ["paid", "number figure"], ["escrow", "number figure"], ["open", "number figure"]]}
        rows=${plan.claims.map((claim) => [html`<${Named} ...${claim} />`, ...["claimed_fen", "paid_fen", "escrow_fen", "open_fen"].map((name) => yuan(claim[name]))])} />
      ${plan.objections.length > 0 && html`<h3>${t("my-case.objections")}</h3>${plan.objections.map((each) => html`<${Objection} key=${each.id} objection=${each} />`)}`}
      <p class="hash">${plan.hash}</p>
    </details>`;
}

function Named({ name, own }) {
  return html`<span>${name}${own && html` <span class="tag tag-me">${t("my-case.own")}</span>`}</span>`;
}

function Objection({ objection }) {
  const amounts = (key, found) => found.map(({ name, amount_fen: fen }) => html`<li key=${key + name}>${t(key, { name, amount: yuan(fen) })}</li>`);
  return html`
    <div class="objection">
      <p><strong>${t("my-case.objected", { name: objection.name, day: date(objection.objected_on, language.value) })}</strong>${objection.own && html` <span class="tag tag-me">${t("my-case.own")}</span>`}</p>
      <p>${objection.text}</p>
      <ul>${amounts("my-case.should-be", objection.claims)}</ul>
      ${objection.opinions.map((each) => html`<div class="opinion" key=${each.name}><p><strong>${t("my-case.opposition", { name: each.name, day: date(each.made_on, language.value) })}</strong></p><p>${each.text}</p></div>`)}
      ${objection.suit_no && html`<p>${t("my-case.suit", { no: objection.suit_no })}</p>`}
      ${objection.judgment && html`<p>${t("my-case.judgment", { no: objection.judgment })}</p><ul>${amounts("my-case.judged", objection.judged)}</ul>`}
    </div>`;
}

function OwnClaims({ claims }) {
  const sum = (parts) => yuan(Object.values(parts).reduce((all, fen) => all + fen, 0));
  const columns = [["title"], ["claimed-by", "number figure"], ["recognised", "number figure"]];
  return html`<${Rows} quiet caption=${t("my-case.own-claims")} columns=${columns}
    rows=${claims.map((claim) => [html`${claim.title_no} <small>${claim.name}</small>`, sum(claim.claimed), sum(claim.recognised)])} />`;
}

function Papers({ papers }) {
  if (!papers.length) return html`<p class="aside">${t("my-case.no-papers")}</p>`;
  return html`
    <ul class="papers">${papers.map((paper) => html`
      <li key=${paper.id}>
        <span>${t(`paper.${paper.kind}`)} <small>${moment(paper.made_at, language.value)}</small></span>
        <span class="links"><a href=${`/api/papers/${paper.id}/pdf`}>PDF</a> <a href=${`/api/papers/${paper.id}/html`}>HTML</a></span>
        <span class="hash">${paper.pdf_sha256}</span>
      </li>`)}</ul>`;
}

mount(MyCase, () => (view.value ? view.value.case_no : t("my-cases.heading")));
