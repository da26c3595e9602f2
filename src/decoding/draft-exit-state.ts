/** The state of a rule over one generation; each has its own, so that no result depends on what ran before. */
export interface DraftExitState {
  /** The threshold in force; 0 for a rule without one. The adaptive one is not clamped to [0, 1], as in the paper. */
  readonly threshold: number;
  /**
   * Whether to verify now. Asked after every token of a draft in turn.
   * @param drafted tokens in the draft, the last included
   * @param confidence the draft's probability of that last token
   */
  shouldStop(drafted: number, confidence: number): boolean;
  /** What a round came to; rounds without a draft teach nothing. */
  afterVerify(drafted: number, accepted: number): void;
}
