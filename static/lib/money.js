// Amounts are whole fen in a Number: the largest the platform takes (10^15) is exact there. Nothing is ever a fraction.

const FEN = 100;
const WAN = 10_000 * FEN;
const YI = 100_000_000 * FEN;
const MOST = 10 ** 15;

/** `35600000` -> `"356,000.00"`. */
export function yuan(fen) {
  const whole = Math.floor(Math.abs(fen) / FEN);
  const cents = Math.abs(fen) % FEN;
  return `${fen < 0 ? "-" : ""}${grouped(whole)}.${String(cents).padStart(2, "0")}`;
}

/** Amount with its sign of currency, without fen where there are none: `¥356,000`, for buttons. */
export function price(fen) {
  return `¥${fen % FEN ? yuan(fen) : grouped(fen / FEN)}`;
}

/** A large amount as people say it, `35.6 万元` or `¥1.25 billion`; null where the plain figure is short enough. */
export function spoken(fen, language) {
  const units = language === "zh"
    ? [[YI, "亿元"], [WAN, "万元"]]
    : [[10 ** 9 * FEN, "billion"], [10 ** 6 * FEN, "million"]];
  const unit = units.find(([size]) => fen >= size);
  if (!unit) return null;
  const hundredths = Math.round((fen / unit[0]) * 100);
  const exact = hundredths * unit[0] === fen * 100;
  const figure = trimmed(hundredths);
  return language === "zh" ? `${exact ? "" : "约 "}${figure} ${unit[1]}` : `${exact ? "" : "about "}¥${figure} ${unit[1]}`;
}

function trimmed(hundredths) {
  const text = `${grouped(Math.floor(hundredths / 100))}.${String(hundredths % 100).padStart(2, "0")}`;
  return text.replace(/\.?0+$/, "");
}

/** How far `fen` lies over `base`, in percent with two decimals, halves away from zero as the platform's own figures. */
export function percentOver(fen, base) {
  const difference = BigInt(fen - base) * 20_000n;
  const whole = BigInt(base) * 2n;
  const sign = difference < 0n ? -1n : 1n;
  const hundredths = Number((sign * difference + BigInt(base)) / whole);
  const text = `${Math.floor(hundredths / 100)}.${String(hundredths % 100).padStart(2, "0")}`;
  return sign < 0n && hundredths > 0 ? `-${text}` : text;
}

function grouped(whole) {
  return String(whole).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** What somebody typed as an amount of yuan, in fen: `356,000.5`, `¥35.6万`, full-width digits; null if it is none. */
export function parsed(text) {
  const plain = text.normalize("NFKC").replace(/[\s,¥元整]/g, "");
  const match = /^(\d{1,13})(?:\.(\d{1,8}))?(万|亿)?$/.exec(plain);
  if (!match) return null;
  const [, whole, decimals = "", unit] = match;
  const places = { 万: 6, 亿: 10 }[unit] ?? 2;
  if (decimals.replace(/0+$/, "").length > places) return null;
  const fen = Number(whole + decimals.slice(0, places).padEnd(places, "0"));
  return fen <= MOST ? fen : null;
}

const DIGITS = "零壹贰叁肆伍陆柒捌玖";
const PLACES = ["", "拾", "佰", "仟"];
const GROUPS = ["", "万", "亿", "万亿"];

/** An amount in the capitals of cheques: `35600000` -> `叁拾伍万陆仟元整`. */
export function capitals(fen) {
  const whole = Math.floor(fen / FEN);
  const jiao = Math.floor((fen % FEN) / 10);
  const rest = fen % 10;
  const head = whole ? `${wholeCapitals(whole)}元` : "";
  if (!jiao && !rest) return `${head || "零元"}整`;
  const middle = jiao ? `${DIGITS[jiao]}角` : whole ? "零" : "";
  return `${head}${middle}${rest ? `${DIGITS[rest]}分` : "整"}`;
}

function wholeCapitals(whole) {
  const groups = [];
  for (let left = whole; left > 0; left = Math.floor(left / 10_000)) groups.push(left % 10_000);
  let text = "";
  let zero = false; // a gap of zeros is spoken once, and only between digits
  for (let index = groups.length - 1; index >= 0; index -= 1) {
    const group = groups[index];
    if (!group) {
      zero = zero || text !== "";
      continue;
    }
    if (text && (zero || group < 1000)) text += DIGITS[0];
    const unit = index === 3 && groups[2] ? "万" : GROUPS[index];
    text += fourCapitals(group) + unit;
    zero = false;
  }
  return text;
}

function fourCapitals(group) {
  let text = "";
  let zero = false;
  for (let place = 3; place >= 0; place -= 1) {
    const digit = Math.floor(group / 10 ** place) % 10;
    if (!digit) {
      zero = text !== "";
      continue;
    }
    text += `${zero ? DIGITS[0] : ""}${DIGITS[digit]}${PLACES[place]}`;
    zero = false;
  }
  return text;
}
