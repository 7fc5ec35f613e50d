/** A conversion's progress as a bar on stderr. */
import type { ConvertProgress } from '../convert/convert';
import type { Io } from './io';
import { ProgressBar } from './progress';
import { formatBytes, visible } from './style';

/** What to hand to the converter, and how to take the bar away at the end. */
export function showConversion(io: Io): { update: (progress: ConvertProgress) => void; hide: () => void } {
  const progressBar = new ProgressBar(io);
  return {
    update: ({ phase, file, bytesWritten, bytesTotal }) => {
      // The size is not known before the checkpoint has been read.
      const share = bytesTotal === 0 ? 0 : bytesWritten / bytesTotal;
      const amount = `${formatBytes(bytesWritten)} of ${formatBytes(bytesTotal)}`;
      const text =
        phase === 'read' ? 'reading the checkpoint' : phase === 'download' ? `${amount}  ${visible(file)}` : amount;
      progressBar.update(share, text);
    },
    hide: () => {
      progressBar.hide();
    },
  };
}
