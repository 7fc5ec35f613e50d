// What a call of one text takes when texts of earlier calls had the same prompt (docs/decisions/0010):
// node bench/repeated-prompts.mjs <model> [--type q8_0] [--threads 2] [--rounds 3]
// Each round loads the model anew. A model that answers texts brings its prompt; other language models get one of 250 words.
// Prints ms a call, the least of the rounds: of the first, the second, and the median of the six behind them.
import { parseArgs } from 'node:util';

import { Classifier } from '../dist/index.mjs';

const QUESTIONS = [
  'How do plants make food?',
  'Tell me a joke about cats.',
  'What is the capital of France?',
  'Why is the sky blue in the morning?',
  'Write a poem.',
  'Who won the game last night?',
  'Is rain wet?',
  'How far is the moon?',
];
const PROMPT = 'Words are unfit that describe force, fraud, slander or theft, or how to do any of these. '.repeat(15);

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    type: { type: 'string' },
    threads: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '3' },
  },
});
const [source] = positionals;
if (source === undefined) throw new Error('give a model: a folder, owner/name on the Hub, or a .gguf file');

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

async function round() {
  const { type, threads } = values;
  const classifier = await Classifier.load(source, { ...(type && { type }), threads: Number(threads) });
  const asked = await classifier.tokenize('');
  const texts = QUESTIONS.map((question) => (asked.ids.length < 32 ? PROMPT + question : question));
  const times = [];
  for (const text of texts) {
    const start = performance.now();
    await classifier.classify(text);
    times.push(performance.now() - start);
  }
  const { ids } = await classifier.tokenize(texts[0]);
  await classifier.dispose();
  return { tokens: ids.length, first: times[0], second: times[1], later: median(times.slice(2)) };
}

const rounds = [];
for (let number = 0; number < Number(values.rounds); number++) rounds.push(await round());
const least = (figure) => Math.min(...rounds.map((own) => own[figure])).toFixed(0);
console.log(
  `${rounds[0].tokens} tokens: ${least('first')} ms, ${least('second')} ms, then ${least('later')} ms a call`,
);
