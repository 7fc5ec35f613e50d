// TypeScript as CommonJS.
import encoder = require('ggml-encoder');

async function main(): Promise<void> {
  const model: encoder.Classifier = await encoder.Classifier.load();
  const { label, score }: encoder.Classification = await model.classify('Real-time strategy game of ancient warfare');
  await model.dispose();
  console.log(JSON.stringify({ label, score }));
}

void main();
