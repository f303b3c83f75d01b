// Time left, redrawn only when its text changes. Screen readers are told at marks, not every second.
import { html } from "../lib/dom.js";
import { language, t } from "../lib/i18n.js";
import { digits, left, split } from "../lib/time.js";
import { useEffect } from "../vendor/hooks.mjs";
import { useSignal } from "../vendor/signals.mjs";
import { say } from "./messages.js";

const LOOK_MS = 100;
const MARKS_S = [300, 60, 10];

/** `2 天 03:14:07`. */
export function spanWords(ms) {
  const { days } = split(ms);
  return days ? `${t("time.days", { n: days })} ${digits(ms)}` : digits(ms);
}

/**
 * Counts down what `read(now)` gives in milliseconds. `hurry` is set in the last five minutes. `label`
 * stands before it and with it is the timer's name: a screen reader that meets a timer says its name alone.
 */
export function Countdown({ label, read, urgent = false, announce = false }) {
  const text = useSignal("");
  const hurry = useSignal(false);
  useEffect(() => {
    let before = Infinity;
    const look = () => {
      const ms = read(performance.now());
      text.value = spanWords(ms);
      hurry.value = urgent && ms > 0 && ms < 300_000;
      if (announce) before = tell(before, ms);
    };
    look();
    const timer = setInterval(look, LOOK_MS);
    return () => clearInterval(timer);
  }, [read, urgent, language.value]);
  return html`<span class="clock-label" aria-hidden="true">${label}</span> <span class=${`countdown ${hurry.value ? "countdown-hurry" : ""}`} role="timer" aria-live="off" aria-label=${`${label} ${text.value}`}>${text}</span>`;
}

function tell(before, ms) {
  const seconds = Math.ceil(ms / 1000);
  const mark = MARKS_S.find((limit) => before > limit && seconds <= limit && seconds > limit - 2);
  if (mark) say(t("time.left", { time: mark >= 60 ? t("time.minutes", { n: mark / 60 }) : t("time.seconds", { n: mark }) }));
  return seconds;
}

/** Milliseconds to the end of a running room, from its signal. */
export function toEnd(time) {
  return (now) => (time.peek() ? left(time.peek(), now, true).remaining : 0);
}

/** Milliseconds to its opening. */
export function toOpening(time) {
  return (now) => (time.peek() ? left(time.peek(), now, true).opensIn : 0);
}
