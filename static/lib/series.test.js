import assert from "node:assert/strict";
import test from "node:test";
import { bars, lines, percent, stacked } from "./series.js";

const ink = { font: "x", soft: "#1", blue: "#2", amber: "#3", seal: "#4", sheet: "#5", line: "#6", ink: "#7", green: "#8", faint: "#9" };
const rows = [{ label: "2025-01", over: "12.50", sold: 3, failed: 1 }, { label: "2025-02", over: null, sold: 0, failed: 2 }];

test("percent text becomes a number, and what has no base stays out", () => {
  assert.equal(percent("-8.54"), -8.54);
  assert.deepEqual(lines(rows, [{ name: "a", column: "over" }], ink).series[0].data, [12.5, null]);
});

test("a tooltip is drawn and never written as HTML, for the content policy forbids its styles", () => {
  for (const option of [lines(rows, [], ink), bars(rows, [], ink, String), stacked(rows, [], ink, String)]) {
    assert.equal(option.tooltip.renderMode, "richText");
    assert.equal(option.animation, false);
  }
});

test("counts are stacked and the first row of lying bars is on top", () => {
  const option = stacked(rows, [{ name: "sold", column: "sold" }, { name: "failed", column: "failed" }], ink, ({ label }) => label);
  assert.deepEqual(option.series.map(({ stack, data }) => [stack, data]), [["all", [3, 0]], ["all", [1, 2]]]);
  assert.equal(bars(rows, [], ink, ({ label }) => label).yAxis.inverse, true);
});
