/** The conversion of a GGUF file that llama.cpp's converter wrote: the same tensors, with what our own files say. */
import { EncoderError } from '../../errors';
import { ENCODER_KEYS } from '../../gguf/keys';
import type { GgufHead } from '../../gguf/reader';
import type { SourceFile } from '../../support/source-file';
import { type ConversionPlan, type PlanOptions, completePlan } from '../conversion-plan';
import { refuseHeadOptions } from '../head-options';
import { checkLabels } from '../labels';
import { MAX_LABEL_BYTES, MIN_LENGTH } from '../limits';
import { declareTensors, keepTypes } from '../tensor-types';
import { describeFile } from './families';
import { GgufWeights } from './gguf-weights';
import { MetadataReader } from './metadata-reader';
import { rebuildTokenizer } from './tokenizer';
import { LLAMA_CPP_WARNINGS, type LlamaCppWarning } from './warnings';

/** Throws what `convert` throws, `gguf_malformed` for a file that contradicts itself among it. */
export function planGguf(file: SourceFile, name: string, head: GgufHead, options: PlanOptions): ConversionPlan {
  const metadata = new MetadataReader(head.metadata, file.path);
  refuseHeadOptions(options, 'a GGUF file');
  if (metadata.has(ENCODER_KEYS.formatVersion)) {
    throw new EncoderError(
      'architecture_unsupported',
      `${file.path} is a file of ggml-encoder already; to change its tensor type, convert the checkpoint again`,
    );
  }
  if (metadata.has('split.count') && metadata.integer('split.count', 0, 65_535) > 1) {
    throw new EncoderError(
      'architecture_unsupported',
      `${file.path} is one part of a split file; join the parts with llama-gguf-split --merge first`,
    );
  }
  const weights = new GgufWeights(file, head);
  const described = describeFile(metadata, weights);
  const codes = [...(described.warnings as LlamaCppWarning[])];
  const { vocabSize, numPositions } = described.hyperparameters;
  const tokenizer = rebuildTokenizer(metadata, vocabSize, (code) => codes.push(code));
  if (numPositions < MIN_LENGTH) metadata.malformed(`it allows ${numPositions} tokens, in which no text fits`);
  const model = { ...described, warnings: codes };
  const warnings: string[] = [];
  const { type } = options;
  const declared =
    type === undefined ? keepTypes(model.tensors, weights, warnings) : declareTensors(model.tensors, type, warnings);
  const facts = {
    name: metadata.string('general.name', name).replaceAll('\0', ''),
    sourceClass: '',
    model,
    tokenizer,
    labels: options.labels === undefined ? readLabels(metadata, model) : checkLabels(options.labels, model.numLabels),
    problemType: '',
    activationFn: '',
    prompts: { texts: new Map<string, string>(), defaultName: '' },
    maxLength: numPositions,
  };
  const plan = completePlan(weights, type, facts, declared, warnings);
  // What the codes stand for is told by the file itself wherever it is loaded.
  return { ...plan, warnings: [...codes.map((code) => LLAMA_CPP_WARNINGS[code]), ...plan.warnings] };
}

/** The rows of the head decide; a list of another length says nothing about them. */
function readLabels(
  metadata: MetadataReader,
  { architecture, numLabels }: { readonly architecture: string; readonly numLabels: number },
): string[] {
  const labels = metadata.strings(`${architecture}.classifier.output_labels`) ?? [];
  const broken = labels.find((label) => label.includes('\0') || Buffer.byteLength(label) > MAX_LABEL_BYTES);
  if (broken !== undefined) metadata.malformed(`a label is no text of up to ${MAX_LABEL_BYTES} bytes`);
  if (labels.length === numLabels) return [...labels];
  return Array.from({ length: numLabels }, (_, index) => `LABEL_${index}`);
}
