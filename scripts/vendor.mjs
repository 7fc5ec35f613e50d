// npm's prepack and postpack: packs the third-party sources that a source build needs, with their licences, into
// native/third_party.tar.xz, which CMake unpacks, and takes it away again. In a checkout they come from development
// dependencies, which users do not have. node scripts/vendor.mjs [--remove]
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const archive = path.join(root, 'native', 'third_party.tar.xz');
const PACKAGES = ['nodejs-whisper', 'node-api-headers', 'node-addon-api'];
// ggml's CPU backend for x86 and ARM; its GPU backends are built from a checkout.
const UNUSED = /^(spacemit|kleidiai|arch\/(loongarch|powerpc|riscv|s390|wasm))(\/|$)/;

function packageFolder(name) {
  return path.join(root, 'node_modules', name);
}

function readText(...parts) {
  return readFileSync(path.join(...parts), 'utf8');
}

function vendor(stage) {
  const copy = (from, to, filter = () => true) => {
    if (!existsSync(from)) throw new Error(`${from} is missing: run npm ci`);
    cpSync(from, path.join(stage, to), {
      recursive: true,
      dereference: true,
      filter: (source) => filter(path.relative(from, source).replaceAll('\\', '/')),
    });
  };
  const whisper = path.join(packageFolder('nodejs-whisper'), 'cpp', 'whisper.cpp');
  const ggml = path.join(whisper, 'ggml');
  for (const part of ['CMakeLists.txt', 'cmake', 'include', 'src/CMakeLists.txt']) {
    copy(path.join(ggml, part), `ggml/${part}`);
  }
  for (const file of readdirSync(path.join(ggml, 'src'))) {
    if (/\.(c|h|cpp|hpp)$/.test(file)) copy(path.join(ggml, 'src', file), `ggml/src/${file}`);
  }
  copy(path.join(ggml, 'src', 'ggml-cpu'), 'ggml/src/ggml-cpu', (name) => !UNUSED.test(name));
  copy(path.join(whisper, 'LICENSE'), 'ggml/LICENSE');
  copy(path.join(whisper, 'examples', 'json.hpp'), 'json/json.hpp');
  copy(path.join(root, 'native', 'licenses', 'nlohmann-json.txt'), 'json/LICENSE');
  const headers = packageFolder('node-api-headers');
  copy(path.join(headers, 'include'), 'node-api-headers/include');
  copy(path.join(headers, 'def'), 'node-api-headers/def');
  copy(path.join(headers, 'LICENSE'), 'node-api-headers/LICENSE');
  const napi = packageFolder('node-addon-api');
  for (const file of readdirSync(napi)) {
    if (/^napi.*\.h$|^LICENSE/.test(file)) copy(path.join(napi, file), `node-addon-api/${file}`);
  }
  const cmakeLists = readText(ggml, 'CMakeLists.txt');
  const ggmlVersion = ['MAJOR', 'MINOR', 'PATCH'].map(
    (part) => new RegExp(`GGML_VERSION_${part} (\\d+)`).exec(cmakeLists)[1],
  );
  const versions = PACKAGES.map((name) => [name, JSON.parse(readText(packageFolder(name), 'package.json')).version]);
  const facts = { ggml: ggmlVersion.join('.'), ...Object.fromEntries(versions) };
  writeFileSync(path.join(stage, 'VERSIONS.json'), `${JSON.stringify(facts, null, 2)}\n`);
}

rmSync(archive, { force: true });
if (!process.argv.includes('--remove')) {
  const stage = mkdtempSync(path.join(tmpdir(), 'ggml-encoder-vendor-'));
  try {
    vendor(stage);
    const entries = readdirSync(stage).sort();
    // CMake's own tar: it is what unpacks the archive.
    execFileSync('cmake', ['-E', 'tar', 'cJf', archive, '--format=gnutar', '--mtime=2000-01-01', '--', ...entries], {
      cwd: stage,
    });
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}
