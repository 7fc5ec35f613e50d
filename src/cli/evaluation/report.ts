/** The page of `evaluate --report`: one file without scripts or anything to load. */
import { basename } from 'node:path';

import type { ModelInfo } from '../../api/model-info';
import { version } from '../../support/package-root';
import {
  MAX_CURVES,
  MAX_MATRIX_CLASSES,
  confidenceHistogram,
  confusionMatrix,
  drawnCurves,
  reliabilityDiagram,
  rocCurves,
} from './charts';
import type { Comparison, Evaluation } from './evaluate';
import type { Metrics } from './metrics';
import { STYLE } from './report-style';
import { escapeMarkup, percent } from './svg';

/** @param input the file that was evaluated, as the caller named it. */
export function renderReport(evaluation: Evaluation, info: ModelInfo, input: string): string {
  const { metrics, truncated, comparison } = evaluation;
  const { labels } = info;
  const model = basename(info.path);
  const title = `${model} on ${input === '-' ? 'the standard input' : basename(input)}`;
  const numCurves = drawnCurves(metrics.classes, labels.length).length;
  const curvesNote =
    metrics.classes.length > MAX_CURVES && labels.length > 2 ? `, the ${MAX_CURVES} classes with the lowest AUC` : '';
  const matrixNote =
    metrics.classes.length > MAX_MATRIX_CLASSES ? `, the ${MAX_MATRIX_CLASSES} classes with the most examples` : '';
  const facts = [
    info.sourceClass === '' ? info.architecture : info.sourceClass,
    `${info.numParameters.toLocaleString('en')} parameters`,
    info.weightType.toUpperCase(),
    `${metrics.examples.toLocaleString('en')} examples`,
    ...(truncated === 0 ? [] : [`${truncated.toLocaleString('en')} cut to fit the model`]),
  ];
  const sections = [
    tiles(metrics),
    ...(comparison === undefined ? [] : [comparisonCard(comparison, metrics)]),
    card(`Confusion matrix${matrixNote}`, confusionMatrix(metrics, labels), 'wide'),
    ...(numCurves === 0 ? [] : [card(`ROC${curvesNote}`, rocCurves(metrics, labels))]),
    card('Reliability', reliabilityDiagram(metrics.calibration)),
    card('Confidence, right and wrong', confidenceHistogram(metrics.calibration)),
    ...confusions(metrics, labels),
    card('Classes', classTable(metrics, labels), 'wide'),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeMarkup(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>${escapeMarkup(title)}</h1>
<p>${facts.map(escapeMarkup).join(' · ')}</p>
</header>
<main>
${sections.join('\n')}
</main>
<footer>ggml-encoder ${escapeMarkup(version)}. Averages are macro averages. Calibration error: mean distance of confidence and accuracy over ten bins.</footer>
</body>
</html>
`;
}

function tiles({ accuracy, macro, rocAuc, logLoss, calibrationError }: Metrics): string {
  const values: [string, string][] = [
    ['accuracy', percent(accuracy)],
    ['F1', macro.f1.toFixed(3)],
    ['ROC AUC', rocAuc === null ? '–' : rocAuc.toFixed(3)],
    ['log loss', logLoss.toFixed(3)],
    ['calibration error', calibrationError.toFixed(3)],
  ];
  const cells = values.map(([name, value]) => `<div class="tile"><b>${value}</b><span>${name}</span></div>`);
  return `<section class="tiles wide">${cells.join('')}</section>`;
}

function comparisonCard(comparison: Comparison, { accuracy }: Metrics): string {
  const change = (comparison.accuracy - accuracy) * 100;
  const rows = [
    ['accuracy of this model', percent(accuracy)],
    [
      'accuracy of the other',
      `${percent(comparison.accuracy)} (${change >= 0 ? '+' : '−'}${Math.abs(change).toFixed(1)})`,
    ],
    ['same label', percent(comparison.agreement)],
    ['largest difference of logits', comparison.maxLogitDifference.toPrecision(3)],
  ];
  return card(`Compared with ${basename(comparison.model)}`, plainTable(rows), 'wide');
}

const SHOWN_CONFUSIONS = 8;

function confusions({ classes, confusion }: Metrics, labels: readonly string[]): string[] {
  const name = (place: number): string => labels[classes[place]?.label ?? -1] ?? '';
  const mistakes = confusion
    .flatMap((row, from) => row.map((count, to) => ({ from, to, count })))
    .filter(({ from, to, count }) => from !== to && count > 0)
    .sort((a, b) => b.count - a.count)
    .slice(0, SHOWN_CONFUSIONS);
  if (mistakes.length === 0) return [];
  const rows = mistakes.map(({ from, to, count }) => [`${name(from)} → ${name(to)}`, `${count}`]);
  return [card('Most frequent mistakes', plainTable(rows))];
}

function plainTable(rows: readonly (readonly string[])[]): string {
  const cells = rows.map(
    ([name = '', value = '']) => `<tr><td>${escapeMarkup(name)}<td class="num">${escapeMarkup(value)}`,
  );
  return `<table>${cells.join('\n')}</table>`;
}

function classTable({ classes, macro, weighted, examples }: Metrics, labels: readonly string[]): string {
  const number = (value: number): string =>
    `<td class="num"><span class="bar" style="--share:${value.toFixed(4)}">${value.toFixed(3)}</span>`;
  const rows = classes.map(
    ({ label, precision, recall, f1, support, rocAuc }) =>
      `<tr><td>${escapeMarkup(labels[label] ?? '')}${number(precision)}${number(recall)}${number(f1)}` +
      `<td class="num">${rocAuc === null ? '–' : rocAuc.toFixed(3)}<td class="num">${support}`,
  );
  const averages = [
    { name: 'macro average', ...macro },
    { name: 'weighted average', ...weighted },
  ].map(
    ({ name, precision, recall, f1 }) =>
      `<tr class="average"><td>${name}${number(precision)}${number(recall)}${number(f1)}<td><td class="num">${examples}`,
  );
  const head = ['', 'precision', 'recall', 'F1', 'ROC AUC', 'support'].map((name) => `<th>${name}`).join('');
  return `<table class="classes"><tr>${head}\n${[...rows, ...averages].join('\n')}</table>`;
}

function card(title: string, content: string, className = ''): string {
  return `<section class="card ${className}"><h2>${escapeMarkup(title)}</h2>\n${content}\n</section>`;
}
