// Makes a release commit and its tag; pushing the tag publishes (.github/workflows/release.yml).
// node scripts/release.mjs <version>   sets the version, dates the changelog, checks, tests, commits and tags
// node scripts/release.mjs --notes     prints the changelog's section of the current version
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const changelogPath = path.join(root, 'CHANGELOG.md');
const [argument] = process.argv.slice(2);

function run(program, ...args) {
  execFileSync(program, args, { cwd: root, stdio: 'inherit' });
}

function output(program, ...args) {
  return execFileSync(program, args, { cwd: root, encoding: 'utf8' }).trim();
}

function fail(reason) {
  console.error(`release: ${reason}`);
  process.exit(1);
}

/** From the heading of the version to the next one. */
function notesOf(changelog, version) {
  const sections = changelog.split(/^(?=## )/m);
  return sections.find((section) => section.startsWith(`## ${version} (`));
}

const changelog = readFileSync(changelogPath, 'utf8');
const { version: current } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));

if (argument === '--notes') {
  process.stdout.write(notesOf(changelog, current) ?? fail(`CHANGELOG.md has no section for ${current}`));
} else {
  const version = argument;
  if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version ?? '')) fail('usage: node scripts/release.mjs <version>');
  if (output('git', 'status', '--porcelain') !== '') fail('the working tree has changes');
  if (output('git', 'rev-parse', '--abbrev-ref', 'HEAD') !== 'main') fail('a release is made from main');
  const unreleased = `## ${version} (unreleased)`;
  if (!changelog.includes(unreleased)) fail(`CHANGELOG.md has no heading "${unreleased}"`);

  const date = new Date().toISOString().slice(0, 10);
  writeFileSync(changelogPath, changelog.replace(unreleased, `## ${version} (${date})`));
  if (version !== current) run('npm', 'version', version, '--no-git-tag-version', '--ignore-scripts');
  run('npm', 'run', 'check');
  run('npm', 'test');
  run('npm', 'run', 'test:package');
  run('git', 'commit', '--all', '--message', `release: ${version}`);
  run('git', 'tag', '--annotate', `v${version}`, '--message', `ggml-encoder ${version}`);
  console.log(`Tagged v${version}. To publish: git push --follow-tags`);
}
