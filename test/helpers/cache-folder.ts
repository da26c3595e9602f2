import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Compiled models of a test run go to a folder of its own, shared by all test files and removed at the end. No test asks the
 * network for a model that is not there, and none has the defaults of whoever runs it.
 */
export default function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'sspec-cache-'));
  process.env.XDG_CACHE_HOME = folder;
  process.env.XDG_CONFIG_HOME = folder;
  process.env.HF_HUB_OFFLINE = '1';
  return () => rmSync(folder, { recursive: true, force: true });
}
