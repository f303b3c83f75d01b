// What a tab keeps over a reload. A browser that refuses storage costs the reload's memory, never the page.

/** A place for one JSON value under `name`. */
export function kept(name) {
  return {
    get() {
      try {
        return JSON.parse(sessionStorage.getItem(name));
      } catch {
        return null;
      }
    },
    set(value) {
      try {
        sessionStorage.setItem(name, JSON.stringify(value));
      } catch { /* storage is switched off or full */ }
    },
    clear() {
      try {
        sessionStorage.removeItem(name);
      } catch { /* storage is switched off */ }
    },
  };
}
