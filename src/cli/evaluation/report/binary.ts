/** The report on one score that tells yes from no. */
import type { Comparison, NamedNumbers } from '../comparison';
import { decide } from '../metrics/decisions';
import { thresholdText } from '../numbers';
import type { BinaryResult } from '../tasks/binary';
import { precisionRecallChart, rocChart } from './curves';
import { decisionMatrix } from './decision-matrix';
import { histogram } from './histogram';
import { card, comparisonCards, threeDigits, tiles } from './sections';

export function binarySections(
  isYes: Uint8Array,
  scores: Float64Array,
  result: BinaryResult,
  comparison: Comparison<BinaryResult> | undefined,
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
    ...comparisonCards(result, comparison, comparedNumbers),
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

function comparedNumbers({ metrics, decisions }: BinaryResult): NamedNumbers {
  const given: NamedNumbers =
    decisions === undefined
      ? []
      : [
          [`accuracy at ${decisions.threshold}`, decisions.accuracy],
          [`F1 at ${decisions.threshold}`, decisions.f1],
        ];
  return [
    ['ROC AUC', metrics.rocAuc],
    ['average precision', metrics.averagePrecision],
    ...given,
    ['best accuracy', metrics.bestAccuracy.accuracy],
    ['best F1', metrics.bestF1?.f1],
  ];
}
