/** The report on one score that tells yes from no. */
import { basename } from 'node:path';

import { decide } from '../metrics/decisions';
import type { Decisions } from '../metrics/decisions';
import { thresholdText } from '../numbers';
import type { BinaryResult } from '../tasks/binary';
import { precisionRecallChart, rocChart } from './curves';
import { decisionMatrix } from './decision-matrix';
import { histogram } from './histogram';
import { card, plainTable, threeDigits, tiles } from './sections';

export interface BinaryComparison {
  /** Path of the other model. */
  readonly model: string;
  readonly result: BinaryResult;
  readonly maxLogitDifference: number;
}

export function binarySections(
  isYes: Uint8Array,
  scores: Float64Array,
  result: BinaryResult,
  comparison: BinaryComparison | undefined,
): string[] {
  const { metrics, decisions } = result;
  const { rocAuc, averagePrecision, rocCurve, precisionRecallCurve, bestAccuracy, bestF1 } = metrics;
  const matrixAt = (threshold: number, what: string): string => {
    return decisionMatrix(`${what}, at ${thresholdText(threshold)}`, decide(isYes, scores, threshold));
  };
  const matrices = [
    ...(decisions === undefined ? [] : [matrixAt(decisions.threshold, 'as given')]),
    ...(bestF1 === null ? [] : [matrixAt(bestF1.threshold, 'best F1')]),
    matrixAt(bestAccuracy.threshold, 'best accuracy'),
  ];
  const curve = { name: 'this model' };
  return [
    tiles([
      ['ROC AUC', threeDigits(rocAuc)],
      ['average precision', threeDigits(averagePrecision)],
      ['best accuracy', threeDigits(bestAccuracy.accuracy)],
      ['best F1', threeDigits(bestF1?.f1)],
      ...(decisions === undefined ? [] : [[`F1 at ${decisions.threshold}`, threeDigits(decisions.f1)] as const]),
    ]),
    ...(comparison === undefined ? [] : [comparisonCard(result, comparison)]),
    card('Decisions by threshold', `<div class="matrices">${matrices.join('\n')}</div>`, 'wide'),
    ...(rocCurve.length === 0 ? [] : [card('ROC', rocChart([{ ...curve, value: rocAuc, points: rocCurve }]))]),
    ...(precisionRecallCurve.length === 0
      ? []
      : [
          card(
            'Precision and recall',
            precisionRecallChart([{ ...curve, value: averagePrecision, points: precisionRecallCurve }]),
          ),
        ]),
    card('Scores, right answer 1 below and 0 on top', histogram(scores, isYes, 'score')),
  ];
}

function comparisonCard(own: BinaryResult, { model, result, maxLogitDifference }: BinaryComparison): string {
  const numbers = ({ metrics, decisions }: BinaryResult): [string, number | null | undefined][] => [
    ['ROC AUC', metrics.rocAuc],
    ['average precision', metrics.averagePrecision],
    ['best accuracy', metrics.bestAccuracy.accuracy],
    ['best F1', metrics.bestF1?.f1],
    ...(decisions === undefined ? [] : [decidedNumber('accuracy', decisions), decidedNumber('f1', decisions)]),
  ];
  const theirs = numbers(result);
  const rows = [
    ...numbers(own).map(([name, value], place) => [name, threeDigits(value), threeDigits(theirs[place]?.[1])]),
    ['largest difference of logits', '', maxLogitDifference.toPrecision(3)],
  ];
  return card(`Compared with ${basename(model)}`, plainTable(rows, ['', 'this model', 'the other']), 'wide');
}

function decidedNumber(key: 'accuracy' | 'f1', decisions: Decisions): [string, number] {
  return [`${key === 'f1' ? 'F1' : key} at ${decisions.threshold}`, decisions[key]];
}
