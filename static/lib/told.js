// What the server wrote into the page because the page would ask for it first; each part of a page takes it once. A page
// that the browser brings back from its history is as old as it is, so there nothing counts as told.

const old = globalThis.performance?.getEntriesByType("navigation")[0]?.type === "back_forward";
let told = old ? null : JSON.parse(globalThis.document?.getElementById("told")?.textContent || "null");

/** What was told, or null: then it is asked for. */
export function takeTold() {
  const taken = told;
  told = null;
  return taken;
}
