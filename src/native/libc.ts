/** Which C library this process runs on: a binary is for one of them. */
import { closeSync, openSync, readSync } from 'node:fs';

export type Libc = 'glibc' | 'musl';

/** By the name of the loader, which stands near the beginning of an ELF program; undefined when it is another one. */
function libcOfProgram(): Libc | undefined {
  const head = Buffer.alloc(2048);
  try {
    const file = openSync(process.execPath, 'r');
    try {
      readSync(file, head);
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
  if (head.includes('/ld-musl-')) return 'musl';
  return head.includes('/ld-linux-') ? 'glibc' : undefined;
}

/** By Node's report, which takes milliseconds; without its part on the network, which may ask for names. */
function libcOfReport(): Libc {
  const report = process.report as typeof process.report & { excludeNetwork: boolean };
  const { excludeNetwork } = report;
  report.excludeNetwork = true;
  try {
    const { header } = report.getReport() as { header: { glibcVersionRuntime?: string } };
    return header.glibcVersionRuntime === undefined ? 'musl' : 'glibc';
  } finally {
    report.excludeNetwork = excludeNetwork;
  }
}

/** The variable LIBC counts first, as in node-gyp-build. Undefined elsewhere than on Linux. */
export function detectLibc(): Libc | undefined {
  if (process.platform !== 'linux') return undefined;
  const named = process.env['LIBC'];
  if (named === 'glibc' || named === 'musl') return named;
  return libcOfProgram() ?? libcOfReport();
}
