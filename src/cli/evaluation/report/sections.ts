/** The pieces that the reports of all tasks are made of, as markup. */
import { basename } from 'node:path';

import type { Comparison, NamedNumbers } from '../comparison';
import { signed } from '../numbers';
import { escapeMarkup, percent } from './svg';

/** Names with their numbers, large and in a row. */
export function tiles(values: readonly (readonly [name: string, value: string])[]): string {
  const cells = values.map(
    ([name, value]) => `<div class="tile"><b>${escapeMarkup(value)}</b><span>${escapeMarkup(name)}</span></div>`,
  );
  return `<section class="tiles wide">${cells.join('')}</section>`;
}

/** @param content markup. */
export function card(title: string, content: string, width: 'half' | 'wide' = 'half'): string {
  return `<section class="card${width === 'wide' ? ' wide' : ''}"><h2>${escapeMarkup(title)}</h2>\n${content}\n</section>`;
}

/** Rows of a name and numbers. */
export function plainTable(rows: readonly (readonly string[])[], head: readonly string[] = []): string {
  const cells = rows.map(([name = '', ...values]) => {
    const numbers = values.map((value) => `<td class="num">${escapeMarkup(value)}`);
    return `<tr><td>${escapeMarkup(name)}${numbers.join('')}`;
  });
  return `<table${head.length === 0 ? '' : ' class="classes"'}>${[...headRow(head), ...cells].join('\n')}</table>`;
}

/**
 * What a second model has beside the first; nothing where there is none.
 *
 * @param numbersOf a model's numbers by their names.
 */
export function comparisonCards<Result>(
  own: Result,
  comparison: Comparison<Result> | undefined,
  numbersOf: (result: Result) => NamedNumbers,
): string[] {
  if (comparison === undefined) return [];
  const { model, result, agreement, maxLogitDifference } = comparison;
  const theirs = numbersOf(result);
  const rows = numbersOf(own).map(([name, value], place) => {
    const other = theirs[place]?.[1];
    const isDefined = typeof value === 'number' && typeof other === 'number';
    return [name, threeDigits(value), threeDigits(other), isDefined ? signed(other - value, 3) : ''];
  });
  if (agreement !== undefined) rows.push(['same labels', '', percent(agreement), '']);
  rows.push(['largest difference of logits', '', maxLogitDifference.toPrecision(3), '']);
  return [comparedCard(model, plainTable(rows, ['', 'this model', 'the other', 'change']))];
}

/** @param content markup. */
export function comparedCard(model: string, content: string): string {
  return card(`Compared with ${basename(model)}`, content, 'wide');
}

/** What a number that is not defined looks like; three digits of one that is. */
export function threeDigits(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : value.toFixed(3);
}

export interface MetricRow {
  readonly name: string;
  /** Shares that are drawn as bars. */
  readonly bars: readonly number[];
  readonly numbers: readonly string[];
  readonly isAverage?: boolean;
}

/** Classes or labels, and their averages below. */
export function metricTable(head: readonly string[], rows: readonly MetricRow[]): string {
  const lines = rows.map(({ name, bars, numbers, isAverage = false }) => {
    const cells = [...bars.map(barCell), ...numbers.map((value) => `<td class="num">${escapeMarkup(value)}`)];
    return `<tr${isAverage ? ' class="average"' : ''}><td>${escapeMarkup(name)}${cells.join('')}`;
  });
  return `<table class="classes">${[...headRow(head), ...lines].join('\n')}</table>`;
}

function headRow(head: readonly string[]): string[] {
  return head.length === 0 ? [] : [`<tr>${head.map((name) => `<th>${escapeMarkup(name)}`).join('')}`];
}

function barCell(share: number): string {
  return `<td class="num"><span class="bar" style="--share:${share.toFixed(4)}">${share.toFixed(3)}</span>`;
}
