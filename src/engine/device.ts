import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { dirname, join } from 'node:path';
import { listSupportedBackends } from 'onnxruntime-node';
import { InputError } from '../errors.js';

/** The folder of the runtime's package. */
const runtime = join(dirname(createRequire(import.meta.url).resolve('onnxruntime-node')), '..');
/** Where it has its libraries, and those that it can do without. */
const libraries = join(runtime, 'bin', 'napi-v6', platform(), arch());
const fileOf = (device: string) =>
  platform() === 'win32'
    ? `onnxruntime_providers_${device}.dll`
    : `libonnxruntime_providers_${device}.so`;

/**
 * Finds out whether a device can be asked for, before the runtime writes about it what nobody understands.
 * @throws InputError when this runtime does not know it, or its libraries are not installed, saying how they are.
 */
export function checkDevice(device: string): void {
  const backends = listSupportedBackends();
  const backend = backends.find(({ name }) => name === device);
  if (!backend)
    throw new InputError(
      `Device ${device} is not in this onnxruntime-node; it has ${backends.map(({ name }) => name).join(', ')}.`,
    );
  if (backend.bundled || existsSync(join(libraries, fileOf(device)))) return;
  const install = join(runtime, 'script', 'install.js');
  throw new InputError(
    `Device ${device} needs libraries that are not in the package: fetch them with "node ${install} --onnxruntime-node-install=cuda12", beside CUDA 12 and cuDNN 9, or use --device cpu.`,
  );
}
