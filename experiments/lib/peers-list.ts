/** The engines that experiments/peers.ts measures, how each is started, and with what settings each is tried. */
import { join } from 'node:path';
import type { SkipMask } from '../../src/profile/mask.js';
import { AUTOREGRESSIVE, SSPEC } from './peers-summary.js';

/** A way of decoding with one setting, as the peer's process takes it. */
export interface PeerSetting {
  /** Shown where there are several; empty for the only one. */
  readonly label: string;
  readonly options: Readonly<Record<string, unknown>>;
}

export interface PeerMethod {
  readonly name: string;
  /** The fastest on other prompts is measured: every peer gets its best. */
  readonly settings: readonly PeerSetting[];
}

/** An engine beside others; its first method is autoregressive decoding. */
export interface Peer {
  readonly name: string;
  /** Number format of its weights, all made of one file. */
  readonly weights: string;
  readonly command: readonly string[];
  readonly methods: readonly PeerMethod[];
  /** What its times are of, beside the model's passes. */
  readonly timer: string;
}

/** Where what prepare.ts made lies, and what is compared. */
export interface PeerSources {
  readonly model: string;
  readonly prepared: string;
  readonly profile: string;
  readonly mask: SkipMask;
  readonly threads: number;
}

const plain = (options: PeerSetting['options'] = {}): PeerSetting[] => [{ label: '', options }];

export function allPeers({ model, prepared, profile, mask, threads }: PeerSources): Peer[] {
  const own = join('experiments', 'peers');
  const python = join(prepared, 'venv', 'bin', 'python');
  const [folder, count] = [join(prepared, 'hf'), String(threads)];
  return [
    {
      ...{ name: SSPEC, weights: 'int8' },
      command: [
        ...['node', '--import', './test/register-typescript.mjs', join(own, 'sspec.ts')],
        ...[model, count, profile],
      ],
      methods: [AUTOREGRESSIVE, 'lookup', 'skip', 'cascade'].map((name) => ({
        ...{ name, settings: plain({ method: name }) },
      })),
      timer: 'its generator of events in JavaScript, which a program reads; no text is made',
    },
    {
      ...{ name: 'llama.cpp', weights: 'Q8_0' },
      command: ['node', join(own, 'llama.mjs'), join(prepared, 'q8_0.gguf'), count],
      methods: [
        { name: AUTOREGRESSIVE, settings: flash({}) },
        {
          name: 'lookup',
          settings: [3, 10].flatMap((prediction) => flash({ lookup: true, prediction })),
        },
      ],
      timer:
        'node-llama-cpp\'s generator of tokens ("evaluate"), its sampler and the calls into the addon included; lookup is its InputLookupTokenPredictor',
    },
    {
      ...{ name: 'transformers.js', weights: 'int8' },
      command: ['node', join(own, 'transformers-js.mjs'), join(prepared, 'onnx'), count],
      methods: [{ name: AUTOREGRESSIVE, settings: plain() }],
      timer:
        'its "generate", told by a streamer, on onnxruntime-node; the graph is that of onnxruntime-genai (GroupQueryAttention, MatMulNBits in blocks of 32 with int8 activations)',
    },
    {
      ...{ name: 'transformers', weights: 'fp32' },
      command: [python, join(own, 'transformers_peer.py'), folder, count],
      methods: [
        { name: AUTOREGRESSIVE, settings: plain() },
        {
          name: 'prompt lookup',
          settings: [3, 10].map((tokens) => ({
            ...{ label: `${tokens} tokens`, options: { prompt_lookup_num_tokens: tokens } },
          })),
        },
        {
          name: 'early exit',
          // More than two tokens, or layers between these, are slower still.
          settings: [4, 26].map((layers) => ({
            label: `${layers} layers, 2 tokens`,
            options: {
              ...{ assistant_early_exit: layers, num_assistant_tokens: 2 },
              num_assistant_tokens_schedule: 'constant',
            },
          })),
        },
      ],
      timer: 'its "generate" in Python on torch, told by a streamer',
    },
    {
      ...{ name: 'Draft & Verify code', weights: 'fp32' },
      command: [
        ...[python, join(own, 'reference.py'), join(prepared, 'reference')],
        ...[join(prepared, 'reference-packages'), folder, count],
      ],
      methods: [
        { name: AUTOREGRESSIVE, settings: plain() },
        {
          name: 'self-speculative',
          settings: plain({ skip_attention: mask.attention, skip_mlp: mask.mlp }),
        },
      ],
      timer:
        "the authors' infer_input_ids as published, with the transformers of its time (4.33) on a current torch; its first pass counts as the prefill. Its mask is the one of sspec's profile, its draft exit the authors' adaptive one",
    },
  ];
}

/** With flash attention and without: which is faster depends on the machine. */
function flash(options: PeerSetting['options']): PeerSetting[] {
  const tokens = 'prediction' in options ? `, ${options.prediction} tokens` : '';
  return [true, false].map((flash) => ({
    label: `flash attention ${flash ? 'on' : 'off'}${tokens}`,
    options: { ...options, flash },
  }));
}
