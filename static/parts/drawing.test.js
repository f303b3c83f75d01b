import assert from "node:assert/strict";
import test from "node:test";
import { subject } from "./drawing.js";

test("a drawing follows the title, else the kind", () => {
  assert.equal(subject("movable", "宝马730Li小型轿车一辆"), "car");
  assert.equal(subject("immovable", "昌乐县某沿街商铺"), "shop");
  assert.equal(subject("immovable", "某写字楼整层"), "tower");
  assert.equal(subject("immovable", "杭州市拱墅区38.5平方米住宅一套"), "flat");
  assert.equal(subject("other_right", "某公司30%股权"), "share");
  assert.equal(subject("immovable", "学生公寓楼群及相应土地使用权"), "flat");
  assert.equal(subject("movable", "一批设备"), "thing");
  assert.equal(subject("unheard-of", ""), "thing");
});
