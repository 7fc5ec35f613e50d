/** The same for `import`. */
export { rerankingModel } from './ai-sdk.js';

export type * from './ai-sdk.js';
