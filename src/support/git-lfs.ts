/** What a clone holds in the place of a large file until `git lfs pull` has fetched it. */

const BEGINNING = 'version https://git-lfs.github.com';

/** Bytes of a file that are enough to tell. */
export const POINTER_BYTES = BEGINNING.length;

/** @param head the file's first bytes, or its text. */
export function isGitLfsPointer(head: Uint8Array | string): boolean {
  const text = typeof head === 'string' ? head : Buffer.from(head.subarray(0, POINTER_BYTES)).toString('latin1');
  return text.startsWith(BEGINNING);
}

export const GIT_LFS_ADVICE = 'it is a Git LFS pointer, not the file itself; fetch it with git lfs pull';
