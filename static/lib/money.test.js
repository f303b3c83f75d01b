import assert from "node:assert/strict";
import test from "node:test";
import { capitals, parsed, percentOver, price, spoken, yuan } from "./money.js";

test("yuan groups thousands and keeps two decimals", () => {
  assert.equal(yuan(35_600_000), "356,000.00");
  assert.equal(yuan(5), "0.05");
  assert.equal(yuan(-123_456_789), "-1,234,567.89");
  assert.equal(yuan(10 ** 15), "10,000,000,000,000.00");
});

test("price leaves out fen that are none", () => {
  assert.equal(price(35_600_000), "¥356,000");
  assert.equal(price(211_973_677), "¥2,119,736.77");
});

test("spoken says 万 and 亿, and 约 where it rounds", () => {
  assert.equal(spoken(35_600_000, "zh"), "35.6 万元");
  assert.equal(spoken(12_500_000_000, "zh"), "1.25 亿元");
  assert.equal(spoken(402_000_000_0, "zh"), "4,020 万元");
  assert.equal(spoken(211_973_677, "zh"), "约 211.97 万元");
  assert.equal(spoken(999_999, "zh"), null);
  assert.equal(spoken(1_000_000, "zh"), "1 万元");
  assert.equal(spoken(20_000_000_000, "en"), "¥200 million");
  assert.equal(spoken(125_000_000_000, "en"), "¥1.25 billion");
  assert.equal(spoken(35_600_000, "en"), null);
});

test("percentOver rounds halves away from zero, like the platform", () => {
  assert.equal(percentOver(33_090_000, 19_990_000), "65.53");
  assert.equal(percentOver(35_600_000, 28_000_000), "27.14");
  assert.equal(percentOver(36_400_000, 39_800_000), "-8.54");
  assert.equal(percentOver(100, 100), "0.00");
  assert.equal(percentOver(99_999, 100_000), "0.00");
  assert.equal(percentOver(99_995, 100_000), "-0.01");
  assert.equal(percentOver(10 ** 15, 10 ** 13), "9900.00");
});

test("parsed takes what people type", () => {
  const cases = [
    ["356000", 35_600_000], ["356,000.5", 35_600_050], ["¥ 356,000.00", 35_600_000], ["３５６０００", 35_600_000],
    ["35.6万", 35_600_000], ["1.25亿", 12_500_000_000], ["2亿元整", 20_000_000_000], ["0.01", 1], ["1.000000", 100],
  ];
  for (const [text, fen] of cases) assert.equal(parsed(text), fen, text);
  for (const text of ["", "abc", "1.234", "-5", "1e5", "1.1.1", "99999999999999", "35万6", "+1", "."]) {
    assert.equal(parsed(text), null, text);
  }
});

test("capitals write amounts as cheques do", () => {
  const cases = [
    [0, "零元整"], [35_600_000, "叁拾伍万陆仟元整"], [1_000, "壹拾元整"], [10_000_100, "壹拾万零壹元整"],
    [10_000_000_000, "壹亿元整"], [10_000_000_100, "壹亿零壹元整"], [10_001_000_000, "壹亿零壹万元整"],
    [10_050_000, "壹拾万零伍佰元整"], [12_345_678_901, "壹亿贰仟叁佰肆拾伍万陆仟柒佰捌拾玖元零壹分"],
    [100_500, "壹仟零伍元整"], [150, "壹元伍角整"], [155, "壹元伍角伍分"], [105, "壹元零伍分"], [5, "伍分"], [50, "伍角整"],
    [20_001_000_000_000, "贰仟亿壹仟万元整"], [10 ** 15, "壹拾万亿元整"], [10 ** 14 + 10_000_000_000, "壹万零壹亿元整"],
    [100_100_000_0, "壹仟零壹万元整"],
  ];
  for (const [fen, text] of cases) assert.equal(capitals(fen), text, String(fen));
});

test("capitals of every amount read back to the amount", () => {
  const value = (text) => {
    let total = 0, section = 0, digit = 0;
    for (const character of text.replace(/整$/, "")) {
      const figure = "零壹贰叁肆伍陆柒捌玖".indexOf(character);
      if (figure >= 0) digit = figure;
      else if (character === "元") { total += section + digit; section = 0; digit = 0; total *= 100; }
      else if (character === "角") { total += digit * 10; digit = 0; }
      else if (character === "分") { total += digit; digit = 0; }
      else if (character === "万" || character === "亿") {
        const size = character === "万" ? 10_000 : 100_000_000;
        if (character === "亿") { total = (total + section + digit) * size; } else { total += (section + digit) * size; }
        section = 0; digit = 0;
      } else { section += digit * { 拾: 10, 佰: 100, 仟: 1000 }[character]; digit = 0; }
    }
    return total;
  };
  let seed = 20_160_803;
  for (let round = 0; round < 5_000; round += 1) {
    seed = (seed * 48_271) % 2_147_483_647;
    const fen = (seed * 97) % 10 ** (3 + (round % 12)) + 100;
    assert.equal(value(capitals(fen)), fen, capitals(fen));
  }
});
