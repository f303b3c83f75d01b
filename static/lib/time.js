// Times of the platform are RFC 3339 text in +08:00 and are shown as they stand. What counts down is told by the server
// in remaining milliseconds and carried on by a monotonic clock; the wall clock of the visitor plays no part.

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const BEIJING_MS = 8 * 3_600_000;
const STAMP = /^(\d{4})-(\d\d)-(\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d+))?\+08:00$/;

/** The parts of a moment in Beijing as the server writes it. */
export function beijing(moment) {
  const match = STAMP.exec(moment);
  if (!match) throw new TypeError(`not a moment in Beijing: ${moment}`);
  const [, year, month, day, clock, ms = "0"] = match;
  return { year: Number(year), month: Number(month), day: Number(day), clock, ms: ms.padEnd(3, "0").slice(0, 3) };
}

/** `2025年6月3日 10:00:00` or `3 Jun 2025, 10:00:00`. */
export function moment(text, language) {
  return `${day(text, language)}${language === "zh" ? " " : ", "}${beijing(text).clock}`;
}

/** The day alone. */
export function day(text, language) {
  const { year, month, day: date } = beijing(text);
  return language === "zh" ? `${year}年${month}月${date}日` : `${date} ${MONTHS[month - 1]} ${year}`;
}

/** The same of a day without a time, `2025-06-03`: as the law's deadlines are told. */
export function date(text, language) {
  return day(`${text}T00:00:00+08:00`, language);
}

/** `6月3日 10:00` or `3 Jun, 10:00`: for cards and tables. */
export function short(text, language) {
  const { month, day: date, clock } = beijing(text);
  const at = clock.slice(0, 5);
  return language === "zh" ? `${month}月${date}日 ${at}` : `${date} ${MONTHS[month - 1]}, ${at}`;
}

/** `6月3日 10:00:07` or `3 Jun, 10:00:07`, with milliseconds on demand. */
export function dated(text, language, withMs) {
  return short(text, language).replace(/\d\d:\d\d$/, clock(text, withMs));
}

/** A last moment: midnight is told as the end of the day before, `6月2日 24:00`, since nobody reads 0:00 as too late. */
export function until(text, language) {
  const { clock: at } = beijing(text);
  if (at !== "00:00:00") return short(text, language);
  const before = new Date(Date.parse(text) - 1 + BEIJING_MS).toISOString();
  return short(`${before.slice(0, 23)}+08:00`, language).replace(/\d\d:\d\d$/, "24:00");
}

/** Time of day, with milliseconds on demand. */
export function clock(text, withMs) {
  const parts = beijing(text);
  return withMs ? `${parts.clock}.${parts.ms}` : parts.clock;
}

/** Days, hours, minutes and seconds of a span. Seconds round up, so that `0` means: it is over. */
export function split(ms) {
  const seconds = Math.ceil(Math.max(0, ms) / 1000);
  return {
    days: Math.floor(seconds / 86_400),
    hours: Math.floor(seconds / 3600) % 24,
    minutes: Math.floor(seconds / 60) % 60,
    seconds: seconds % 60,
  };
}

/** `03:14:07`, the hours left out below one unless there are days. */
export function digits(ms) {
  const { days, hours, minutes, seconds } = split(ms);
  const parts = days || hours ? [hours, minutes, seconds] : [minutes, seconds];
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}

const LATER_MS = 1500;

/**
 * What is known of the time left, as of `at` on the monotonic clock. A message that was held up on its way makes the end
 * look later than it is, so of two estimates the earlier one is kept, unless they differ by more than a delay.
 */
export function follow(known, { remaining_ms: remaining, opens_in_ms: opensIn, rate }, at) {
  const told = { remaining, opensIn, rate, at };
  if (!known || known.rate !== rate) return told;
  const later = remaining - left(known, at, true).remaining;
  return later > 0 && later < LATER_MS * rate ? known : told;
}

/**
 * The same after events, without waiting for a tick: a bid moves the end by what its `ends_at` is later than `endsAt`, a
 * halt says what is kept, and a lot that is resumed goes on from there.
 */
export function afterEvents(known, endsAt, events, at) {
  let end = endsAt;
  let now = known;
  for (const { kind, remaining_ms: kept, ends_at: next } of events) {
    if (kept !== undefined) now = { ...now, remaining: kept, at };
    else if (kind === "resumed") now = { ...now, at };
    else if (next && end) now = { ...now, remaining: now.remaining + Date.parse(next) - Date.parse(end) };
    end = next ?? (kept === undefined ? end : null);
  }
  return now;
}

/** Milliseconds to the end and to the opening at `at`. A lot that stands still (`running` false) keeps its time. */
export function left(known, at, running) {
  const passed = running ? Math.max(0, at - known.at) * known.rate : 0;
  return { remaining: Math.max(0, known.remaining - passed), opensIn: Math.max(0, known.opensIn - passed) };
}
