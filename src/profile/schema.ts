import { z } from 'zod';
import { interval } from '../metrics/measured-figures.js';
import { skippedRuns } from './draft-plan.js';
import { draft, draftRule } from './draft-schema.js';
import { maskToBits } from './mask.js';

/** The `schema` field of every profile file. */
export const PROFILE_SCHEMA = 'sspec-profile';
/**
 * The versions that this release reads. It writes 3 where a bridge has a memory, which a reader of version 2 would leave out without
 * a word, 2 where a plan has more than its mask otherwise, and else 1.
 */
export const PROFILE_VERSIONS = [1, 2, 3] as const;

const count = z.int().min(0).max(1e12);
const positive = z.number().positive();
const ratio = z.number().min(0).max(1);
const text = z.string().max(10_000);
const name = text.min(1);

const layerList = z
  .array(z.int().min(0).max(9_999))
  .max(10_000)
  .refine((list) => list.every((layer, i) => i === 0 || layer > list[i - 1]), {
    message: 'layer numbers must ascend without repeats',
  })
  .describe('layers whose sublayer of this kind is skipped: numbers from 0, ascending, no repeats');

const sampling = z.object({
  temperature: z.number().min(0).describe('0 = greedy'),
  top_k: count.optional(),
  top_p: ratio.optional(),
  min_p: ratio.optional(),
});

const dataset = z.object({ name, hash: name });

const figures = z.object({
  speedup: positive.describe('autoregressive time per token / speculative time per token'),
  speedup_ci95: interval,
  draft_acceptance_rate: ratio
    .nullable()
    .describe('accepted / proposed tokens; null where none was proposed'),
  mean_acceptance_length: z
    .number()
    .min(1)
    .describe("new tokens per target pass, the target's own included"),
  c: positive
    .nullable()
    .describe('draft-pass time / one-token target-pass time; null without draft passes'),
  tokens_per_second: positive,
  prompts: count,
  new_tokens: count,
});

const bridge = z
  .object({
    from: z.int().min(0).max(19_999),
    to: z.int().min(1).max(20_000),
    memory: z
      .boolean()
      .optional()
      .describe(
        'whether it sees the state that the position before had at its end; absent = no; version 3',
      ),
  })
  .describe(
    'from its first sublayer to the one after its last; sublayer 2 l is the attention of layer l, 2 l + 1 its MLP',
  );

const paretoPoint = draftRule.extend({
  skip_attention: layerList,
  skip_mlp: layerList,
  bridges: count.optional().describe('bridges that its figures are with; absent = none'),
  memories: count.optional().describe('of them with a memory; absent = none'),
  head_words: count.optional().describe("words of the draft's head; absent = all"),
  draft_acceptance_rate: ratio,
  c: positive,
  speedup: positive,
});

/** A skip profile as it stands in its file. Fields that a later minor release adds are passed over. */
export const profileSchema = z
  .object({
    schema: z.literal(PROFILE_SCHEMA),
    version: z.literal(PROFILE_VERSIONS),
    model: z.object({
      architecture: name,
      layers: z.int().min(1).max(10_000),
      hidden_size: count,
      heads: count,
      kv_heads: count,
      vocab_size: count,
      weights_hash: name.describe('hash of the checkpoint that the mask was found on'),
      reference: name.optional().describe('where the model came from, such as org/name@revision'),
    }),
    precision: z.enum(['fp32', 'int8', 'int4']),
    method: z
      .enum(['autoregressive', 'skip', 'lookup', 'cascade'])
      .optional()
      .describe(
        'what to decode with: the method that was fastest, or autoregressive where none gained; absent = skip',
      ),
    skip_attention: layerList,
    skip_mlp: layerList,
    bridges: z
      .array(bridge)
      .max(10_000)
      .optional()
      .describe('runs of skipped sublayers that a linear map stands in for; version 2'),
    head_words: z
      .int()
      .min(1)
      .max(1e9)
      .optional()
      .describe("words of the draft's head; absent = all; version 2"),
    draft_weights: z
      .object({
        file: z
          .string()
          .regex(/^[^/\\\0]{1,255}$/)
          .refine((file) => file !== '.' && file !== '..')
          .describe("name of a file in the profile's folder"),
        sha256: z.string().regex(/^[0-9a-f]{64}$/),
      })
      .optional()
      .describe('maps of the bridges and words of the head, as safetensors; version 2'),
    draft,
    sampling: sampling
      .optional()
      .describe('the sampling that the profile was found for; absent = greedy'),
    provenance: z
      .object({
        tool_version: name,
        created: z.iso.datetime(),
        study: name.optional(),
        sampler: name.optional(),
        seed: z.int().optional(),
        trials: count.optional(),
        dataset: dataset.optional(),
        holdout: dataset.optional(),
        machine: z.object({ cpu: text, cores: count.describe('physical cores') }),
        threads: z.int().min(1),
        node: name.optional().describe('version of Node.js'),
        onnxruntime: name.optional().describe('version of onnxruntime-node'),
        warnings: z
          .array(text)
          .max(100)
          .optional()
          .describe('what the user was warned of when it was measured, such as a busy machine'),
        command: text,
      })
      .describe('an imported skip list has no study, sampler, seed, trials or datasets'),
    figures: z.object({
      method: z
        .enum(['skip', 'lookup', 'cascade'])
        .optional()
        .describe('the method that the figures are of; absent = skip'),
      calibration: figures.optional().describe('on the prompts searched with: biased upward'),
      holdout: figures
        .extend({ per_kind: z.record(name, figures).optional() })
        .optional()
        .describe('on prompts that the search never saw: the headline'),
    }),
    pareto: z
      .array(paretoPoint)
      .max(10_000)
      .describe('masks that no other beats in both acceptance and c'),
  })
  .superRefine((profile, context) => {
    const refuse = (path: PropertyKey[], message: string) =>
      context.addIssue({ code: 'custom', path, message });
    const hasWeights = (profile.bridges?.length ?? 0) > 0 || profile.head_words !== undefined;
    if (hasWeights !== (profile.draft_weights !== undefined))
      refuse(['draft_weights'], 'it belongs to bridges and head_words, and they to it');
    if (hasWeights && profile.version < 2)
      refuse(['version'], 'a profile with bridges or head_words is of version 2 or later');
    if (profile.version < 3 && profile.bridges?.some(({ memory }) => memory))
      refuse(['version'], 'a profile with a bridge that has a memory is of version 3');
    if ((profile.head_words ?? 0) > profile.model.vocab_size)
      refuse(['head_words'], `the vocabulary has ${profile.model.vocab_size} words`);
    const runs = skippedRuns(
      maskToBits({ attention: profile.skip_attention, mlp: profile.skip_mlp }, 10_000),
    );
    for (const [i, { from, to }] of (profile.bridges ?? []).entries()) {
      const previous = profile.bridges?.[i - 1];
      if (previous && from < previous.to) refuse(['bridges', i], 'bridges must ascend');
      if (!runs.some((run) => run.from === from && run.to === to))
        refuse(['bridges', i], 'it is not over a whole run of skipped sublayers');
    }
    const lists: [PropertyKey[], readonly number[]][] = [
      [['skip_attention'], profile.skip_attention],
      [['skip_mlp'], profile.skip_mlp],
    ];
    profile.pareto.forEach((point, i) => {
      lists.push([['pareto', i, 'skip_attention'], point.skip_attention]);
      lists.push([['pareto', i, 'skip_mlp'], point.skip_mlp]);
    });
    for (const [path, list] of lists) {
      const last = list.at(-1);
      if (last !== undefined && last >= profile.model.layers) {
        const message = `there is no layer ${last} in a model of ${profile.model.layers} layers`;
        context.addIssue({ code: 'custom', path, message });
      }
    }
  });

/** A skip profile: which sublayers of which model to skip, how to draft with them, and what that was measured to give. */
export type Profile = z.infer<typeof profileSchema>;
/** Measured figures of one mask on one set of prompts. */
export type ProfileFigures = z.infer<typeof figures>;
/** A mask of the Pareto set with what it was measured (or, on the cheap rungs, predicted) to give. */
export type ParetoPoint = z.infer<typeof paretoPoint>;

/** The profile format as JSON Schema (draft 2020-12), published as `schema/profile.schema.json`. */
export function profileJsonSchema(): Record<string, unknown> {
  return {
    title: 'sspec skip profile',
    ...z.toJSONSchema(profileSchema, { io: 'input' }),
  };
}
