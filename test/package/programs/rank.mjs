// ESM: a checkpoint folder is converted, and the file ranks.
import { CrossEncoder, convert } from 'ggml-encoder';

const [checkpoint, output, ...documents] = process.argv.slice(2);
const { type } = await convert(checkpoint, { output });
const model = await CrossEncoder.load(output);
const ranked = await model.rank('an engine', documents);
await model.dispose();
console.log(JSON.stringify({ type, ranked }));
