// CommonJS: the model in the package, and which files and instructions were used.
'use strict';

const { Classifier, devices } = require('ggml-encoder');

async function main() {
  const model = await Classifier.load();
  const { label } = await model.classify('Real-time strategy game of ancient warfare');
  const { kernels, device } = model.info;
  await model.dispose();
  const addons = Object.keys(require.cache).filter((file) => file.endsWith('.node'));
  const isa = devices().find(({ id }) => id === 'cpu').isa;
  console.log(JSON.stringify({ label, kernels, device, isa, addons }));
}

void main();
