// Removes the declarations in dist that no type of the package's entry points is made of: nobody can import them, and they
// would be a fortieth of the package. Runs behind tsc (npm run build:ts).
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const { exports } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
const DECLARATION = /\.d\.m?ts$/;

/** The files that a table of exports names, however its conditions lie in one another. */
function* targets(entry) {
  if (typeof entry === 'string') yield path.join(root, entry);
  else for (const part of Object.values(entry ?? {})) yield* targets(part);
}

const reached = new Set();
function reach(file) {
  if (!existsSync(file) || reached.has(file)) return;
  reached.add(file);
  for (const [, target] of readFileSync(file, 'utf8').matchAll(/(?:\bfrom|\bimport\()\s*['"](\.[^'"]+)['"]/g)) {
    const module = path.join(path.dirname(file), target).replace(/\.m?js$/, '');
    for (const ending of ['.d.ts', '.d.mts', '/index.d.ts']) reach(module + ending);
  }
}

for (const file of targets(exports)) {
  if (DECLARATION.test(file)) reach(file);
}
if (reached.size === 0) throw new Error('package.json exports no declarations in dist; run tsc first');
for (const name of readdirSync(path.join(root, 'dist'), { recursive: true })) {
  const file = path.join(root, 'dist', name);
  if (DECLARATION.test(file) && !reached.has(file)) rmSync(file);
}
