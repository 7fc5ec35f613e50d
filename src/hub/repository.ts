/** Names of model repositories on the Hugging Face Hub, told apart from paths. */
import { outOfRange, wrongValue } from '../support/arguments';

export interface Repository {
  readonly owner: string;
  readonly name: string;
  /** Branch, tag, `refs/pr/1` or commit. */
  readonly revision: string;
}

const DEFAULT_REVISION = 'main';

/** The Hub's own rules: letters, digits, dot, dash and underscore; no dot or dash at either end, neither of them twice. */
const SEGMENT = /^(?!.*(?:--|\.\.))[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?$/;

/** Names of files, which a repository may not have either (`.git`) or which nobody means by a repository. */
const FILE_ENDING = /\.(?:git|gguf|ipynb|json|jsonl|safetensors|bin|h5)$/i;

const REVISION_SEGMENT = /^[A-Za-z0-9_][A-Za-z0-9._+-]{0,127}$/;

/** Undefined unless `source` is spelt `owner/name` or `owner/name@revision`. Throws RangeError for a bad revision. */
export function parseRepository(source: string, revision?: string): Repository | undefined {
  const at = source.indexOf('@');
  const id = at < 0 ? source : source.slice(0, at);
  const [owner, name, ...rest] = id.split('/');
  if (owner === undefined || name === undefined || rest.length > 0) return undefined;
  if (!SEGMENT.test(owner) || !SEGMENT.test(name) || FILE_ENDING.test(name)) return undefined;
  const inName = at < 0 ? undefined : source.slice(at + 1);
  if (inName !== undefined && revision !== undefined && inName !== revision) {
    throw wrongValue(`options.revision is ${JSON.stringify(revision)}, but the name says ${JSON.stringify(inName)}`);
  }
  return { owner, name, revision: checkRevision(inName ?? revision ?? DEFAULT_REVISION) };
}

/** Throws RangeError for what cannot name a revision; it becomes part of addresses and of file names. */
export function checkRevision(revision: string): string {
  const parts = revision.split('/');
  if (revision.length <= 200 && parts.every((part) => REVISION_SEGMENT.test(part) && !part.includes('..'))) {
    return revision;
  }
  throw outOfRange('options.revision', 'a branch, a tag or a commit', revision);
}

export function isCommit(revision: string): boolean {
  return /^[0-9a-f]{40}$/.test(revision);
}

/** `owner/name`, with the revision where it is not the default one. */
export function describeRepository({ owner, name, revision }: Repository): string {
  return `${owner}/${name}${revision === DEFAULT_REVISION ? '' : `@${revision}`}`;
}
