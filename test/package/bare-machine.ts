/**
 * A machine with nothing but Node, npm and a shell: no compiler, no CMake, no network. Either this one, seen through a PATH of
 * links, or a root file system of another distribution (PACKAGE_TEST_ROOT) that programs are run in by chroot; with
 * PACKAGE_TEST_NODE=<file> as the Node of that root, it may be one of another architecture that the kernel runs by an emulator.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import type { SpawnSyncReturns } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';

/** `npm` as JavaScript, to be run by the Node beside it. */
function findNpm(): string {
  const nearNode = join(
    dirname(realpathSync(process.execPath)),
    '..',
    'lib',
    'node_modules',
    'npm',
    'bin',
    'npm-cli.js',
  );
  const found = [process.env['npm_execpath'], nearNode].find(
    (file) => file?.endsWith('npm-cli.js') && existsSync(file),
  );
  return found ?? realpathSync(execFileSync('which', ['npm'], { encoding: 'utf8' }).trim());
}

function has(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

export const NPM_CLI = findNpm();

export class BareMachine {
  /** Scratch folder, as this process sees it. */
  readonly folder: string;
  /** How programs are cut off from the network, in words. */
  readonly network: string;
  readonly #root: string;
  readonly #node: string;
  readonly #npm: string;
  readonly #prefix: readonly string[];

  constructor(root = process.env['PACKAGE_TEST_ROOT'] ?? '/') {
    this.#root = resolve(root);
    const scratch = root === '/' ? tmpdir() : join(this.#root, 'tmp');
    this.folder = mkdtempSync(join(scratch, 'ggml-encoder-package-'));
    const bin = join(this.folder, 'bin');
    mkdirSync(bin);
    mkdirSync(join(this.folder, 'home'));
    const unshare = has('unshare', ['-rn', 'true']);
    this.network = unshare ? 'a network namespace without interfaces' : 'an unreachable registry';
    const isolate = unshare ? ['unshare', '-rn'] : [];
    if (root === '/') {
      this.#node = process.execPath;
      this.#npm = NPM_CLI;
      this.#prefix = isolate;
    } else {
      // The other system has its own C library; npm is this one's, and so is Node as a rule.
      const npm = dirname(dirname(NPM_CLI));
      this.#node = join(this.folder, 'node');
      cpSync(process.env['PACKAGE_TEST_NODE'] ?? realpathSync(process.execPath), this.#node);
      cpSync(npm, join(this.folder, 'npm'), { recursive: true });
      this.#npm = join(this.folder, 'npm', relative(npm, NPM_CLI));
      this.#prefix = [...isolate, 'chroot', this.#root];
    }
    symlinkSync(this.view(this.#node), join(bin, 'node'));
    symlinkSync('/bin/sh', join(bin, 'sh'));
  }

  /** The path as programs on the machine see it. */
  view(path: string): string {
    return path.startsWith(this.#root) && this.#root !== '/' ? path.slice(this.#root.length) : path;
  }

  /** Runs a program by Node, or by the runtime that PACKAGE_TEST_RUNTIME names with its arguments ("deno run -A"). */
  program(args: readonly string[], cwd: string): SpawnSyncReturns<string> {
    return this.#run([...(process.env['PACKAGE_TEST_RUNTIME']?.split(' ') ?? [this.view(this.#node)]), ...args], cwd);
  }

  node(args: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}): SpawnSyncReturns<string> {
    return this.#run([this.view(this.#node), ...args], cwd, env);
  }

  #run(command: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}): SpawnSyncReturns<string> {
    const variables = {
      PATH: this.view(join(this.folder, 'bin')),
      HOME: this.view(join(this.folder, 'home')),
      npm_config_cache: this.view(join(this.folder, 'cache')),
      npm_config_registry: 'http://127.0.0.1:9/',
      npm_config_offline: 'true',
      npm_config_update_notifier: 'false',
      npm_config_fund: 'false',
      npm_config_audit: 'false',
      NO_COLOR: '1',
      ...env,
    };
    const words = [
      ...this.#prefix,
      'env',
      '-i',
      ...Object.entries(variables).map(([name, value]) => `${name}=${value}`),
      '/bin/sh',
      '-c',
      'cd "$1" && shift && exec "$@"',
      'sh',
      this.view(cwd),
      ...command,
    ];
    return spawnSync(words[0]!, words.slice(1), { encoding: 'utf8', maxBuffer: 1 << 26 });
  }

  npm(args: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}): SpawnSyncReturns<string> {
    return this.node([this.view(this.#npm), ...args], cwd, env);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
