import assert from "node:assert/strict";
import test from "node:test";
import { minimum, sentence, source } from "./refusals.js";

const LOW = { t: "refused", code: "below-minimum", rule: "R-BID-08", law: "法释〔2016〕18号 第二十条", detail: "出价低于当前最低应价", detail_en: "Too low", minimum_fen: 200 };
const t = (key) => `(${key})`;

test("a refusal is one sentence in the visitor's language", () => {
  assert.equal(sentence(LOW, "zh", t), "出价低于当前最低应价");
  assert.equal(sentence(LOW, "en", t), "Too low");
  assert.equal(sentence({ ...LOW, detail_en: "" }, "en", t), "出价低于当前最低应价");
  assert.equal(sentence({ code: "unreachable" }, "zh", t), "(error.unreachable)");
  const unreadable = { code: "malformed", path: "$.id_number", detail: "请求内容无法识别：$.id_number，要求：18 位居民身份证号，校验码正确" };
  assert.equal(sentence(unreadable, "zh", t), "(error.id-number)");
  assert.equal(sentence({ ...unreadable, path: "$.price_fen" }, "zh", t), unreadable.detail);
  assert.equal(sentence({ code: "refused" }, "zh", t), "(error.unknown)");
});

test("it names its rule and article, and what would have been enough", () => {
  assert.equal(source(LOW), "R-BID-08 · 法释〔2016〕18号 第二十条");
  assert.equal(source({ rule: "R-GEN-07", law: null }), "R-GEN-07");
  assert.equal(source({ rule: null, law: null }), null);
  assert.equal(minimum(LOW), 200);
  assert.equal(minimum({}), null);
});
