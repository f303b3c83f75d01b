// Fields with labels and hints, and a command behind a form: one at a time, its refusal kept beside what was typed.
import { Problem } from "../lib/api.js";
import { html } from "../lib/dom.js";
import { useState } from "../vendor/hooks.mjs";

export function Field({ name, label, hint, ...input }) {
  const described = hint ? `${name}-hint` : undefined;
  return html`
    <div class="field">
      <label for=${name}>${label}</label>
      <input id=${name} name=${name} type="text" aria-describedby=${described} ...${input} />
      ${hint && html`<p class="hint" id=${described}>${hint}</p>`}
    </div>`;
}

/** `[run, busy, problem]`: `run` is a handler of `submit` or `click`; `action` gets the form's data. */
export function useCommand(action) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(null);
  const run = async (event) => {
    event.preventDefault();
    if (busy) return;
    const form = event.currentTarget instanceof HTMLFormElement ? new FormData(event.currentTarget) : null;
    setBusy(true);
    setProblem(null);
    try {
      await action(form);
    } catch (refusal) {
      if (!(refusal instanceof Problem)) throw refusal;
      setProblem(refusal);
    } finally {
      setBusy(false);
    }
  };
  return [run, busy, problem];
}
