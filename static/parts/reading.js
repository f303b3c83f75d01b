// Something read from the server, again every so often while the page is looked at; a fault keeps what was known.
import { Problem } from "../lib/api.js";
import { useCallback, useEffect, useRef, useState } from "../vendor/hooks.mjs";

/** `{ value, problem, again }` of what `ask()` gives; asked again every `everyMs` where that is given. */
export function useReading(ask, everyMs = null, asked = []) {
  const [known, setKnown] = useState({ value: null, problem: null });
  const latest = useRef(0);
  const again = useCallback(async () => {
    latest.current += 1;
    const mine = latest.current;
    try {
      const value = await ask();
      if (mine === latest.current) setKnown({ value, problem: null });
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      if (mine === latest.current) setKnown(({ value }) => ({ value, problem }));
    }
  }, asked);
  useEffect(() => {
    again();
    if (everyMs === null) return undefined;
    const timer = setInterval(() => { if (!document.hidden) again(); }, everyMs);
    return () => clearInterval(timer);
  }, [again]);
  return { ...known, again };
}
