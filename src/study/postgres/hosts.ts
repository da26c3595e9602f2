import type { DatabaseAddress } from './address.js';
import { openPool } from './connect.js';
import { patiently } from './patience.js';

/** A machine that took part in a study. */
export interface StudyHost {
  /** As the study's events name it. */
  readonly host: string;
  /** CPU, cores and versions. */
  readonly machine: object;
  /** Its own cost model and how far that is off: what drafts cost there. */
  readonly calibration: object;
}

/** Keeps what a machine told of itself, the last time that it joined. */
export async function noteHost(
  address: DatabaseAddress,
  study: string,
  { host, machine, calibration }: StudyHost,
): Promise<void> {
  const pool = await openPool(address);
  const row = [study, host, JSON.stringify(machine), JSON.stringify(calibration)];
  await patiently(address, () =>
    pool.query(
      `insert into sspec.host (study, host, machine, calibration)
       select id, $2, $3::json, $4::json from sspec.study where name = $1
       on conflict (study, host) do update
         set machine = excluded.machine, calibration = excluded.calibration, joined = now()`,
      row,
    ),
  ).finally(() => pool.end());
}
