/** Other processes of this machine. */
import { errnoOf } from './source-file';

/** Whether there is a process of this number, another user's as well. */
export function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return errnoOf(error) !== 'ESRCH';
  }
}
