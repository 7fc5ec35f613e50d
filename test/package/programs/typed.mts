// TypeScript as an ES module: types and values through the package's exports.
import { Classifier, CrossEncoder, EncoderError, convert, isEncoderError } from 'ggml-encoder';
import type { Classification, RankedDocument } from 'ggml-encoder';

const [checkpoint = '', output = ''] = process.argv.slice(2);
await using classifier = await Classifier.load();
const one: Classification = await classifier.classify('Real-time strategy game of ancient warfare');
await convert(checkpoint, { output, overwrite: true });
await using reranker = await CrossEncoder.load(output);
const ranked: RankedDocument[] = await reranker.rank('an engine', ['steam', 'electricity']);
let code = '';
try {
  await Classifier.load('no-such-model.gguf');
} catch (error) {
  if (error instanceof EncoderError && isEncoderError(error, 'model_not_found')) code = error.code;
}
console.log(JSON.stringify({ label: one.label, ranked: ranked.length, code }));
