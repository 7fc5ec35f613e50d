#!/usr/bin/env node
// Stands in for node-gyp under prebuildify, which calls `<node-gyp> rebuild --target=... --arch=...` in a staging folder: CMake
// needs none of those arguments. scripts/prebuild.mjs says in ENC_BUILD_ARGS how to build.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const build = path.join(path.dirname(fileURLToPath(import.meta.url)), 'build.mjs');
const args = JSON.parse(process.env.ENC_BUILD_ARGS);
execFileSync(process.execPath, [build, '--out', path.resolve('build', 'Release'), ...args], { stdio: 'inherit' });
