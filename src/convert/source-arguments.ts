/** What a caller says of a checkpoint, checked before anything that reads one is loaded. */
import { checkRevision } from '../hub/repository';
import { HUB_KEYS, type HubOptions } from '../hub/settings';
import { checkBoolean, checkOptions, checkString, outOfRange } from '../support/arguments';

/** Throws TypeError or RangeError: an empty path is what a variable that was never set gives, and would mean the working folder. */
export function checkSource(source: unknown): void {
  if (checkString('source', source) === '') throw outOfRange('source', 'a path or owner/name', source);
}

/** Throws TypeError or RangeError for wrong options of the Hub. */
export function checkHubOptions(revision: unknown, hub: unknown): void {
  if (revision !== undefined) checkRevision(checkString('options.revision', revision));
  if (hub === undefined) return;
  checkOptions(hub, HUB_KEYS, 'options.hub');
  const { endpoint, token, cacheDir, offline } = hub as { readonly [Key in keyof HubOptions]: unknown };
  if (endpoint !== undefined) checkString('options.hub.endpoint', endpoint);
  if (token !== undefined && token !== false) checkString('options.hub.token', token);
  if (cacheDir !== undefined) checkString('options.hub.cacheDir', cacheDir);
  if (offline !== undefined) checkBoolean('options.hub.offline', offline);
}
