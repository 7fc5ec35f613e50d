/** What this machine can compute on. */
import { nativeAddon } from '../native/addon';
import { toEncoderError } from '../native/native-model';

/** A device, present or not. */
export interface Device {
  /** `cpu`, `cuda:0`, ... as the `device` option of `load` takes it. */
  readonly id: string;
  readonly description: string;
  readonly available: boolean;
  /** Why it is not available and what would make it so; '' when it is. */
  readonly reason: string;
  /** Instruction sets that the CPU kernels can use here, best last; empty for other devices. */
  readonly isa: readonly string[];
  readonly memoryBytes: number;
}

/**
 * Lists the devices of this machine, those that cannot be used included, with the reason.
 *
 * @throws EncoderError `addon_missing` or `addon_failed`.
 */
export function devices(): Device[] {
  try {
    return nativeAddon().devices();
  } catch (error) {
    throw toEncoderError(error);
  }
}
