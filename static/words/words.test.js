import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { filled } from "../lib/i18n.js";
import en from "./en.js";
import zh from "./zh.js";

const ROOT = join(import.meta.dirname, "..");
const SOURCES = ["lib", "parts", "pages"].flatMap((folder) => readdirSync(join(ROOT, folder))
  .filter((name) => name.endsWith(".js") && !name.endsWith(".test.js"))
  .map((name) => readFileSync(join(ROOT, folder, name), "utf8")));
const SERVER = ["appraisal/cases/rules.py", "auction/lots/rules.py", "auction/announcements/rules.py", "settlement/deposits/rules.py", "bidding/registration/rules.py"]
  .map((path) => readFileSync(join(ROOT, "..", path), "utf8")).join("\n");

test("both languages have the same keys and the same values in each", () => {
  assert.deepEqual(Object.keys(en).sort(), Object.keys(zh).sort());
  const values = (words) => [...new Set(words.match(/\{\w+\}/g) ?? [])].sort();
  for (const key of Object.keys(zh)) {
    const spare = key === "clock.extended" ? [] : values(en[key]);
    for (const value of spare) assert.ok(values(zh[key]).includes(value), `${key}: ${value} in English alone`);
    for (const value of values(zh[key])) assert.ok(values(en[key]).includes(value), `${key}: ${value} in Chinese alone`);
    assert.ok(zh[key].trim() && en[key].trim(), key);
  }
});

test("every key that the pages name is there, and every word is used", () => {
  const quoted = new Set(SOURCES.flatMap((source) => [...source.matchAll(/"([a-z][a-z_-]*(?:\.[a-z0-9_-]+)+)"/g)].map(([, key]) => key)));
  const prefixes = new Set(SOURCES.flatMap((source) => [...source.matchAll(/`([a-z-]+\.)\$\{/g)].map(([, prefix]) => prefix)));
  const called = SOURCES.flatMap((source) => [...source.matchAll(/\bt\("([^"]+)"/g)].map(([, key]) => key));
  for (const key of called) assert.ok(key in zh, `t("${key}") has no words`);
  for (const prefix of prefixes) assert.ok(Object.keys(zh).some((key) => key.startsWith(prefix)), prefix);
  const used = (key) => quoted.has(key) || [...prefixes].some((prefix) => key.startsWith(prefix));
  assert.deepEqual(Object.keys(zh).filter((key) => !used(key)), []);
});

test("words for what the server may say are complete", () => {
  const members = (name) => [...SERVER.match(new RegExp(`class ${name}\\(StrEnum\\):[\\s\\S]*?\\n\\n\\n`))[0].matchAll(/^ {4}[A-Z_0-9]+ = "(\w+)"/gm)].map(([, value]) => value);
  const named = { round: "Round", kind: "AssetKind", bidder: "BidderKind", document: "DocumentKind", deposit: "State", role: "PartyRole" };
  for (const [prefix, name] of Object.entries(named)) for (const value of members(name)) assert.ok(`${prefix}.${value}` in zh, `${prefix}.${value}`);
  const statuses = { published: "upcoming" };
  for (const status of members("Status")) assert.ok(`state.${statuses[status] ?? status}` in zh, status);
  const items = [...SERVER.matchAll(/ChecklistItem\(\s*"([\w-]+)"/g)].map(([, key]) => key);
  assert.ok(items.length >= 17);
  for (const item of items) assert.ok(`item.${item}` in zh, item);
});

test("values are filled in, and English counts", () => {
  assert.equal(filled("{n} lot | {n} lots", { n: 1 }), "1 lot");
  assert.equal(filled("{n} lot | {n} lots", { n: 0 }), "0 lots");
  assert.equal(filled("共 {n} 件", { n: 3 }), "共 3 件");
});
