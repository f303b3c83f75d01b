// Who is signed in, as the server wrote it into the page, and what the page knows of the server.
import { command } from "./api.js";

const told = (name) => document.querySelector(`meta[name="${name}"]`)?.content ?? "";

/** `{name, roles}` of who is signed in, or null. */
export const person = told("person") ? JSON.parse(told("person")) : null;

export const isBidder = person?.roles.includes("bidder") ?? false;

/** Whether deposits can be paid at the simulated bank. */
export const simulatedBank = told("simulated-bank") === "yes";

/** `real`, or `rehearsal` or `demo`, where nothing counts. */
export const mode = told("mode");

/** Where to go after signing in: a path of this site, never another site. */
export function nextPage(search) {
  const next = new URLSearchParams(search).get("next") ?? "/";
  return /^\/(?![/\\])/.test(next) ? next : "/";
}

/** The address of a page that comes back here afterwards. */
export function comingBack(path) {
  return `${path}?next=${encodeURIComponent(location.pathname + location.search)}`;
}

export async function signOut() {
  await command("/api/logout");
  location.reload();
}
