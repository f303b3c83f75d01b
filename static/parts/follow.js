// Follow a lot: a wish to be reminded, which nobody else is told.
import { command } from "../lib/api.js";
import { html } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { useCommand } from "./form.js";
import { Refusal } from "./messages.js";

/** A switch that says what it does; `again` hears that it was done. */
export function FollowButton({ lotId, following, again, small = false }) {
  const [toggle, busy, problem] = useCommand(async () => {
    await command(`/api/lots/${lotId}/${following ? "unfollow" : "follow"}`);
    await again();
  });
  return html`
    <button type="button" class=${small ? "plain" : "follow"} disabled=${busy} aria-pressed=${String(following)} onClick=${toggle}>
      ${!small && html`<span aria-hidden="true">${following ? "★" : "☆"}</span>`}${t(following ? "follow.stop" : "follow.start")}
    </button>
    <${Refusal} problem=${problem} />`;
}
