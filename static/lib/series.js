// Chart options for ECharts from a series of the platform. Pure: numbers are read from percent text, and what has no base
// is left out of a chart (the table beside it says so).

/** The number behind percent text; null stays null. */
export function percent(text) {
  return text === null ? null : Number(text);
}

const AXIS = { axisLine: { show: false }, axisTick: { show: false } };

function frame(ink, extra) {
  return {
    animation: false,
    textStyle: { fontFamily: ink.font, color: ink.soft },
    color: [ink.blue, ink.amber, ink.seal],
    grid: { left: 8, right: 16, top: 40, bottom: 8, containLabel: true },
    legend: { top: 0, left: 0, textStyle: { color: ink.soft } },
    tooltip: { trigger: "axis", renderMode: "richText", backgroundColor: ink.sheet, borderColor: ink.line, textStyle: { color: ink.ink } },
    ...extra,
  };
}

const category = (ink, data) => ({ type: "category", data, ...AXIS, axisLine: { lineStyle: { color: ink.line } }, axisLabel: { color: ink.soft } });
const value = (ink, unit) => ({ type: "value", ...AXIS, splitLine: { lineStyle: { color: ink.line } }, axisLabel: { color: ink.soft, formatter: `{value}${unit}` } });

/** Lines of the columns named, by month. */
export function lines(rows, columns, ink) {
  return frame(ink, {
    xAxis: category(ink, rows.map(({ label }) => label)),
    yAxis: value(ink, "%"),
    series: columns.map(({ name, column }, index) => ({
      name, type: "line", connectNulls: true, symbol: ["circle", "rect", "triangle"][index], symbolSize: 8, lineStyle: { type: ["solid", "dashed", "dotted"][index] },
      data: rows.map((row) => percent(row[column])),
    })),
  });
}

/** Lying bars of the columns named, the first row on top. */
export function bars(rows, columns, ink, label) {
  return frame(ink, {
    xAxis: value(ink, "%"),
    yAxis: { ...category(ink, rows.map(label)), inverse: true, axisLabel: { color: ink.soft, width: 150, overflow: "truncate" } },
    series: columns.map(({ name, column }) => ({ name, type: "bar", barMaxWidth: 18, data: rows.map((row) => percent(row[column])) })),
  });
}

/** Stacked bars of counts. */
export function stacked(rows, columns, ink, label) {
  return frame(ink, {
    color: [ink.green, ink.amber, ink.faint],
    xAxis: category(ink, rows.map(label)),
    yAxis: { ...value(ink, ""), minInterval: 1 },
    series: columns.map(({ name, column }) => ({ name, type: "bar", stack: "all", barMaxWidth: 64, data: rows.map((row) => row[column]) })),
  });
}
