/** What a caller says of a checkpoint, checked before anything that reads one is loaded. */
import { checkRevision } from '../hub/repository';
import { HUB_KEYS, type HubOptions } from '../hub/settings';
import { checkBoolean, checkOptions, checkString, invalidType, outOfRange } from '../support/arguments';

/** Throws TypeError or RangeError: an empty path is what a variable that was never set gives, and would mean the working folder. */
export function checkSource(source: unknown): void {
  if (isPlainObject(source)) {
    throw invalidType(
      'source',
      'a string (options come second; for the model in the package pass undefined before them)',
      source,
    );
  }
  if (source instanceof URL) throw invalidType('source', 'a string (of a file URL: fileURLToPath(url))', source);
  const text = checkString('source', source);
  if (text === '') throw outOfRange('source', 'a path or owner/name', source);
  if (/^(?:https?|file):\/\//.test(text)) {
    throw outOfRange('source', 'a path, or owner/name for a repository on the Hub, and no URL', source);
  }
}

/** Throws TypeError or RangeError for wrong options of the Hub. */
export function checkHubOptions(revision: unknown, hub: unknown): void {
  if (revision !== undefined) checkRevision(checkString('options.revision', revision));
  if (hub === undefined) return;
  checkOptions(hub, HUB_KEYS, 'options.hub');
  const { endpoint, token, cacheDir, offline } = hub as { readonly [Key in keyof HubOptions]: unknown };
  if (endpoint !== undefined) checkString('options.hub.endpoint', endpoint);
  if (token !== undefined && token !== false && typeof token !== 'string') {
    throw invalidType('options.hub.token', 'a string, or false for none', token);
  }
  if (cacheDir !== undefined) checkString('options.hub.cacheDir', cacheDir);
  if (offline !== undefined) checkBoolean('options.hub.offline', offline);
}

/** True for `{ threads: 1 }`, whatever realm made it. */
function isPlainObject(value: unknown): boolean {
  return Object.prototype.toString.call(value) === '[object Object]' && value?.constructor?.name === 'Object';
}
