// Rules of the tree that neither lint nor the compiler sees: file sizes, C++ include direction, and no architecture's
// name in the graph or the kernels. Prints every breach and exits 1; docs/architecture.md gives the reasons.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

const MAX_LINES = 500;
const MAX_KERNEL_LINES = 700;
const SOURCE = /\.(ts|mts|js|mjs|cc|h|cu|cpp|py|sh)$/;
const CPP = /\.(cc|h|cu|cpp|inc)$/;

/** Folders whose code must not know one architecture from another. */
const NAMELESS = ['native/src/graph/', 'native/src/kernels/', 'native/src/backends/', 'native/src/batch/'];
const ARCHITECTURE =
  /\b(distilbert|roberta|xlm-?roberta|camembert|modernbert|neobert|albert|m?bart|electra|mpnet|deberta|xlnet|llama|mistral|qwen\d?|gemma\d?|gpt-?(2|neox))\b|"bert"/i;

/**
 * Folder -> the includes in quotes it may have. Standard headers and intrinsics come in angle brackets and are free.
 * The first folder that matches a file counts.
 */
const MAY_INCLUDE = [
  ['native/include/enc/', [/^enc\//]],
  // The one place that changes how ggml itself behaves.
  ['native/src/support/ggml_guard.', [/^support\//, /^enc\//, /^ggml/]],
  ['native/src/support/', [/^support\//, /^enc\//]],
  ['native/src/kernels/', [/^kernels\//, /^support\//, /^enc\/cpu_features\.h$/]],
  ['native/src/tokenizer/', [/^tokenizer\//, /^support\//, /^enc\//]],
  ['native/src/batch/', [/^batch\//, /^support\//, /^enc\//]],
  [
    'native/src/backends/',
    [
      /^backends\//,
      /^kernels\//,
      /^support\//,
      /^enc\//,
      /^ggml/,
      /^graph\/ops\.h$/,
      /^model\/(hparams|stored_types|weights)\.h$/,
    ],
  ],
  ['native/src/graph/', [/^graph\//, /^support\//, /^enc\//, /^ggml/, /^model\/(hparams|weights)\.h$/]],
  ['native/src/model/', [/^(model|graph|backends|kernels|batch|tokenizer|support|enc)\//, /^ggml/]],
  ['native/node/', [/^[^/]+$/, /^enc\//]],
];

const breaches = [];

function trackedFiles() {
  const list = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], { cwd: root });
  return list
    .toString('utf8')
    .split('\0')
    .filter((file) => file !== '' && existsSync(path.join(root, file)));
}

function checkSize(file, lines) {
  if (file.startsWith('test/fixtures/')) return;
  const limit = file.startsWith('native/src/kernels/') ? MAX_KERNEL_LINES : MAX_LINES;
  if (lines.length > limit) breaches.push(`${file}: ${lines.length} lines, more than ${limit}; split it`);
}

function checkNames(file, lines) {
  if (!NAMELESS.some((folder) => file.startsWith(folder))) return;
  lines.forEach((line, index) => {
    const name = ARCHITECTURE.exec(line)?.[0];
    if (name !== undefined) {
      breaches.push(`${file}:${index + 1}: names the architecture ${name}; make it a switch that the file sets`);
    }
  });
}

function checkIncludes(file, lines) {
  const allowed = MAY_INCLUDE.find(([folder]) => file.startsWith(folder))?.[1];
  if (allowed === undefined || !CPP.test(file)) return;
  lines.forEach((line, index) => {
    const included = /^\s*#\s*include\s+"([^"]+)"/.exec(line)?.[1];
    if (included !== undefined && !allowed.some((pattern) => pattern.test(included))) {
      breaches.push(`${file}:${index + 1}: must not include ${included}`);
    }
  });
}

for (const file of trackedFiles()) {
  if (!SOURCE.test(file) && !CPP.test(file)) continue;
  const text = readFileSync(path.join(root, file), 'utf8');
  const lines = text.replace(/\n$/, '').split('\n');
  // Generated tables are data.
  if (!file.endsWith('.inc')) checkSize(file, lines);
  checkNames(file, lines);
  checkIncludes(file, lines);
}

for (const breach of breaches) console.error(breach);
process.exitCode = breaches.length === 0 ? 0 : 1;
