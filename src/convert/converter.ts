/** What the API takes of the converter, as one module that is loaded when it is needed; see api/conversion. */
export { cachedConvert } from './cache';
export { resolveCheckpoint } from './resolve-checkpoint';
export { convert, downloadReporter } from './convert';
