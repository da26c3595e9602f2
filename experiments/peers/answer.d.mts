/** What one generation is asked for. */
export interface PeerRequest {
  readonly prompt: readonly number[];
  readonly max_new_tokens: number;
  readonly eos: readonly number[];
  readonly options: Readonly<Record<string, unknown>>;
}

export function answer(
  load: () => Promise<{
    readonly version: string;
    generate(request: PeerRequest, arrived: (tokens: readonly number[]) => void): Promise<void>;
  }>,
): Promise<void>;
