/** Names of the two sides into which a dataset of the user's is divided. */

/** @param part which side, in words. */
export function shareName(dataset: string, part: string): string {
  return `${dataset} (${part})`;
}

/** The dataset that a side was taken from; any other name as it is. */
export function datasetOfShare(name: string): string {
  return name.replace(/ \((?:the rest of )?share [^()]*\)$/, '');
}
