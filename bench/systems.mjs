/** Who is measured, in which number types, and how the process of each is started. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

export const PYTHON = process.env.BENCH_PYTHON ?? 'python3';

/**
 * @typedef {object} System
 * @property {string} name as in the rows
 * @property {string[]} types in the words of our own types; `int8` is ONNX Runtime's dynamic quantization
 * @property {string[]} deviceTypes those on a device other than the CPU; none where it is not measured there
 * @property {string} note what a reader has to know about its figures, '' when nothing
 * @property {boolean} inNode
 * @property {string[]} command program and arguments of its worker
 * @property {() => string} missing '' when it can run, else why not and what to do
 */

/** @returns {System} */
function inNode(name, types, note, missing, deviceTypes = []) {
  const command = [process.execPath, here('systems/worker.mjs'), name];
  return { name, types, deviceTypes, note, missing, inNode: true, command };
}

/** @returns {System} */
function inPython(name, types, note, packages, deviceTypes = []) {
  return {
    name,
    types,
    deviceTypes,
    note,
    missing: () => missingInPython(packages),
    inNode: false,
    command: [PYTHON, here('systems/worker.py'), name],
  };
}

/** @type {System[]} */
export const SYSTEMS = [
  inNode('ggml-encoder', ['f32', 'bf16', 'q8_0'], '', missingOurs, ['f32', 'f16', 'bf16', 'q8_0']),
  inPython('pytorch', ['f32', 'bf16'], '', ['torch', 'transformers'], ['f32', 'f16', 'bf16']),
  inPython('onnxruntime', ['f32', 'int8'], 'from Python', ['onnxruntime', 'tokenizers']),
  inNode('transformers.js', ['f32', 'int8'], 'onnxruntime-node underneath', () =>
    missingPeer('@huggingface/transformers'),
  ),
  inNode(
    'node-llama-cpp',
    ['f32', 'bf16', 'q8_0'],
    "llama.cpp's own head and GELU: its logits are not the model's",
    () => missingPeer('node-llama-cpp'),
  ),
];

function missingOurs() {
  const built = ['../dist/index.mjs', '../build/Release/ggml_encoder.node'].every((file) => existsSync(here(file)));
  return built ? '' : 'is not built: npm run build';
}

function missingPeer(name) {
  return existsSync(here(`node_modules/${name}/package.json`))
    ? ''
    : 'is not installed: cd bench && npm install --ignore-scripts';
}

function missingInPython(packages) {
  const { status } = spawnSync(PYTHON, ['-c', `import ${packages.join(', ')}`], { stdio: 'ignore' });
  if (status === 0) return '';
  return `needs a Python with ${packages.join(' and ')}: pip install ${packages.join(' ')}, BENCH_PYTHON=<that python>`;
}
