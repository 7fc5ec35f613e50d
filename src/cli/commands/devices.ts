/** ggml-encoder devices: what this machine can compute on. */
import type { Command } from 'commander';

import { devices } from '../../api/devices';
import type { Device } from '../../api/devices';
import type { Io } from '../io';
import { Output } from '../output';
import { addFormatOption, wantsText } from '../result-format';
import type { FormatFlags } from '../result-format';
import { formatBytes, painter, table, visible } from '../style';

export function addDevicesCommand(program: Command, io: Io): void {
  const command = program
    .command('devices')
    .summary('list what this machine can compute on')
    .description('List what this machine can compute on, and why the rest is not available.');
  addFormatOption(command).action(async (flags: FormatFlags) => {
    const output = Output.open(undefined, io.stdout);
    const found = devices();
    await output.lines(
      wantsText(flags, io) ? describeDevices(found, io) : found.map((device) => JSON.stringify(device)),
    );
    await output.close();
  });
}

function describeDevices(found: readonly Device[], io: Io): string[] {
  const paint = painter(io.stdout);
  const rows = found.map(({ id, available, memoryBytes, description }) => [
    visible(id),
    available ? 'available' : 'not available',
    memoryBytes > 0 ? formatBytes(memoryBytes) : '',
    visible(description),
  ]);
  return table(rows, [2]).flatMap((line, index) => {
    const device = found[index];
    if (device === undefined) return [line];
    const details = [
      ...(device.isa.length > 0 ? [`    instruction sets: ${device.isa.join(', ')}`] : []),
      ...(device.reason === '' ? [] : [`    ${visible(device.reason)}`]),
    ];
    return [device.available ? line : paint('dim', line), ...details];
  });
}
