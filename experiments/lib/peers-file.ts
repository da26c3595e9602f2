import { z } from 'zod';

const interval = z.tuple([z.number(), z.number()]).readonly().nullable();
const number = z.number().nullable();

/** peers.json, as much of it as other texts tell. */
export const peersFile = z.object({
  max_new_tokens: z.number(),
  threads: z.number(),
  rows: z.array(
    z.object({
      ...{ peer: z.string(), method: z.string(), weights: z.string(), prompts: z.number() },
      ...{ tokens_per_second: z.number(), tokens_per_second_ci95: interval },
      ...{ speedup: number, speedup_ci95: interval },
      ...{ over_sspec: number, over_sspec_ci95: interval },
      ...{ prefill_seconds: z.number(), same_texts: number },
    }),
  ),
  environment: z.object({ logical_cores: z.number(), load_average: z.array(z.number()) }),
});
/** A row of it. */
export type ToldPeerRow = z.infer<typeof peersFile>['rows'][number];
