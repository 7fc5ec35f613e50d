/**
 * SetFit's head: a logistic regression of scikit-learn on a text's embedding. Its probabilities are those of a linear
 * layer with softmax or, for several labels at once, with sigmoid.
 */
import { EncoderError } from '../../errors';
import type { Limits } from '../../support/limits';
import type { ConfigReader } from '../config';
import { labelText } from '../labels';
import { MAX_HIDDEN_SIZE, MAX_LABELS } from '../limits';
import { MemorySource } from '../readers/memory-source';
import type { NumpyArray } from '../readers/numpy-array';
import { PickleList, type PickleValue } from '../readers/pickle';
import { ArrayValue, Estimator, readEstimator } from '../readers/sklearn-pickle';

export const SETFIT_HEAD = 'model_head.pkl';
export const SETFIT_CONFIG = 'config_setfit.json';

export interface SetFitHead {
  /** `linear.weight` [labels, columns] and `linear.bias` [labels], in f32. */
  readonly weights: MemorySource;
  readonly numLabels: number;
  /** Values of an embedding. */
  readonly columns: number;
  readonly labels: readonly string[];
  /** Whether labels are independent of each other. */
  readonly isMultiLabel: boolean;
  /** Whether embeddings are divided by their length. */
  readonly normalizes: boolean;
}

const LOGISTIC = [
  'sklearn.linear_model._logistic.LogisticRegression',
  'sklearn.linear_model.logistic.LogisticRegression',
];
const ONE_VS_REST = 'sklearn.multiclass.OneVsRestClassifier';
const MULTI_OUTPUT = 'sklearn.multioutput.MultiOutputClassifier';
/** What OneVsRestClassifier keeps beside its estimators. */
const BINARIZERS = ['sklearn.preprocessing._label.LabelBinarizer', 'sklearn.preprocessing.label.LabelBinarizer'];
const SUPPORTED = ['LogisticRegression', 'OneVsRestClassifier', 'MultiOutputClassifier'];
const CLASSES: ReadonlySet<string> = new Set([...LOGISTIC, ONE_VS_REST, MULTI_OUTPUT, ...BINARIZERS]);

/** `head`: model_head.pkl; `settings`: config_setfit.json, undefined when there is none. */
export function readSetFitHead(
  head: { readonly bytes: Buffer; readonly path: string },
  settings: ConfigReader | undefined,
  limits: Limits,
): SetFitHead {
  const reader = new HeadReader(head.path);
  if (settings?.get('span_context') !== undefined || settings?.get('spacy_model') !== undefined) {
    settings.unsupported('it belongs to a model of aspects, which needs the spans that spaCy finds in a text');
  }
  const estimator = readEstimator(head.bytes, head.path, CLASSES, SUPPORTED, limits);
  const names = readNames(settings);
  const { rows, columns, labels, isMultiLabel } = reader.isLogistic(estimator)
    ? reader.singleLabel(estimator, names)
    : reader.multiLabel(estimator, names);
  const weight = new Float32Array(rows.length * columns);
  for (const [row, { weights }] of rows.entries()) weight.set(weights, row * columns);
  const bias = Float32Array.from(rows, ({ intercept }) => intercept);
  return {
    weights: new MemorySource(head.path, [
      ['linear.weight', [rows.length, columns], weight],
      ['linear.bias', [rows.length], bias],
    ]),
    numLabels: rows.length,
    columns,
    labels,
    isMultiLabel,
    normalizes: settings?.boolean('normalize_embeddings', false) ?? false,
  };
}

/** The names of labels, by number; undefined where the head's own classes are all there is. */
function readNames(settings: ConfigReader | undefined): readonly string[] | undefined {
  const value = settings?.get('labels');
  if (settings === undefined || value === undefined) return undefined;
  if (!Array.isArray(value) || value.length > MAX_LABELS) return settings.malformed('labels is no list of names');
  return value.map((name) => labelText(settings, name));
}

interface Row {
  readonly weights: Float64Array;
  readonly intercept: number;
}

interface Head {
  readonly rows: readonly Row[];
  readonly columns: number;
  readonly labels: readonly string[];
  readonly isMultiLabel: boolean;
}

class HeadReader {
  /** joblib writes an array once for each place that has it, so what reading them all costs is bounded by the file. */
  private readonly taken = new Set<ArrayValue>();

  constructor(readonly path: string) {}

  isLogistic(estimator: Estimator): boolean {
    return LOGISTIC.includes(estimator.className);
  }

  /** One of several labels, or one of two, whose second alone has a row: the first one's logit is 0. */
  singleLabel(estimator: Estimator, names: readonly string[] | undefined): Head {
    const { rows, columns, classes } = this.regression(estimator);
    const multiClass = estimator.attributes.get('multi_class');
    const isLiblinear = estimator.attributes.get('solver') === 'liblinear';
    const isBinary = classes.length === 2;
    // These make the probabilities in ways of their own; the usual head of SetFit has neither.
    const own = isBinary ? multiClass === 'multinomial' : multiClass === 'ovr' || multiClass === 'warn';
    if (own || (!isBinary && isLiblinear)) {
      const what = own ? `multi_class=${String(multiClass)}` : 'solver=liblinear';
      this.unsupported(`a LogisticRegression with ${what} and ${classes.length} classes; leave it at its default`);
    }
    const first: Row = { weights: new Float64Array(columns), intercept: 0 };
    const labels = classes.map((value) => this.label(value, names));
    return { rows: isBinary ? [first, ...rows] : rows, columns, labels, isMultiLabel: false };
  }

  /** Any number of labels: one regression for each. */
  multiLabel(estimator: Estimator, names: readonly string[] | undefined): Head {
    const list = estimator.attributes.get('estimators_');
    if (!(list instanceof PickleList) || list.items.length === 0)
      this.malformed(`a ${estimator.className} that was not fitted`);
    this.requireCount(list.items.length);
    if (estimator.className === ONE_VS_REST) this.requireMultiLabel(estimator);
    const regressions = list.items.map((item) => this.estimatorOfLabel(item));
    const [{ columns }] = regressions as [Head];
    if (regressions.some((one) => one.columns !== columns))
      this.malformed('regressions that read embeddings of different sizes');
    if (names !== undefined && names.length !== regressions.length) {
      this.malformed(`${regressions.length} labels, and ${SETFIT_CONFIG} names ${names.length}`);
    }
    const rows = regressions.map((one) => one.rows[0]!);
    return { rows, columns, labels: names ?? rows.map((_, index) => `LABEL_${index}`), isMultiLabel: true };
  }

  private estimatorOfLabel(item: PickleValue): Pick<Head, 'rows' | 'columns'> {
    if (!(item instanceof Estimator) || !this.isLogistic(item))
      return this.unsupported('a label without a LogisticRegression');
    const { classes, ...regression } = this.regression(item);
    if (classes.length === 2 && Number(classes[0]) === 0 && Number(classes[1]) === 1) return regression;
    return this.unsupported(`a label with the classes ${classes.join(', ').slice(0, 60)}; 0 and 1 are supported`);
  }

  /** Of one label for each text OneVsRestClassifier divides the probabilities by their sum. */
  private requireMultiLabel(estimator: Estimator): void {
    const binarizer = estimator.attributes.get('label_binarizer_');
    const kind = binarizer instanceof Estimator ? binarizer.attributes.get('y_type_') : undefined;
    if (kind !== 'multilabel-indicator') {
      this.unsupported('a OneVsRestClassifier for one label of each text; use a LogisticRegression alone');
    }
  }

  private regression(estimator: Estimator): { rows: Row[]; columns: number; classes: (string | number)[] } {
    const weights = this.array(estimator, 'coef_');
    const interceptArray = this.array(estimator, 'intercept_');
    this.requireCount(interceptArray.length);
    const intercepts = interceptArray.numbers();
    const classArray = this.array(estimator, 'classes_');
    this.requireCount(classArray.length);
    const classes = classArray.isText ? classArray.texts() : [...classArray.numbers()];
    const [count, columns] = weights.shape;
    if (!weights.isFloat) this.malformed(`a coef_ of the type ${weights.code}`);
    if (columns !== undefined && columns > MAX_HIDDEN_SIZE) {
      this.malformed(`coef_ of ${columns} columns; at most ${MAX_HIDDEN_SIZE} are possible`);
    }
    const fits = weights.shape.length === 2 && count === (classes.length === 2 ? 1 : classes.length);
    if (!fits || classes.length < 2 || columns === undefined || intercepts.length < 1) {
      this.malformed(`coef_ of [${weights.shape.join(', ')}] for ${classes.length} classes`);
    }
    if (intercepts.length !== 1 && intercepts.length !== count) {
      this.malformed(`${intercepts.length} values of intercept_ for ${count} rows`);
    }
    const values = weights.numbers();
    const rows = Array.from({ length: count }, (_, row) => ({
      weights: values.subarray(row * columns, (row + 1) * columns),
      intercept: intercepts[intercepts.length === 1 ? 0 : row]!,
    }));
    return { rows, columns, classes };
  }

  private array(estimator: Estimator, name: string): NumpyArray {
    const value = estimator.attributes.get(name);
    if (value instanceof ArrayValue) {
      if (this.taken.has(value)) this.malformed(`the same ${name} in two places`);
      this.taken.add(value);
      return value.array;
    }
    return this.malformed(`a ${estimator.className} without ${name}; it was not fitted`);
  }

  /** Classes that are numbers count the names, from the end where they are negative, as Python's lists do. */
  private label(value: string | number, names: readonly string[] | undefined): string {
    if (names === undefined || typeof value === 'string') return labelText(this, value);
    const name = Number.isInteger(value) ? names.at(value) : undefined;
    if (name !== undefined) return name;
    return this.malformed(`the class ${value}, and ${SETFIT_CONFIG} names ${names.length} labels`);
  }

  private requireCount(labels: number): void {
    if (labels > MAX_LABELS) this.malformed(`${labels} labels; at most ${MAX_LABELS} are possible`);
  }

  malformed(what: string): never {
    throw new EncoderError('checkpoint_malformed', `${this.path} holds ${what}`);
  }

  private unsupported(what: string): never {
    throw new EncoderError('architecture_unsupported', `${this.path} holds ${what}`);
  }
}
