// What the server wrote into the page because the page would ask for it first; each part of a page takes it once.

let told = JSON.parse(globalThis.document?.getElementById("told")?.textContent || "null");

/** What was told, or null: then it is asked for. */
export function takeTold() {
  const taken = told;
  told = null;
  return taken;
}
