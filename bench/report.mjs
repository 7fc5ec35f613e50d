/** Rows as a table: the best and the median of each system, and how many times faster ours is. */
import { WORKLOADS } from './workloads.mjs';

const OURS = 'ggml-encoder';

/** @param {object[]} rows of one workload, model and thread count */
export function printTables(workload, rows) {
  const { title, metrics } = WORKLOADS[workload];
  for (const { metric, unit, higherIsBetter } of metrics) {
    const group = rows.filter((row) => row.metric === metric);
    if (group.length === 0) continue;
    const { model, threads } = group[0];
    console.log(`\n  ${model}, threads ${threads}, ${workload}: ${title}`);
    const best = (row) => (higherIsBetter ? row.max : row.min);
    const ours = group.filter((row) => row.system === OURS);
    const gain = (row, own) => (higherIsBetter ? best(own) / best(row) : best(row) / best(own));
    const header = ['', 'best', 'median', 'runs', ...ours.map((own) => `ours ${own.type}`)];
    const lines = group.map((row) => [
      `${row.system} ${row.type}`,
      figure(best(row)),
      figure(row.median),
      String(row.runs),
      ...ours.map((own) => `${gain(row, own).toFixed(2)}x`),
    ]);
    printColumns([`${metric}, ${unit}`, ...header.slice(1)], lines);
  }
}

function figure(value) {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function printColumns(header, lines) {
  const all = [header, ...lines];
  const widths = header.map((_, column) => Math.max(...all.map((line) => line[column].length)));
  for (const line of all) {
    const cells = line.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])));
    console.log(`    ${cells.join('  ')}`);
  }
}
