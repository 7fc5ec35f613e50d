/** One right label per example: a name of the model's, or its place counted from 0. */
import { OTHER_TITLES, quote } from './columns';
import type { TargetFormat } from './target-format';

export function labelPlace(labels: readonly string[]): TargetFormat<number> {
  const readPlace = placeReader(labels);
  return {
    example: '{"text": ..., "label": ...}',
    fromHeader(header, { label = 'label' }) {
      const place = header.place(label);
      if (place < 0) throw new Error(`the header must name the columns "text" and ${quote(label)}; ${OTHER_TITLES}`);
      return (row) => readPlace(row[place]);
    },
    fromObject(object, { label = 'label' }) {
      const value = object[label];
      if (value !== undefined) return readPlace(value);
      const several = Object.hasOwn(object, 'labels')
        ? '; "labels", which may be several, need --task multi-label'
        : '';
      throw new Error(`no ${quote(label)}; expected ${expectedOne(labels)}${several}`);
    },
  };
}

/** A name wins over a place: labels may be called "10". */
export function placeReader(labels: readonly string[]): (value: unknown) => number {
  const places = new Map(labels.map((label, place) => [label, place]));
  return (value) => {
    const place = typeof value === 'string' ? (places.get(value) ?? placeOf(value)) : value;
    if (typeof place === 'number' && Number.isInteger(place) && place >= 0 && place < labels.length) return place;
    throw new Error(`the label ${quote(value)} is not ${expectedOne(labels)}${adviceFor(labels)}`);
  };
}

const SHOWN_LABELS = 8;

function expectedOne(labels: readonly string[]): string {
  return `one of the model's labels (${named(labels)})`;
}

/** The first labels, for messages. */
export function named(labels: readonly string[]): string {
  return `${labels.slice(0, SHOWN_LABELS).join(', ')}${labels.length > SHOWN_LABELS ? ', ...' : ''}`;
}

function placeOf(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : NaN;
}

/** A checkpoint that names nothing is the usual reason for a name that is unknown. */
function adviceFor(labels: readonly string[]): string {
  if (!labels.every((label, place) => label === `LABEL_${place}`)) return '';
  return '; this model does not name its labels: write their places from 0, or name them by "ggml-encoder convert --labels"';
}
